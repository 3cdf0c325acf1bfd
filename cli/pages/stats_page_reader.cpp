// SPDX-License-Identifier: MIT
#include "cli/pages/stats_page_reader.h"

#include <algorithm>
#include <cstring>

#include "cli/pages/page_bytes.h"

namespace bufpool {
namespace {

using page::Bytes;
using page::is_inside;
using page::is_sound;
using page::record_at;

template <std::size_t size>
std::string_view text_of(const char (&text)[size]) noexcept {
  return {text, ::strnlen(text, size)};
}

// Text of a process that may be hostile goes to a terminal: what is no printable ASCII is a ?.
std::string printable(std::string_view text) {
  std::string clean(text);
  std::replace_if(
      clean.begin(), clean.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return clean;
}

std::string_view cut(std::string_view& text, char end) noexcept {
  const std::size_t at = std::min(text.find(end), text.size());
  const std::string_view first = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return first;
}

std::vector<std::byte> copy_of(Bytes bytes, std::uint64_t at, std::uint64_t length) {
  const Bytes part = bytes.subspan(at, length);
  return {part.begin(), part.end()};
}

// A stack that is being opened has a top and no bottom yet. If its top was read before that, it has
// a bottom and no top. It holds nothing then.
std::uint64_t depth_of(const StatsStack& stack) noexcept {
  const std::uint64_t top = stack.header & kStatsTopMask;
  return stack.bottom != 0 && top > stack.bottom ? top - stack.bottom : 0;
}

// The header of an earlier version is shorter. What it lacks is 0.
StatsHeader header_of(Bytes bytes) noexcept {
  StatsHeader header{};
  std::memcpy(&header, bytes.data(), kStatsLeastHeader);
  const std::size_t length =
      std::min<std::size_t>({header.header_bytes, sizeof header, bytes.size()});
  if (length > kStatsLeastHeader) std::memcpy(&header, bytes.data(), length);
  return header;
}

StatsPageFault fault_in_front(Bytes bytes) noexcept {
  if (bytes.size() < sizeof kStatsMagic) return StatsPageFault::kCutShort;
  if (std::memcmp(bytes.data(), kStatsMagic, sizeof kStatsMagic) != 0) {
    return StatsPageFault::kNotAPage;
  }
  if (bytes.size() < kStatsLeastHeader) return StatsPageFault::kCutShort;
  const StatsHeader header = header_of(bytes);
  if (header.ready != kStatsReady) return StatsPageFault::kNotReady;
  if (header.byte_order != kStatsByteOrder) return StatsPageFault::kOtherByteOrder;
  if (header.major != kStatsMajor) return StatsPageFault::kOtherVersion;
  if (header.header_bytes < kStatsLeastHeader) return StatsPageFault::kWildOffset;
  if (header.page_bytes < header.header_bytes) return StatsPageFault::kWildOffset;
  return bytes.size() < header.page_bytes ? StatsPageFault::kCutShort : StatsPageFault::kNone;
}

}  // namespace

std::string_view describe(StatsPageFault fault) noexcept {
  switch (fault) {
    case StatsPageFault::kNone:
      return "it is a statistics page";
    case StatsPageFault::kNotAPage:
      return "it is no statistics page";
    case StatsPageFault::kOtherByteOrder:
      return "it was written on a machine of another byte order";
    case StatsPageFault::kOtherVersion:
      return "it was written by another major version of bufpool";
    case StatsPageFault::kNotReady:
      return "the process had not finished it";
    case StatsPageFault::kCutShort:
      return "it is cut short";
    case StatsPageFault::kWildOffset:
      return "it is damaged: a part of it would lie outside of it";
  }
  return "it cannot be read";
}

std::optional<StatsPage> StatsPage::parse(Bytes bytes, StatsPageFault& fault, PageParts parts) {
  fault = fault_in_front(bytes);
  if (fault != StatsPageFault::kNone) return std::nullopt;
  StatsPage page;
  page.header_ = header_of(bytes);
  if (page.copy_areas(bytes.first(page.header_.page_bytes), parts)) return page;
  fault = StatsPageFault::kWildOffset;
  return std::nullopt;
}

bool StatsPage::copy_areas(Bytes bytes, PageParts parts) {
  const StatsArea& text = header_.options;
  if (!is_inside(bytes, header_.control, sizeof(StatsControl)) || !is_sound(bytes, text, 1) ||
      !copy_fields(bytes) || !copy_stacks(bytes) || !copy_sizes(bytes)) {
    return false;
  }
  if (parts == PageParts::kFiguresAndSamples && !read_samples(bytes, header_, samples_)) {
    return false;
  }
  control_ = record_at<StatsControl>(bytes, header_.control);
  const std::vector<std::byte> options =
      copy_of(bytes, text.at, std::uint64_t{text.count} * text.stride);
  read_options({reinterpret_cast<const char*>(options.data()), options.size()});
  return true;
}

bool StatsPage::copy_fields(Bytes bytes) {
  const StatsArea& fields = header_.fields;
  const StatsArea& rows = header_.rows;
  const std::size_t least_row = offsetof(StatsRow, roomy) + sizeof(std::uint64_t);
  if (!is_sound(bytes, fields, sizeof(StatsField)) || !is_sound(bytes, rows, least_row) ||
      !is_inside(bytes, header_.process, sizeof(std::uint64_t))) {
    return false;
  }
  for (std::uint32_t i = 0; i < fields.count; ++i) {
    fields_.push_back(record_at<StatsField>(bytes, fields.at + std::size_t{i} * fields.stride));
  }
  const std::uint64_t row_bytes = std::uint64_t{rows.count} * rows.stride;
  rows_ = copy_of(bytes, rows.at, row_bytes);
  std::size_t process_bytes = sizeof(std::uint64_t);
  for (const StatsField& field : fields_) {
    if (field.scope == StatsScope::kProcess)
      process_bytes = std::max(process_bytes, field.at + sizeof(std::uint64_t));
  }
  if (!is_inside(bytes, header_.process, process_bytes)) return false;
  process_ = copy_of(bytes, header_.process, process_bytes);
  torn_ = header_.sequence % 2 != 0;
  for (std::uint32_t c = 0; c < rows.count; ++c) {
    const std::size_t at = std::size_t{c} * rows.stride + offsetof(StatsRow, sequence);
    torn_ |= record_at<std::uint32_t>(rows_, at) % 2 != 0;
  }
  return are_fields_sound();
}

bool StatsPage::are_fields_sound() const noexcept {
  const auto is_word = [&](std::uint32_t at) {
    return header_.rows.count > 0 &&
           at + std::uint64_t{sizeof(std::uint64_t)} <= header_.rows.stride;
  };
  const auto is_field = [&](std::uint8_t number) {
    return number == 0 ||
           (number <= fields_.size() && fields_[number - 1U].scope == StatsScope::kClass);
  };
  return std::all_of(fields_.begin(), fields_.end(), [&](const StatsField& field) {
    if (field.scope == StatsScope::kProcess) return true;
    return field.scope == StatsScope::kClass && is_word(field.at) && is_word(field.less_at) &&
           is_field(field.at_least) && is_field(field.at_most);
  });
}

// A page of an earlier version has no such area, and 0 in its place.
bool StatsPage::copy_sizes(Bytes bytes) {
  const StatsArea& area = header_.sizes;
  if (area.count == 0) return true;
  if (!is_sound(bytes, area, sizeof(std::uint64_t))) return false;
  for (std::uint32_t i = 0; i < area.count; ++i) {
    sizes_.push_back(record_at<std::uint64_t>(bytes, area.at + std::size_t{i} * area.stride));
  }
  return true;
}

bool StatsPage::copy_stacks(Bytes bytes) {
  const StatsArea& shards = header_.shards;
  const std::uint64_t least =
      header_.stacks_at + std::uint64_t{header_.stack_bytes} * header_.rows.count;
  if (header_.stack_bytes < sizeof(StatsStack) || least > bytes.size() ||
      !is_sound(bytes, shards, least)) {
    return false;
  }
  stacks_.resize(header_.rows.count);
  for (std::uint32_t shard = 0; shard < shards.count; ++shard) {
    for (std::uint32_t c = 0; c < header_.rows.count; ++c) {
      const std::size_t at =
          shards.at + std::size_t{shard} * shards.stride + std::size_t{header_.stacks_at};
      const auto stack = record_at<StatsStack>(bytes, at + std::size_t{c} * header_.stack_bytes);
      stacks_[c].hits += stack.header >> kStatsHitsShift;
      stacks_[c].depth += depth_of(stack);
      stacks_[c].moved += stack.moved;
      stacks_[c].asked += stack.asked;
    }
  }
  return true;
}

void StatsPage::read_options(std::string_view text) {
  text = text.substr(0, std::min(text.find('\0'), text.size()));
  while (!text.empty()) {
    std::string_view line = cut(text, '\n');
    const std::string_view name = cut(line, '\t');
    const std::string_view source = cut(line, '\t');
    options_.push_back({printable(name), printable(source), printable(line)});
  }
}

std::string StatsPage::version() const { return printable(text_of(header_.version)); }
std::string StatsPage::command() const { return printable(text_of(header_.command)); }
std::string StatsPage::control_group() const { return printable(text_of(header_.control_group)); }
std::string_view StatsPage::name_of(const StatsField& field) noexcept {
  return text_of(field.name);
}
std::string_view StatsPage::unit_of(const StatsField& field) noexcept {
  return text_of(field.unit);
}

const StatsField* StatsPage::find(StatsScope scope, std::string_view name) const noexcept {
  const auto found = std::find_if(fields_.begin(), fields_.end(), [&](const StatsField& field) {
    return field.scope == scope && name_of(field) == name;
  });
  return found == fields_.end() ? nullptr : &*found;
}

std::uint64_t StatsPage::word(std::uint32_t c, std::uint32_t at) const noexcept {
  return record_at<std::uint64_t>(rows_, std::size_t{c} * header_.rows.stride + at);
}

std::uint64_t StatsPage::buffer_bytes(std::uint32_t c) const noexcept {
  return word(c, offsetof(StatsRow, buffer_bytes));
}

std::uint64_t StatsPage::looked_ns() const noexcept {
  return record_at<std::uint64_t>(process_, offsetof(StatsProcess, looked_ns));
}

std::uint64_t StatsPage::value(const StatsField& field) const noexcept {
  return record_at<std::uint64_t>(process_, field.at);
}

std::uint64_t StatsPage::own_value(const StatsField& field, std::uint32_t c) const noexcept {
  const auto times = [](std::int8_t factor, std::uint64_t value) {
    return static_cast<std::uint64_t>(std::int64_t{factor}) * value;
  };
  const Stacks& stacks = stacks_[c];
  std::uint64_t sum = word(c, field.at);
  if (field.less_at != 0) sum -= word(c, field.less_at);
  const std::uint64_t unit = field.by_stride != 0 ? word(c, offsetof(StatsRow, stride_bytes)) : 1;
  sum += unit * (times(field.per_hit, stacks.hits) + times(field.per_depth, stacks.depth) +
                 times(field.per_moved, stacks.moved));
  return sum + times(field.per_asked, stacks.asked);
}

const StatsField* StatsPage::numbered(std::uint8_t number_and_one) const noexcept {
  return number_and_one == 0 ? nullptr : &fields_[number_and_one - 1U];
}

std::uint64_t StatsPage::value(const StatsField& field, std::uint32_t c) const noexcept {
  std::uint64_t value = own_value(field, c);
  if (const StatsField* const least = numbered(field.at_least)) {
    value = std::max(value, own_value(*least, c));
  }
  if (const StatsField* const most = numbered(field.at_most)) {
    value = std::min(value, own_value(*most, c));
  }
  return value;
}

Snapshot StatsPage::snapshot() const noexcept {
  Snapshot out{};
  out.size = sizeof(Snapshot);
  out.version = kSnapshotVersion;
  out.mode = header_.mode <= static_cast<std::uint32_t>(PoolMode::kLocked)
                 ? static_cast<PoolMode>(header_.mode)
                 : PoolMode::kPassThrough;
  out.pid = header_.pid;
#define BUFPOOL_PROCESS_COUNTER(name, unit, kind, sentence) \
  if (const StatsField* const field = find(StatsScope::kProcess, #name)) out.name = value(*field);
#include "pool/telemetry/counters.def"
  const auto count = std::min<std::uint32_t>(class_count(), kSnapshotClasses);
  for (std::uint32_t c = 0; c < count; ++c) {
    ClassSnapshot& row = out.classes[c];
    row.buffer_bytes = buffer_bytes(c);
#define BUFPOOL_CLASS_COUNTER(name, unit, kind, sentence) \
  if (const StatsField* const field = find(StatsScope::kClass, #name)) row.name = value(*field, c);
#include "pool/telemetry/counters.def"
  }
  std::copy_n(sizes_.begin(), std::min(sizes_.size(), out.sizes.size()), out.sizes.begin());
  return out;
}

}  // namespace bufpool
