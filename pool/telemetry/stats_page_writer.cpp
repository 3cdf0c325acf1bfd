// SPDX-License-Identifier: MIT
#include "pool/telemetry/stats_page_writer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "pool/platform/memory.h"
#include "pool/platform/process.h"
#include "pool/sync/owner_lock.h"

namespace bufpool {
namespace {

constexpr std::size_t kFields = 0
#define BUFPOOL_CLASS_COUNTER(name, unit, kind, sentence) +1
#define BUFPOOL_PROCESS_COUNTER(name, unit, kind, sentence) +1
#include "pool/telemetry/counters.def"
    ;
constexpr std::size_t kLine = 64;

// Where the areas of a page are. The front is one memory page. Words that change stand apart from
// those that only a reader of the directory looks at.
struct Places {
  static constexpr std::size_t kFieldsAt = sizeof(StatsHeader);
  static constexpr std::size_t kOptionsAt = kFieldsAt + kFields * sizeof(StatsField);
  static constexpr std::size_t kProcessAt = platform::kPageBytes;
  static constexpr std::size_t kControlAt = kProcessAt + 2 * kLine;
  static constexpr std::size_t kRowsAt = kControlAt + kLine;
  static constexpr std::size_t kSizesAt = kRowsAt + kSnapshotClasses * sizeof(StatsRow);
  // The samples, if there is room for them, and then the shards. Those of CPUs that are not in use
  // come last, as no reader touches them.
  static constexpr std::size_t kSamplesAt =
      platform::page_above(kSizesAt + kSnapshotClasses * sizeof(std::uint64_t));
  static constexpr std::size_t kSamplesBytes = platform::page_above(sizeof(StatsSamples));
  static constexpr std::size_t kShardBytes = platform::kPageBytes;
};
static_assert(Places::kOptionsAt + kStatsOptionsRoom <= Places::kProcessAt);
static_assert(sizeof(StatsProcess) <= 2 * kLine && sizeof(StatsControl) <= kLine);
static_assert(Places::kRowsAt % kLine == 0);
static_assert(kStatsStacksAt + kSnapshotClasses * sizeof(StatsStack) <= Places::kShardBytes);

template <std::size_t size>
constexpr void set_text(char (&to)[size], std::string_view text) noexcept {
  const std::size_t length = std::min(text.size(), size - 1);
  for (std::size_t i = 0; i < length; ++i) to[i] = text[i];
}

constexpr StatsKind kind_of(std::string_view kind) noexcept {
  if (kind == "counter") return StatsKind::kCounter;
  return kind == "peak" ? StatsKind::kPeak : StatsKind::kGauge;
}

struct Directory {
  StatsField fields[kFields] = {};

