// SPDX-License-Identifier: MIT
// Promise: every operator new pairs with every operator delete that C++ allows for it, for every
//   size and with aligned types. All of its memory can be written.
#include <malloc.h>

#include <new>

#include "tests/programs/promise.h"

namespace {

constexpr std::align_val_t kAligned{512};

void* checked(void* memory, std::size_t bytes, std::size_t alignment) {
  promise::keep(memory != nullptr && promise::is_aligned(memory, alignment), "aligned");
  memset(promise::hide(memory), 3, bytes);
  return memory;
}

void pair_plain(std::size_t size) {
  operator delete(checked(operator new(size), size, 16));
  operator delete(checked(operator new(size), size, 16), size);
  operator delete(checked(operator new(size, std::nothrow), size, 16), std::nothrow);
  operator delete[](checked(operator new[](size), size, 16));
  operator delete[](checked(operator new[](size), size, 16), size);
  operator delete[](checked(operator new[](size, std::nothrow), size, 16), std::nothrow);
}

void pair_aligned(std::size_t size) {
  operator delete(checked(operator new(size, kAligned), size, 512), kAligned);
  operator delete(checked(operator new(size, kAligned), size, 512), size, kAligned);
  operator delete(checked(operator new(size, kAligned, std::nothrow), size, 512), kAligned,
                  std::nothrow);
  operator delete[](checked(operator new[](size, kAligned), size, 512), kAligned);
  operator delete[](checked(operator new[](size, kAligned), size, 512), size, kAligned);
  operator delete[](checked(operator new[](size, kAligned, std::nothrow), size, 512), kAligned,
                    std::nothrow);
}

}  // namespace

int main() {
  for (const std::size_t bytes : promise::kSizes) {
    for (int i = 0; i < (bytes < (1 << 20) ? 100 : 1); ++i) {
      pair_plain(promise::hide(bytes));
      pair_aligned(promise::hide(bytes));
    }
  }
  operator delete(promise::hide<void*>(nullptr));
  operator delete[](promise::hide<void*>(nullptr), kAligned);
}
