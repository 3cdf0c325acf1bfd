// SPDX-License-Identifier: MIT
// Promise: free_sized, free_aligned_sized (C23) and cfree free: memory that they free is used
//   again.
// Needs: library
// Limit: data=1G
#include <dlfcn.h>

#include "tests/programs/promise.h"

namespace {

template <typename Function>
Function* find(const char* name) {
  auto* found = reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
  promise::keep(found != nullptr, name);
  return found;
}

}  // namespace

int main() {
  auto* free_sized = find<void(void*, std::size_t)>("free_sized");
  auto* free_aligned_sized = find<void(void*, std::size_t, std::size_t)>("free_aligned_sized");
  auto* cfree = find<void(void*)>("cfree");
  free_sized(nullptr, 0);
  free_aligned_sized(nullptr, 16, 0);
  for (const std::size_t bytes : promise::kSizes) {
    for (int i = 0; i < promise::rounds_without_room(bytes); ++i) {
      errno = EDOM;
      free_sized(promise::get<void>(bytes), bytes);
      free_aligned_sized(aligned_alloc(128, promise::hide(bytes)), 128, bytes);
      cfree(promise::get<void>(bytes));
      promise::keep(errno == EDOM, "errno is kept");
    }
  }
}