  constexpr StatsField& find(std::string_view name) {
    for (StatsField& field : fields) {
      if (field.scope == StatsScope::kClass && name == field.name) return field;
    }
    throw "no such field";
  }
  constexpr std::uint8_t number_and_one(std::string_view name) {
    return static_cast<std::uint8_t>(&find(name) - fields + 1);
  }
};

// The sums that a class's figures are made of, beside the words of its row: a hit is a get; a stack
// holds what was put and what was moved into it, less the hits.
constexpr void add_stacks(Directory& directory) {
  directory.find("gets").per_hit = 1;
  directory.find("hits").per_hit = 1;
  directory.find("puts").per_hit = 1;
  directory.find("puts").per_depth = 1;
  directory.find("puts").per_moved = -1;
  directory.find("in_use").per_depth = -1;
  directory.find("in_use").per_moved = 1;
  directory.find("in_use_peak").at_least = directory.number_and_one("in_use");
  directory.find("cached").per_depth = 1;
  directory.find("idle").per_depth = 1;
  directory.find("idle").by_stride = 1;
  directory.find("retained").at_most = directory.number_and_one("idle");
  directory.find("asked").per_asked = 1;
  directory.find("granted").per_hit = 1;
  directory.find("granted").by_stride = 1;
  directory.find("granted").less_at = offsetof(StatsRow, roomy);
}

constexpr Directory make_directory() {
  Directory directory;
  StatsField* field = directory.fields;
  const auto add = [&](std::string_view name, std::string_view unit, std::string_view kind,
                       StatsScope scope, std::size_t at) {
    set_text(field->name, name);
    set_text(field->unit, unit);
    field->kind = kind_of(kind);
    field->scope = scope;
    field->at = static_cast<std::uint32_t>(at);
    ++field;
  };
#define BUFPOOL_CLASS_COUNTER(name, unit, kind, sentence) \
  add(#name, #unit, #kind, StatsScope::kClass, offsetof(StatsRow, name));
#define BUFPOOL_PROCESS_COUNTER(name, unit, kind, sentence) \
  add(#name, #unit, #kind, StatsScope::kProcess, offsetof(StatsProcess, name));
#include "pool/telemetry/counters.def"
  add_stacks(directory);
  return directory;
}

constexpr Directory kDirectory = make_directory();

// The options in force, as lines of text. What does not fit is left out, a line at a time.
std::size_t write_options(const Options& options, char* out, std::size_t room) noexcept {
  std::size_t used = 0;
  const auto list = option_list();
  for (std::size_t i = 0; i < list.size(); ++i) {
    char text[256];
    const std::string_view value = effective_value(options, i, text);
    const std::string_view source = (options.set_mask >> i & 1) != 0 ? "environment" : "default";
    const std::string_view parts[] = {list[i].name, "\t", source, "\t", value, "\n"};
    std::size_t length = 0;
    for (const std::string_view part : parts) length += part.size();
    if (length > room - used) continue;
    for (const std::string_view part : parts) used += part.copy(out + used, part.size());
  }
  return used;
}

}  // namespace

bool StatsPageWriter::begin(std::uint32_t number_in_child) noexcept {
  StatsWord* const word = word_.load(std::memory_order_acquire);
  if (word == nullptr) return false;
  if (has_region() && word->tries.fetch_add(1, std::memory_order_relaxed) + 1 < number_in_child) {
    return false;
  }
  StatsState seen = StatsState::kUnsettled;
  return word->state.compare_exchange_strong(seen, StatsState::kMaking);
}

void* StatsPageWriter::map(const StatsPlan& plan, const platform::ProcessIdentity& owner) noexcept {
  void* const old = reinterpret_cast<void*>(region());
  name_ = {};
  if (plan.folder == nullptr) return platform::map_memory_file(kStatsName, bytes_, old);
  constexpr std::size_t kOwnerAt = offsetof(StatsHeader, process_started);
  static_assert(offsetof(StatsHeader, pid_namespace) ==
                kOwnerAt + offsetof(platform::ProcessIdentity, pid_namespace));
  return platform::map_named_file({plan.folder, owner, kOwnerAt}, bytes_, old, name_);
}

bool StatsPageWriter::make(const StatsPlan& plan) noexcept {
  if (!has_region()) {
    shard_count_ = plan.shards;
    has_samples_ = plan.samples;
    bytes_ = shards_at() + shard_count_ * Places::kShardBytes;
  }
  std::array<char, kStatsOptionsRoom> options;
  const std::size_t length = options_text(plan, options);
  const platform::ProcessIdentity owner =
      plan.folder != nullptr ? platform::process_identity() : platform::ProcessIdentity{};
  void* const mapped = map(plan, owner);
  if (mapped == nullptr) return false;
  region_.store(reinterpret_cast<std::uintptr_t>(mapped), std::memory_order_release);
  shards_.open(at<void>(shards_at()), shard_count_, &at<StatsHeader>(0)->shards_elsewhere);
  at<StatsHeader>(0)->process_started = owner.started;
  at<StatsHeader>(0)->pid_namespace = owner.pid_namespace;
  fill(plan, {options.data(), length});
  return true;
}

// In a forked child it is the parent's page that has the text: the program may have changed the
// environment that the options' values are in. Only the text is read there, not its length.
std::size_t StatsPageWriter::options_text(const StatsPlan& plan,
                                          std::span<char, kStatsOptionsRoom> out) noexcept {
  if (!has_region()) return options_bytes_ = write_options(*plan.options, out.data(), out.size());
  std::memcpy(out.data(), at<char>(Places::kOptionsAt), options_bytes_);
  return options_bytes_;
}

bool StatsPageWriter::hide() noexcept {
  name_ = {};
  options_bytes_ = 0;  // children of this process find no text here
  shards_ = {};
  return platform::replace_by_private(reinterpret_cast<void*>(region()), bytes_);
}

std::size_t StatsPageWriter::shards_at() const noexcept {
  return Places::kSamplesAt + (has_samples_ ? Places::kSamplesBytes : 0);
}

void StatsPageWriter::lay_out(StatsHeader& header) const noexcept {
  header.process = Places::kProcessAt;
  header.control = Places::kControlAt;
  header.fields = {Places::kFieldsAt, kFields, sizeof(StatsField)};
  header.rows = {Places::kRowsAt, kSnapshotClasses, sizeof(StatsRow)};
  header.shards = {static_cast<std::uint32_t>(shards_at()), shard_count_, Places::kShardBytes};
  header.sizes = {Places::kSizesAt, kSnapshotClasses, sizeof(std::uint64_t)};
  header.stacks_at = kStatsStacksAt;
  header.stack_bytes = sizeof(StatsStack);
  if (!has_samples_) return;
  const auto place = [](std::size_t offset) {
    return static_cast<std::uint32_t>(Places::kSamplesAt + offset);
  };
  header.sampling = place(offsetof(StatsSamples, sampling));
  header.sampled_stacks = {place(offsetof(StatsSamples, stacks)), kStatsSampledStacks,
                           sizeof(StatsSampledStack)};
  header.sampled_buffers = {place(offsetof(StatsSamples, buffers)), kStatsSampledBuffers,
                            sizeof(StatsSampledBuffer)};
  header.sampled_sizes = {place(offsetof(StatsSamples, sizes)), kSnapshotClasses,
                          sizeof(StatsSampledSize)};
}

void StatsPageWriter::fill(const StatsPlan& plan, std::string_view options) noexcept {
  StatsHeader& header = *at<StatsHeader>(0);
  std::memcpy(header.magic, kStatsMagic, sizeof header.magic);
  header.major = kStatsMajor;
  header.minor = kStatsMinor;
  header.byte_order = kStatsByteOrder;
  header.header_bytes = sizeof(StatsHeader);
  header.page_bytes = static_cast<std::uint32_t>(bytes_);
  lay_out(header);
  header.caches = plan.caches;
  header.pid = platform::process_id();
  header.parent_pid = platform::parent_process_id();
  header.mode = static_cast<std::uint32_t>(plan.mode);
  const platform::ClockTimes now = platform::clock_times();
  header.started_ns = now.since_1970_ns;
  header.boot_ns = now.since_boot_ns;
  set_text(header.version, BUFPOOL_VERSION);
  set_text(header.command, plan.command);
  if (plan.folder != nullptr) {
    platform::read_control_group(header.control_group, sizeof header.control_group);
  }
  std::memcpy(at<void>(Places::kFieldsAt), &kDirectory, sizeof kDirectory);
  std::memcpy(at<char>(Places::kOptionsAt), options.data(), options.size());
  header.options = {Places::kOptionsAt, static_cast<std::uint32_t>(options.size()), 1};
}

void StatsPageWriter::settle(bool made) noexcept {
  if (made) {
    std::atomic_ref(at<StatsHeader>(0)->ready).store(kStatsReady, std::memory_order_release);
  }
  word_.load(std::memory_order_relaxed)
      ->state.store(made ? StatsState::kMade : StatsState::kWithout, std::memory_order_release);
}

StatsRow* StatsPageWriter::raw_row(std::uint32_t c) const noexcept {
  return at<StatsRow>(Places::kRowsAt) + c;
}

StatsProcess& StatsPageWriter::process() const noexcept {
  return *at<StatsProcess>(Places::kProcessAt);
}

bool StatsPageWriter::begin_process() noexcept {
  std::atomic_ref sequence(at<StatsHeader>(0)->sequence);
  std::uint32_t seen = sequence.load(std::memory_order_relaxed);
  return seen % 2 == 0 && sequence.compare_exchange_strong(seen, seen + 1);
}

void StatsPageWriter::end_process() noexcept {
  std::atomic_ref(at<StatsHeader>(0)->sequence).fetch_add(1, std::memory_order_release);
}

StatsPageWriter::Words StatsPageWriter::words() const noexcept {
  if (!is_made()) return {};
  return {.process = &process(),
          .control = at<StatsControl>(Places::kControlAt),
          .sizes = at<std::uint64_t>(Places::kSizesAt),
          .samples = has_samples_ ? at<StatsSamples>(Places::kSamplesAt) : nullptr};
}

void StatsPageWriter::remove_name() noexcept {
  if (is_made() && OwnerLock::process_is_entered()) platform::remove_file(name_);
}

}  // namespace bufpool
