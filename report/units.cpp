// SPDX-License-Identifier: MIT
#include "report/units.h"

#include <cstddef>
#include <string_view>

#include "pool/options/limits.h"

namespace bufpool {
namespace {

constexpr std::string_view kUnitLetters = "KMGTPE";

// Returns the index of the largest unit that fits into `bytes`: 0 for bytes, 1 for K.
std::size_t largest_unit(std::uint64_t bytes) noexcept {
  std::size_t unit = 0;
  for (; bytes >= 1024; bytes >>= 10) ++unit;
  return unit;
}

}  // namespace

Cell class_name(std::uint64_t buffer_bytes) noexcept {
  const std::uint64_t size = buffer_bytes > kHeaderRoom ? buffer_bytes - kHeaderRoom : buffer_bytes;
  const std::size_t unit = largest_unit(size);
  const std::uint64_t one = std::uint64_t{1} << (10 * unit);
  const std::uint64_t rest = size % one;
  if (unit == 0) return Cell{}.add("{}", size);
  const char letter = kUnitLetters[unit - 1];
  if (rest == 0) return Cell{}.add("{}{}", size / one, letter);
  if (rest % (one / 4) != 0) return Cell{}.add("{}", size);  // quarters are all that classes have
  const std::uint64_t hundredths = rest / (one / 4) * 25;
  if (hundredths % 10 == 0) return Cell{}.add("{}.{}{}", size / one, hundredths / 10, letter);
  return Cell{}.add("{}.{}{}", size / one, hundredths, letter);
}

Cell option_bytes(std::uint64_t bytes) noexcept {
  if (bytes != 0 && bytes % (1U << 30) == 0) return Cell{}.add("{}G", bytes >> 30);
  if (bytes != 0 && bytes % (1U << 20) == 0) return Cell{}.add("{}M", bytes >> 20);
  if (bytes != 0 && bytes % (1U << 10) == 0) return Cell{}.add("{}K", bytes >> 10);
  return Cell{}.add("{}", bytes);
}

Cell human_bytes(std::uint64_t bytes) noexcept {
  const std::size_t unit = largest_unit(bytes);
  if (unit == 0) return Cell{}.add("{} B", bytes);
  const std::size_t shift = 10 * unit;
  // The ten bits below the unit hold enough for one decimal.
  const std::uint64_t tenths = ((bytes >> (shift - 10)) & 1023) * 10 / 1024;
  return Cell{}.add("{}.{} {}iB", bytes >> shift, tenths, kUnitLetters[unit - 1]);
}

Cell human_count(std::uint64_t count) noexcept {
  constexpr std::uint64_t kTera = 1'000'000'000'000;
  if (count < kTera) return Cell{}.add("{}", count);
  return Cell{}.add("{}T", count / kTera);
}

Cell percent(std::uint64_t basis_points) noexcept {
  return Cell{}.add("{}.{:02}", basis_points / 100, basis_points % 100);
}

}  // namespace bufpool
