// SPDX-License-Identifier: MIT
// Promise: free leaves errno as it is (POSIX 2024), whatever it has to do.
#include <vector>

#include "tests/programs/promise.h"

int main() {
  std::array<void*, 200> held{};
  for (const std::size_t bytes : promise::kSizes) {
    const std::size_t count = bytes > (1 << 20) ? 20 : held.size();
    for (std::size_t i = 0; i < count; ++i) held[i] = promise::get<void>(bytes);
    for (std::size_t i = 0; i < count; ++i) {
      errno = EDOM;
      promise::put(held[i]);
      promise::keep(errno == EDOM, "errno is kept");
    }
  }
  errno = EDOM;
  promise::put(nullptr);
  promise::keep(errno == EDOM, "errno is kept by free(NULL)");
}
