// SPDX-License-Identifier: MIT
// Makes memory read as zero, by giving its pages back to the kernel where that is cheaper.
#pragma once

#include <cstdint>

namespace bufpool {

// Says which ends of a range are known to be zero as far as they share a page with somebody else.
struct ZeroEnds {
  bool start = false;
  bool end = false;
};

// Makes the addresses [start, end) read as zero. Whole pages go back to the kernel. Bytes that
// share a page with somebody else are written, unless `known` says that they are zero. It returns
// false if there is no whole page, or if the kernel refuses; some of the pages may have gone all
// the same. It takes no lock. Pre: the memory is mapped and the caller's.
[[nodiscard]] bool make_zero(std::uintptr_t start, std::uintptr_t end,
                             ZeroEnds known = {}) noexcept;

// Makes the addresses [start, end) read as zero. It writes them, but for large pieces of which most
// pages are not resident: these lose their pages. So a large buffer of which little was touched
// takes little memory and time. It takes no lock. Pre: as for make_zero().
void clear(std::uintptr_t start, std::uintptr_t end) noexcept;

}  // namespace bufpool
