// SPDX-License-Identifier: MIT
// The one reservation and its regions: one power-of-two region per size class, so that an address
// tells its class by a subtraction and a shift. The last region holds the spans' records.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool/size_classes.h"

namespace bufpool {

struct Region {
  std::uintptr_t start;
  std::size_t bytes;
};

class AddressSpace {
 public:
  // Reserves as much as can be had, of the sizes it may have; false: none. What is reserved costs
  // address space only: it is committed span by span.
  [[nodiscard]] bool open() noexcept;

  // Pre for the following two: open() succeeded, or nothing contains() is asked about.
  [[gnu::always_inline]] bool contains(std::uintptr_t address) const noexcept {
    return address - start_ < bytes_;
  }
  [[gnu::always_inline]] std::uint64_t region_number(std::uintptr_t address) const noexcept {
    return (address - start_) >> region_shift_;
  }
  ClassIndex class_at(std::uintptr_t address) const noexcept {
    return ClassIndex{static_cast<std::uint32_t>(region_number(address))};
  }

  // Lets the kernel back what is committed from now on with huge pages, if it has them.
  void use_huge_pages() noexcept;

  Region region(ClassIndex c) const noexcept;
  Region records(ClassIndex c) const noexcept;
  // For buffers beyond the largest class.
  Region large() const noexcept { return region(kLargeRegion); }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::uintptr_t start_ = 0;
  std::size_t bytes_ = 0;
  std::uint32_t region_shift_ = 0;
};

}  // namespace bufpool
