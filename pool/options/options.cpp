// SPDX-License-Identifier: MIT
#include "pool/options/options.h"

#include <algorithm>
#include <array>
#include <limits>

#include "pool/options/bounded_text.h"
#include "pool/options/limits.h"
#include "pool/options/option_values.h"
#include "pool/options/option_writers.h"

namespace bufpool {
namespace {

constexpr std::string_view kPrefix = "BUFPOOL_";

// Returns the kind of a name. The compiler alone runs it, so a kind that kKindNames lacks does not
// compile.
consteval OptionKind kind_named(std::string_view name) {
  const KindName* kind = kKindNames.data();
  while (kind->name != name) ++kind;
  return kind->kind;
}

#define BUFPOOL_CHOICE(Type, member, NAME, default_value, sentence, ...) \
  constexpr ChoiceWords kWordsOf##Type{#__VA_ARGS__};
#include "pool/options/options.def"

constexpr std::array kRows{
#define BUFPOOL_OPTION(kind, member, NAME, default_value, lowest, highest, sentence) \
  OptionInfo{kind_named(#kind), NAME, default_value, lowest, highest, sentence},
#define BUFPOOL_CHOICE(Type, member, NAME, default_value, sentence, ...) \
  OptionInfo{OptionKind::kChoice, NAME, default_value, "", kWordsOf##Type.view(), sentence},
#include "pool/options/options.def"
};
static_assert(kRows.size() <= std::numeric_limits<decltype(Options::set_mask)>::digits);

// Returns the number of the row of that name, or kRows.size() if there is none.
constexpr std::size_t row_named(std::string_view name) noexcept {
  std::size_t row = 0;
  while (row < kRows.size() && kRows[row].name != name) ++row;
  return row;
}

// Returns whether the row has these bounds, in bytes.
constexpr bool has_bounds(std::string_view name, std::uint64_t least, std::uint64_t most) noexcept {
  const OptionInfo& row = kRows[row_named(name)];
  return in_range(least, row, kByteUnits) && !in_range(least - 1, row, kByteUnits) &&
         in_range(most, row, kByteUnits) && !in_range(most + 1, row, kByteUnits);
}
static_assert(has_bounds("MIN_SIZE", kMinSize, kMaxSize));
static_assert(has_bounds("MAX_SIZE", kMinSize, kMaxSize));
static_assert(has_bounds("CLASSES", kMinSize, kMaxSize));
static_assert(has_bounds("WARMUP", kMinSize, kMaxSize));
static_assert(has_bounds("CPU_CACHE", 64 << 10, kMostCpuCache));
static_assert(has_bounds("SAMPLE", kLeastSampled, kMaxSize));
static_assert(has_bounds("RETAIN_MAX", 0, kMostRetained));

constexpr std::size_t kMinSizeRow = row_named("MIN_SIZE");
constexpr std::size_t kMaxSizeRow = row_named("MAX_SIZE");

constexpr Verdict read_row(std::size_t index, std::string_view text, Options& options) noexcept {
  std::size_t row = 0;
#define BUFPOOL_OPTION(kind, member, ...) \
  if (row++ == index) return read_##kind(text, kRows[index], options.member);
#define BUFPOOL_CHOICE(Type, member, ...) BUFPOOL_OPTION(choice, member)
#include "pool/options/options.def"
  return Verdict::kBadValue;
}

void write_row(BoundedText& out, std::size_t index, const Options& options) noexcept {
  std::size_t row = 0;
#define BUFPOOL_OPTION(kind, member, ...) \
  if (row++ == index) write_##kind(out, kRows[index], options.member);
#define BUFPOOL_CHOICE(Type, member, ...) BUFPOOL_OPTION(choice, member)
#include "pool/options/options.def"
}

constexpr bool read_defaults(Options& options) noexcept {
  for (std::size_t row = 0; row < kRows.size(); ++row) {
    if (read_row(row, kRows[row].default_value, options) != Verdict::kGood) return false;
  }
  return options.min_size <= options.max_size;
}

struct Defaults {
  Options options;
  bool good = read_defaults(options);
};
constexpr Defaults kDefaults{};
static_assert(kDefaults.good, "options.def: a default is not a value of its row");

constexpr std::size_t longest_name() noexcept {
  std::size_t longest = 0;
  for (const OptionInfo& row : kRows) longest = std::max(longest, row.name.size());
  return longest;
}

// Returns how many insertions, deletions, replacements and swaps of neighbours turn `given` into
// `name`, which is a name of kRows. Letters of either case are alike.
std::size_t edit_distance(std::string_view given, std::string_view name) noexcept {
  using Line = std::array<std::size_t, longest_name() + 1>;
  Line before{};
  Line last{};
  Line line{};
  for (std::size_t j = 0; j <= name.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= given.size(); ++i) {
    line[0] = i;
    for (std::size_t j = 1; j <= name.size(); ++j) {
      const std::size_t replaced = same_letter(given[i - 1], name[j - 1]) ? 0 : 1;
      line[j] = std::min({last[j] + 1, line[j - 1] + 1, last[j - 1] + replaced});
      const bool swapped = i > 1 && j > 1 && same_letter(given[i - 1], name[j - 2]) &&
                           same_letter(given[i - 2], name[j - 1]);
      if (swapped) line[j] = std::min(line[j], before[j - 2] + 1);
    }
    before = last;
    last = line;
  }
  return last[name.size()];
}

// Returns the row whose name is nearest, or nullptr if none is near. A hint that is 4 steps off, or
// half the name, misleads more than it helps.
const OptionInfo* nearest_row(std::string_view given) noexcept {
  std::size_t limit = 4;
  const OptionInfo* nearest = nullptr;
  for (const OptionInfo& row : kRows) {
    // The lengths alone tell that it is too far off. The environment may hold very long names.
    const auto [shorter, longer] = std::minmax({given.size(), row.name.size()});
    if (longer - shorter >= limit) continue;
    const std::size_t distance = edit_distance(given, row.name);
    if (distance >= limit || 2 * distance >= given.size()) continue;
    limit = distance;
    nearest = &row;
  }
  return nearest;
}

struct Variable {
  std::string_view name;  // begins with BUFPOOL_; is empty if it is none of the library's
  std::string_view value;
};

Variable split(std::string_view entry) noexcept {
  const std::string_view name = first_part(entry, '=');
  if (!name.starts_with(kPrefix) || name.size() == entry.size()) return {};
  entry.remove_prefix(name.size() + 1);
  return {name, entry};
}

void complain(Complaints& complaints, const Complaint& complaint) noexcept {
  if (complaints.count < Complaints::kKept) complaints.kept[complaints.count] = complaint;
  ++complaints.count;
}

// Holds the first variable of each name. It counts as it does for getenv(), even where its value is
// bad.
using Given = std::array<Variable, kRows.size()>;

void take_variable(const Variable& variable, Given& given, Options& options,
                   Complaints& complaints) noexcept {
  using Kind = Complaint::Kind;
  std::string_view name = variable.name;
  name.remove_prefix(kPrefix.size());
  const std::size_t row = row_named(name);
  if (row == kRows.size()) {
    return complain(complaints,
                    {Kind::kUnknownName, variable.name, variable.value, nearest_row(name)});
  }
  if (!given[row].name.empty()) return;
  given[row] = variable;
  if (variable.value.empty()) return;
  const Verdict verdict = read_row(row, variable.value, options);
  if (verdict == Verdict::kGood) {
    options.set_mask |= std::uint64_t{1} << row;
    return;
  }
  const Kind kind = verdict == Verdict::kBadValue ? Kind::kBadValue : Kind::kOutOfRange;
  complain(complaints, {kind, variable.name, variable.value, &kRows[row]});
}

// Sets both limits to their defaults if they contradict each other: the one that was meant cannot
// be known.
void settle_range(const Given& given, Options& options, Complaints& complaints) noexcept {
  if (options.min_size <= options.max_size) return;
  options.min_size = kDefaults.options.min_size;
  options.max_size = kDefaults.options.max_size;
  options.set_mask &= ~(std::uint64_t{1} << kMinSizeRow | std::uint64_t{1} << kMaxSizeRow);
  const Variable& min_size = given[kMinSizeRow];
  complain(complaints, {Complaint::Kind::kOutOfRange,
                        min_size.name,
                        min_size.value,
                        &kRows[kMinSizeRow],
                        {},
                        given[kMaxSizeRow].name});
}
// MAX_SIZE alone cannot fall below the default of MIN_SIZE, so it is right to blame MIN_SIZE.
static_assert([] {
  std::uint64_t lowest_max = 0;
  return read_number(kRows[kMaxSizeRow].lowest, kByteUnits, lowest_max) == Verdict::kGood &&
         lowest_max >= kDefaults.options.min_size;
}());

// Returns what REPORT_EVERY lacks to be obeyed; empty if there is nothing.
std::string_view need_of_report_every(const Options& options) noexcept {
  const std::string_view report = options.report;
  if (same_word(report, "stderr") || same_word(report, "off")) return "a file in BUFPOOL_REPORT";
  if (options.report_format == ReportForm::kPrometheus) {
    return "BUFPOOL_REPORT_FORMAT=text or json";
  }
  if (options.trimmer == TrimmerChoice::kOff) return "BUFPOOL_TRIMMER=auto or on";
  return {};
}

// Complains of a variable that is not obeyed, as it lacks something.
void complain_of_need(std::size_t row, std::string_view needs, const Given& given, Options& options,
                      Complaints& complaints) noexcept {
  options.set_mask &= ~(std::uint64_t{1} << row);
  complain(complaints,
           {Complaint::Kind::kUnmet, given[row].name, given[row].value, &kRows[row], needs});
}

void settle_report_every(const Given& given, Options& options, Complaints& complaints) noexcept {
  if (options.report_every == 0) return;
  const std::string_view needs = need_of_report_every(options);
  if (needs.empty()) return;
  options.report_every = 0;
  complain_of_need(row_named("REPORT_EVERY"), needs, given, options, complaints);
}

// Samples are told on the statistics page only. Without one they would cost time for nothing.
void settle_sample(const Given& given, Options& options, Complaints& complaints) noexcept {
  if (options.sample == 0 || !same_word(options.stats, "off")) return;
  options.sample = 0;
  complain_of_need(row_named("SAMPLE"), "BUFPOOL_STATS=auto, on or a folder", given, options,
                   complaints);
}

}  // namespace

std::span<const OptionInfo> option_list() noexcept { return kRows; }

Options default_options() noexcept { return kDefaults.options; }

Options parse_options(const char* const* environment, Complaints& complaints) noexcept {
  Options options = default_options();
  Given given{};
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const Variable variable = split(*environment);
    if (!variable.name.empty()) take_variable(variable, given, options, complaints);
  }
  settle_range(given, options, complaints);
  settle_report_every(given, options, complaints);
  settle_sample(given, options, complaints);
  return options;
}

bool parse_bytes(std::string_view text, std::uint64_t& bytes) noexcept {
  return read_number(text, kByteUnits, bytes) == Verdict::kGood;
}

bool parse_duration(std::string_view text, std::uint64_t& milliseconds) noexcept {
  return read_number(text, kDurationUnits, milliseconds) == Verdict::kGood;
}

bool next_size(std::string_view& list, std::uint64_t& bytes) noexcept {
  return take_size(list, bytes) == Verdict::kGood;
}

bool next_warmup(std::string_view& list, std::uint64_t& bytes, std::uint64_t& count) noexcept {
  return take_warmup(list, bytes, count) == Verdict::kGood;
}

std::string_view effective_value(const Options& options, std::size_t index,
                                 std::span<char> out) noexcept {
  BoundedText text(out);
  write_row(text, index, options);
  return text.text();
}

}  // namespace bufpool
