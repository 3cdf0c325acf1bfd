// SPDX-License-Identifier: MIT
// Reads a value of each kind in options.def. Only options.cpp, option_complaints.cpp,
// option_writers.h and the tests include it.
//
// A new kind K is: an OptionKind and a BUFPOOL_OPTION_TYPE_K in options.h, a row of kKindNames,
// a read_K below, and a write_K in option_writers.h. Readers are constexpr, so that the compiler
// checks the defaults of options.def. They leave the value alone unless they return kGood.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "pool/options/options.h"

namespace bufpool {

enum class Verdict : std::uint8_t { kGood, kBadValue, kOutOfRange };

struct KindName {
  OptionKind kind;
  std::string_view name;    // as options.def spells it
  std::string_view wanted;  // stands behind "not " in a complaint
};

inline constexpr std::array kKindNames{
    KindName{OptionKind::kFlag, "flag", "a flag (0 or 1, true or false, yes or no, on or off)"},
    KindName{OptionKind::kCount, "count", "a plain number (such as 100)"},
    KindName{OptionKind::kAutoCount, "autocount", "auto or a plain number (such as 100)"},
    KindName{OptionKind::kBytes, "bytes", "a size (such as 64M or 1G)"},
    KindName{OptionKind::kAutoBytes, "autobytes", "auto or a size (such as 64M or 1G)"},
    KindName{OptionKind::kOffBytes, "offbytes", "off or a size (such as 512K or 4M)"},
    KindName{OptionKind::kShare, "share", "auto, a size or a percentage (such as 64M or 25%)"},
    KindName{OptionKind::kDuration, "duration", "a duration (such as 500ms, 10s, 5m or 1h)"},
    KindName{OptionKind::kChoice, "choice", "one of "},  // the words of the row follow
    KindName{OptionKind::kSizes, "sizes", "a list of sizes (such as 4K,16K,64K)"},
    KindName{OptionKind::kWarmup, "warmup", "a list of SIZE:COUNT (such as 64K:100,1M:8)"},
    KindName{OptionKind::kNames, "names", "a list of names (such as redis-*,php?)"},
    KindName{OptionKind::kPlace, "place", "auto, on, off or the full path of a folder"},
    KindName{OptionKind::kText, "text", "stderr, off or a file name (words in it: %p, %c, %t, %%)"},
};

// Names a unit. A value is written in the first unit of a list that divides it, and zero in the
// last one.
struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

inline constexpr std::array kPlainUnits{Unit{"", 1}};
inline constexpr std::array kPercentUnits{Unit{"%", 1}};
inline constexpr std::array kByteUnits{
    Unit{"T", 1UL << 40},  Unit{"TiB", 1UL << 40}, Unit{"G", 1U << 30},
    Unit{"GiB", 1U << 30}, Unit{"M", 1U << 20},    Unit{"MiB", 1U << 20},
    Unit{"K", 1U << 10},   Unit{"KiB", 1U << 10},  Unit{"", 1},
};
inline constexpr std::array kDurationUnits{Unit{"h", 3'600'000}, Unit{"m", 60'000},
                                           Unit{"s", 1'000}, Unit{"ms", 1}, Unit{"", 1}};

inline constexpr std::string_view kAuto = "auto";
inline constexpr std::string_view kOff = "off";
inline constexpr std::uint64_t kMostPercent = 100;
inline constexpr std::uint64_t kMostWarmed = 1U << 20;

// Returns the letter in lower case. libc's tolower() asks the locale, so it does not serve.
constexpr char lower(char character) noexcept {
  const bool upper = character >= 'A' && character <= 'Z';
  return upper ? static_cast<char>(character - 'A' + 'a') : character;
}

// Returns whether two letters are the same in any case.
constexpr bool same_letter(char left, char right) noexcept { return lower(left) == lower(right); }

// Returns whether two words are the same in any case.
constexpr bool same_word(std::string_view left, std::string_view right) noexcept {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), same_letter);
}

// Returns the text in front of the first separator. It does without substr(), which can throw.
constexpr std::string_view first_part(std::string_view text, char separator) noexcept {
  return {text.data(), std::min(text.find(separator), text.size())};
}

// Returns the factor of a unit, or 0 if there is no such unit. It returns no pointer, as g++ 12
// with -fsanitize=undefined cannot compare one to null at compile time.
constexpr std::uint64_t unit_factor(std::span<const Unit> units, std::string_view name) noexcept {
  for (const Unit& unit : units) {
    if (same_word(unit.name, name)) return unit.factor;
  }
  return 0;
}

// Reads a number with one of the units behind it.
constexpr Verdict read_number(std::string_view text, std::span<const Unit> units,
                              std::uint64_t& value) noexcept {
  std::uint64_t number = 0;
  bool fits = true;
  std::size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    const auto digit = static_cast<std::uint64_t>(text[digits] - '0');
    fits = fits && !__builtin_mul_overflow(number, 10U, &number) &&
           !__builtin_add_overflow(number, digit, &number);
  }
  if (digits == 0) return Verdict::kBadValue;
  text.remove_prefix(digits);
  const std::uint64_t factor = unit_factor(units, text);
  if (factor == 0) return Verdict::kBadValue;
  if (!fits || __builtin_mul_overflow(number, factor, &number)) return Verdict::kOutOfRange;
  value = number;
  return Verdict::kGood;
}

// Returns whether a value lies within the bounds of the row. An empty bound is none. One that
// cannot be read lets nothing through, so that a slip in options.def fails with the row's default,
// at compile time.
constexpr bool in_range(std::uint64_t value, const OptionInfo& row,
                        std::span<const Unit> units) noexcept {
  std::uint64_t lowest = 0;
  std::uint64_t highest = std::numeric_limits<std::uint64_t>::max();
  for (const auto& [text, bound] : {std::pair{row.lowest, &lowest}, {row.highest, &highest}}) {
    if (!text.empty() && read_number(text, units, *bound) != Verdict::kGood) return false;
  }
  return lowest <= value && value <= highest;
}

// Reads a number that lies within the bounds of the row.
constexpr Verdict read_ranged(std::string_view text, const OptionInfo& row,
                              std::span<const Unit> units, std::uint64_t& value) noexcept {
  std::uint64_t number = 0;
  const Verdict verdict = read_number(text, units, number);
  if (verdict != Verdict::kGood) return verdict;
  if (!in_range(number, row, units)) return Verdict::kOutOfRange;
  value = number;
  return Verdict::kGood;
}

// Reads one of the words for on and off.
constexpr Verdict read_flag(std::string_view text, const OptionInfo& /*row*/,
                            bool& value) noexcept {
  constexpr std::array<std::string_view, 4> kYesWords{"1", "true", "yes", "on"};
  constexpr std::array<std::string_view, 4> kNoWords{"0", "false", "no", "off"};
  const auto matches = [text](std::string_view word) { return same_word(text, word); };
  const bool on = std::any_of(kYesWords.begin(), kYesWords.end(), matches);
  if (!on && std::none_of(kNoWords.begin(), kNoWords.end(), matches)) return Verdict::kBadValue;
  value = on;
  return Verdict::kGood;
}

// Reads a plain number.
constexpr Verdict read_count(std::string_view text, const OptionInfo& row,
                             std::uint64_t& value) noexcept {
  return read_ranged(text, row, kPlainUnits, value);
}

// Reads a plain number or auto.
constexpr Verdict read_autocount(std::string_view text, const OptionInfo& row,
                                 std::optional<std::uint64_t>& value) noexcept {
  std::uint64_t number = 0;
  const bool is_auto = same_word(text, kAuto);
  const Verdict verdict = is_auto ? Verdict::kGood : read_count(text, row, number);
  if (verdict != Verdict::kGood) return verdict;
  value.reset();
  if (!is_auto) value = number;
  return Verdict::kGood;
}

// Reads a size.
constexpr Verdict read_bytes(std::string_view text, const OptionInfo& row,
                             std::uint64_t& value) noexcept {
  return read_ranged(text, row, kByteUnits, value);
}

// Reads a size, or auto, which becomes 0. Pre: the row's lowest is not 0.
constexpr Verdict read_autobytes(std::string_view text, const OptionInfo& row,
                                 std::uint64_t& value) noexcept {
  if (!same_word(text, kAuto)) return read_ranged(text, row, kByteUnits, value);
  value = 0;
  return Verdict::kGood;
}

// Reads a size, or off or 0, which become 0. Pre: the row's lowest is not 0.
constexpr Verdict read_offbytes(std::string_view text, const OptionInfo& row,
                                std::uint64_t& value) noexcept {
  if (!same_word(text, kOff) && text != "0") return read_ranged(text, row, kByteUnits, value);
  value = 0;
  return Verdict::kGood;
}

// Reads a percentage of kMostPercent at most.
constexpr Verdict read_percent(std::string_view text, std::uint64_t& value) noexcept {
  std::uint64_t number = 0;
  const Verdict verdict = read_number(text, kPercentUnits, number);
  if (verdict != Verdict::kGood) return verdict;
  if (number > kMostPercent) return Verdict::kOutOfRange;
  value = number;
  return Verdict::kGood;
}

// Reads a size, a percentage or auto.
constexpr Verdict read_share(std::string_view text, const OptionInfo& row, Share& value) noexcept {
  if (same_word(text, kAuto)) {
    value = {};
    return Verdict::kGood;
  }
  const bool percent = text.ends_with('%');
  std::uint64_t number = 0;
  const Verdict verdict =
      percent ? read_percent(text, number) : read_ranged(text, row, kByteUnits, number);
  if (verdict != Verdict::kGood) return verdict;
  value = percent && number > 0 ? Share{0, static_cast<std::uint32_t>(number)}
                                : Share{std::max(number, kNothingKept), 0};
  return Verdict::kGood;
}

// Reads a duration in milliseconds.
constexpr Verdict read_duration(std::string_view text, const OptionInfo& row,
                                std::uint64_t& value) noexcept {
  return read_ranged(text, row, kDurationUnits, value);
}

// Holds the words of a choice, separated by |. They are made of its enumerators: "kAuto, kRseq"
// becomes "auto|rseq".
template <std::size_t kSize>
struct ChoiceWords {
  std::array<char, kSize> text{};
  std::size_t size = 0;

