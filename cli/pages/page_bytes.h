// SPDX-License-Identifier: MIT
// Reads records out of bytes that may be anything.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "pool/telemetry/stats_page_layout.h"

namespace bufpool::page {

using Bytes = std::span<const std::byte>;

// The first record of a kind of another version may be longer than ours, but not shorter. Pre: the
// record lies in the bytes.
template <typename T>
T record_at(Bytes bytes, std::size_t at) noexcept {
  static_assert(std::is_trivially_copyable_v<T>);
  T record;
  std::memcpy(&record, bytes.data() + at, sizeof(T));
  return record;
}

// Whether `length` bytes from `at` on are there.
inline bool is_inside(Bytes bytes, std::uint64_t at, std::uint64_t length) noexcept {
  return at <= bytes.size() && length <= bytes.size() - at;
}

// Whether all records of an area lie in the page, each with room for `least` bytes.
inline bool is_sound(Bytes bytes, const StatsArea& area, std::size_t least) noexcept {
  return area.stride >= std::max<std::size_t>(least, 1) &&
         is_inside(bytes, area.at, std::uint64_t{area.count} * area.stride);
}

// The record of that number. Pre: is_sound(bytes, area, sizeof(T)), number < area.count.
template <typename T>
T record_of(Bytes bytes, const StatsArea& area, std::size_t number) noexcept {
  return record_at<T>(bytes, area.at + number * area.stride);
}

}  // namespace bufpool::page
