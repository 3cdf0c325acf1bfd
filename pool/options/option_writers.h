// SPDX-License-Identifier: MIT
// How a value of each kind in options.def is written. Only options.cpp, option_complaints.cpp and
// the tests include it. Writers add to the text.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "pool/options/bounded_text.h"
#include "pool/options/option_values.h"
#include "pool/options/options.h"

namespace bufpool {

// Adds a number with the largest unit that divides it.
inline void write_number(BoundedText& out, std::uint64_t value,
                         std::span<const Unit> units) noexcept {
  const auto exact = [value](const Unit& unit) {
    return value >= unit.factor && value % unit.factor == 0;
  };
  const auto found = std::find_if(units.begin(), units.end() - 1, exact);
  out.add(value / found->factor);
  out.add(found->name);
}

// Adds 1 or 0.
inline void write_flag(BoundedText& out, const OptionInfo& /*row*/, bool value) noexcept {
  out.add(value ? '1' : '0');
}

// Adds a plain number.
inline void write_count(BoundedText& out, const OptionInfo& /*row*/, std::uint64_t value) noexcept {
  out.add(value);
}

// Adds a plain number or auto.
inline void write_autocount(BoundedText& out, const OptionInfo& /*row*/,
                            const std::optional<std::uint64_t>& value) noexcept {
  if (!value) return out.add(kAuto);
  out.add(*value);
}

// Adds a size.
inline void write_bytes(BoundedText& out, const OptionInfo& /*row*/, std::uint64_t value) noexcept {
  write_number(out, value, kByteUnits);
}

// Adds a size or auto.
inline void write_autobytes(BoundedText& out, const OptionInfo& row, std::uint64_t value) noexcept {
  if (value == 0) return out.add(kAuto);
  write_bytes(out, row, value);
}

// Adds a size or off.
inline void write_offbytes(BoundedText& out, const OptionInfo& row, std::uint64_t value) noexcept {
  if (value == 0) return out.add(kOff);
  write_bytes(out, row, value);
}

// Adds a size, a percentage or auto.
inline void write_share(BoundedText& out, const OptionInfo& row, const Share& value) noexcept {
  if (value.percent != 0) return write_number(out, value.percent, kPercentUnits);
  if (value.bytes == 0) return out.add(kAuto);
  write_bytes(out, row, as_set(value.bytes));
}

// Adds a duration.
inline void write_duration(BoundedText& out, const OptionInfo& /*row*/,
                           std::uint64_t value) noexcept {
  write_number(out, value, kDurationUnits);
}

// Adds the word of the choice.
template <typename Choice>
void write_choice(BoundedText& out, const OptionInfo& row, Choice value) noexcept {
  std::string_view words = row.highest;
  for (auto left = static_cast<std::uint32_t>(value); left > 0; --left)
    static_cast<void>(next_word(words));
  out.add(next_word(words));
}

// Adds the text as it was given.
inline void write_text(BoundedText& out, const OptionInfo& /*row*/,
                       std::string_view value) noexcept {
  out.add(value);
}

// Adds the list as it was given.
inline void write_sizes(BoundedText& out, const OptionInfo& row, std::string_view value) noexcept {
  write_text(out, row, value);
}

// Adds the list as it was given.
inline void write_warmup(BoundedText& out, const OptionInfo& row, std::string_view value) noexcept {
  write_text(out, row, value);
}

// Adds the list as it was given.
inline void write_names(BoundedText& out, const OptionInfo& row, std::string_view value) noexcept {
  write_text(out, row, value);
}

// Adds the word or the path.
inline void write_place(BoundedText& out, const OptionInfo& row, std::string_view value) noexcept {
  write_text(out, row, value);
}

}  // namespace bufpool