  // Makes the words. Pre: `enumerators` is a list such as "kAuto, kRseq".
  consteval explicit ChoiceWords(const char (&enumerators)[kSize]) {
    bool begins = true;
    for (const char character : std::string_view(enumerators)) {
      const bool prefix = begins && character == 'k';
      begins = character == ',' || character == ' ';
      if (character != ' ' && !prefix) text[size++] = character == ',' ? '|' : lower(character);
    }
  }

  // Returns the words.
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {text.data(), size}; }
};

// Takes the next word off the front of a list such as "auto|rseq|locked". Returns an empty word at
// its end.
constexpr std::string_view next_word(std::string_view& words) noexcept {
  const std::string_view word = first_part(words, '|');
  words.remove_prefix(std::min(word.size() + 1, words.size()));
  return word;
}

// Reads one of the words in the row.
template <typename Choice>
constexpr Verdict read_choice(std::string_view text, const OptionInfo& row,
                              Choice& value) noexcept {
  std::string_view words = row.highest;
  for (std::uint32_t index = 0; !words.empty(); ++index) {
    if (!same_word(next_word(words), text)) continue;
    value = Choice{index};
    return Verdict::kGood;
  }
  return Verdict::kBadValue;
}

// Takes an element of `length` characters off the front of a list. A last comma stays in the list,
// so that the next call still sees the empty element behind it.
constexpr void drop_element(std::string_view& list, std::size_t length) noexcept {
  list.remove_prefix(length + (length + 1 < list.size() ? 1 : 0));
}

