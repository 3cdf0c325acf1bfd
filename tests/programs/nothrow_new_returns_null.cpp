// SPDX-License-Identifier: MIT
// Promise: the nothrow operators return NULL for what cannot be served. They call the new_handler
//   before, and let nothing escape that it throws.
#include <cstdint>
#include <new>

#include "tests/programs/promise.h"

namespace {

int calls;

void refuse() {
  ++calls;
  throw std::bad_alloc();
}

}  // namespace

int main() {
  const std::size_t size = promise::hide(SIZE_MAX - (1UL << 20));
  constexpr std::align_val_t kAligned{4096};
  promise::keep(operator new(size, std::nothrow) == nullptr, "new");
  promise::keep(operator new[](size, std::nothrow) == nullptr, "new[]");
  promise::keep(operator new(size, kAligned, std::nothrow) == nullptr, "aligned new");
  promise::keep(operator new[](size, kAligned, std::nothrow) == nullptr, "aligned new[]");
  std::set_new_handler(refuse);
  promise::keep(operator new(size, std::nothrow) == nullptr, "new, handler throws");
  promise::keep(operator new[](size, kAligned, std::nothrow) == nullptr, "new[], handler throws");
  promise::keep(calls == 2, "the handler was called");
}
