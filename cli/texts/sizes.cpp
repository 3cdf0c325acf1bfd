// SPDX-License-Identifier: MIT
#include "cli/texts/sizes.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>

#include "cli/formatted.h"
#include "report/figures.h"
#include "report/units.h"

namespace bufpool {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t worth;
};

constexpr std::array kSizeUnits{
    Unit{"", 1},
    Unit{"b", 1},
    Unit{"k", std::uint64_t{1} << 10},
    Unit{"m", std::uint64_t{1} << 20},
    Unit{"g", std::uint64_t{1} << 30},
    Unit{"t", std::uint64_t{1} << 40},
};
constexpr std::array kTimeUnits{
    Unit{"ms", 1}, Unit{"", 1000}, Unit{"s", 1000}, Unit{"m", 60'000}, Unit{"h", 3'600'000},
};

std::string in_small_letters(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Reads a decimal number and a unit behind it.
template <std::size_t count>
bool parse_with_unit(std::string_view text, const std::array<Unit, count>& units,
                     std::uint64_t& value) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || number < 0) return false;
  std::string unit = in_small_letters({end, text.data() + text.size()});
  if (unit.size() == 3 && unit.ends_with("ib")) unit.resize(1);
  const auto found = std::find_if(units.begin(), units.end(),
                                  [&](const Unit& known) { return known.name == unit; });
  if (found == units.end()) return false;
  const double product = number * static_cast<double>(found->worth);
  constexpr double kMost = 9e18;
  if (!(product < kMost)) return false;
  value = static_cast<std::uint64_t>(std::llround(product));
  return true;
}

// One decimal where the number is below 100 and has a unit.
std::string with_unit(std::uint64_t value, std::uint64_t step, std::string_view letters) {
  if (value < step) return std::to_string(value);
  double number = static_cast<double>(value);
  std::size_t unit = 0;
  for (; number >= static_cast<double>(step) && unit < letters.size(); ++unit) {
    number /= static_cast<double>(step);
  }
  constexpr double kShort = 99.95;
  return number < kShort ? formatted("{:.1f}{}", number, letters[unit - 1])
                         : formatted("{:.0f}{}", number, letters[unit - 1]);
}

}  // namespace

bool parse_number(std::string_view text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

bool parse_flag(std::string_view text, bool& is_on) {
  constexpr std::array<std::string_view, 4> kOn{"1", "true", "yes", "on"};
  constexpr std::array<std::string_view, 4> kOff{"0", "false", "no", "off"};
  const std::string word = in_small_letters(std::string(text));
  is_on = std::find(kOn.begin(), kOn.end(), word) != kOn.end();
  return is_on || std::find(kOff.begin(), kOff.end(), word) != kOff.end();
}

bool parse_size(std::string_view text, std::uint64_t& bytes) {
  return parse_with_unit(text, kSizeUnits, bytes);
}

bool parse_duration(std::string_view text, std::uint64_t& milliseconds) {
  return parse_with_unit(text, kTimeUnits, milliseconds);
}

std::string size_text(std::uint64_t bytes) { return std::string(option_bytes(bytes).view()); }

std::string duration_text(std::uint64_t milliseconds) {
  if (milliseconds % 1000 != 0) return formatted("{}ms", milliseconds);
  return formatted("{}s", milliseconds / 1000);
}

std::string short_bytes(std::uint64_t bytes) { return with_unit(bytes, 1024, "KMGTPE"); }

std::string short_count(std::uint64_t count) { return with_unit(count, 1000, "kMGTPE"); }

std::string short_time(std::uint64_t milliseconds) {
  const std::uint64_t seconds = milliseconds / 1000;
  const std::uint64_t minutes = seconds / 60;
  const std::uint64_t hours = minutes / 60;
  if (minutes == 0) return formatted("{}s", seconds);
  if (hours == 0) return formatted("{}m{:02}s", minutes, seconds % 60);
  if (hours < 48) return formatted("{}h{:02}m", hours, minutes % 60);
  return formatted("{}d{:02}h", hours / 24, hours % 24);
}

std::string percent_text(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "-";
  const std::uint64_t points = basis_points(part, whole);
  return formatted("{}.{}", points / 100, points % 100 / 10);
}

}  // namespace bufpool