// Takes the first size off a list.
constexpr Verdict take_size(std::string_view& list, std::uint64_t& bytes) noexcept {
  const std::string_view element = first_part(list, ',');
  const Verdict verdict = read_number(element, kByteUnits, bytes);
  if (verdict == Verdict::kGood) drop_element(list, element.size());
  return verdict;
}

// Takes the first pair off a list, or nothing if the pair is not a good one.
constexpr Verdict take_warmup(std::string_view& list, std::uint64_t& bytes,
                              std::uint64_t& count) noexcept {
  const std::string_view element = first_part(list, ',');
  const std::string_view size = first_part(element, ':');
  std::string_view times = element;
  times.remove_prefix(std::min(size.size() + 1, element.size()));
  std::uint64_t size_read = 0;
  std::uint64_t times_read = 0;
  const Verdict of_size = read_number(size, kByteUnits, size_read);
  const Verdict of_times = read_number(times, kPlainUnits, times_read);
  if (of_size == Verdict::kBadValue || of_times == Verdict::kBadValue) return Verdict::kBadValue;
  if (of_size != Verdict::kGood || of_times != Verdict::kGood) return Verdict::kOutOfRange;
  if (times_read < 1 || times_read > kMostWarmed) return Verdict::kOutOfRange;
  bytes = size_read;
  count = times_read;
  drop_element(list, element.size());
  return Verdict::kGood;
}

