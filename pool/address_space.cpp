// SPDX-License-Identifier: MIT
#include "pool/address_space.h"

#include "pool/platform.h"

namespace bufpool {
namespace {

constexpr std::uint32_t kLargestShift = 36;   // 64 GiB a class, 4 TiB in all
constexpr std::uint32_t kSmallestShift = 25;  // 32 MiB a class: one buffer of 16 MiB fits
constexpr ClassIndex kRecordsRegion{kClassSlots - 1};

static_assert(stride_bytes(kLastClass) <= std::size_t{1} << kSmallestShift,
              "the smallest region holds a block of every class");

}  // namespace

bool AddressSpace::open() noexcept {
  // Half of what a limit leaves: the rest is the program's, for mimalloc and thread stacks.
  const std::size_t most = platform::address_space_left() / 2;
  for (std::uint32_t shift = kLargestShift; shift >= kSmallestShift; --shift) {
    const std::size_t bytes = std::size_t{kClassSlots} << shift;
    if (bytes > most) continue;
    void* start = platform::reserve(bytes);
    if (start == nullptr) continue;
    start_ = reinterpret_cast<std::uintptr_t>(start);
    region_shift_ = shift;
    bytes_ = bytes;
    return true;
  }
  return false;
}

void AddressSpace::use_huge_pages() noexcept {
  platform::use_huge_pages(reinterpret_cast<void*>(start_), bytes_);
}

Region AddressSpace::region(ClassIndex c) const noexcept {
  const std::size_t bytes = std::size_t{1} << region_shift_;
  return {start_ + to_number(c) * bytes, bytes};
}

Region AddressSpace::records(ClassIndex c) const noexcept {
  const Region all = region(kRecordsRegion);
  const std::size_t bytes = all.bytes / kClassSlots;
  return {all.start + to_number(c) * bytes, bytes};
}

}  // namespace bufpool
