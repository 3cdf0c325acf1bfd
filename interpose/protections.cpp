// SPDX-License-Identifier: MIT
// mprotect, for programs that free a buffer while pages of it are protected. libc unmaps a large
// one at its free; here the next who is given it would fault.
#include <sys/mman.h>

#include <cstdint>
#include <tuple>

#include "interpose/heap.h"
#include "interpose/next_symbol.h"

namespace bufpool {
namespace {

constinit NextSymbol<int(void*, std::size_t, int) noexcept> next_mprotect("mprotect");

}  // namespace

void find_next_mprotect() noexcept { std::ignore = next_mprotect.get(); }

}  // namespace bufpool

extern "C" [[gnu::visibility("default")]] int mprotect(void* start, std::size_t bytes,
                                                       int rights) noexcept {
  constexpr int kAll = PROT_READ | PROT_WRITE;
  const int result = bufpool::next_mprotect.get()(start, bytes, rights);
  if (result == 0 && (rights & kAll) != kAll && bufpool::the_pool.owns(start)) {
    bufpool::the_pool.control().note_protected(reinterpret_cast<std::uintptr_t>(start), bytes);
  }
  return result;
}