// Reads a list of sizes, which is kept as text.
constexpr Verdict read_sizes(std::string_view text, const OptionInfo& row,
                             std::string_view& value) noexcept {
  for (std::string_view list = text; !list.empty();) {
    std::uint64_t bytes = 0;
    const Verdict verdict = take_size(list, bytes);
    if (verdict != Verdict::kGood) return verdict;
    if (!in_range(bytes, row, kByteUnits)) return Verdict::kOutOfRange;
  }
  value = text;
  return Verdict::kGood;
}

// Reads a list of pairs, which is kept as text.
constexpr Verdict read_warmup(std::string_view text, const OptionInfo& row,
                              std::string_view& value) noexcept {
  for (std::string_view list = text; !list.empty();) {
    std::uint64_t bytes = 0;
    std::uint64_t count = 0;
    const Verdict verdict = take_warmup(list, bytes, count);
    if (verdict != Verdict::kGood) return verdict;
    if (!in_range(bytes, row, kByteUnits)) return Verdict::kOutOfRange;
  }
  value = text;
  return Verdict::kGood;
}

// Reads a list of names, which is kept as text. A slash is in no name, and brackets have no
// meaning.
constexpr Verdict read_names(std::string_view text, const OptionInfo& /*row*/,
                             std::string_view& value) noexcept {
  for (std::string_view list = text; !list.empty();) {
    const std::string_view name = first_part(list, ',');
    if (name.empty() || name.find_first_of("[]/") != std::string_view::npos) {
      return Verdict::kBadValue;
    }
    drop_element(list, name.size());
  }
  value = text;
  return Verdict::kGood;
}

// Returns whether only words that report_target() knows follow percent signs.
constexpr bool has_good_percents(std::string_view text) noexcept {
  constexpr std::string_view kWords = "pct%";
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') continue;
    if (++i == text.size() || kWords.find(text[i]) == std::string_view::npos) return false;
  }
  return true;
}

// Reads auto, on, off or a full path, which is kept as text. Programs change their working
// directory, so no other path stays the same.
constexpr Verdict read_place(std::string_view text, const OptionInfo& /*row*/,
                             std::string_view& value) noexcept {
  for (const std::string_view word : {"auto", "on", "off"}) {
    if (!same_word(text, word)) continue;
    value = word;
    return Verdict::kGood;
  }
  if (!text.starts_with('/')) return Verdict::kBadValue;
  value = text;
  return Verdict::kGood;
}

// Reads a text. The word stdout is no value: nothing of the library's goes there, and a user who
// writes it does not mean a file of that name.
constexpr Verdict read_text(std::string_view text, const OptionInfo& /*row*/,
                            std::string_view& value) noexcept {
  if (same_word(text, "stdout") || !has_good_percents(text)) return Verdict::kBadValue;
  value = text;
  return Verdict::kGood;
}

}  // namespace bufpool
