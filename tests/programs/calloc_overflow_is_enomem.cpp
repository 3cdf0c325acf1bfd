// SPDX-License-Identifier: MIT
// Promise: calloc of a product that does not fit returns NULL with ENOMEM, whatever the product
//   wraps to.
#include <cstdint>
#include <utility>

#include "tests/programs/promise.h"

int main() {
  const std::pair<std::size_t, std::size_t> products[] = {
      {SIZE_MAX, 2},           {2, SIZE_MAX},        {SIZE_MAX, SIZE_MAX},  {1UL << 32, 1UL << 32},
      {SIZE_MAX / 4096, 8192}, {(1UL << 63) + 1, 2}, {SIZE_MAX / 3 + 2, 3}, {1UL << 63, 1}};
  for (const auto& [count, bytes] : products) {
    errno = 0;
    void* memory = calloc(promise::hide(count), promise::hide(bytes));
    promise::keep(memory == nullptr, "calloc gives NULL");
    promise::keep(errno == ENOMEM, "and ENOMEM");
  }
  void* nothing = calloc(promise::hide(SIZE_MAX), promise::hide(0UL));
  promise::keep(nothing != nullptr, "SIZE_MAX times nothing is nothing");
  promise::put(nothing);
}
