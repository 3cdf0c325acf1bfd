// SPDX-License-Identifier: MIT
// Promise: another library that wraps malloc and free may be preloaded before this one or behind
//   it. Memory crosses between the wrapped and the unwrapped functions.
// Run: before
// Preload-before: counting_preload
// Args: counts
// Run: behind
// Preload-after: counting_preload
// Needs: library
// Args: idle
#include <dlfcn.h>
#include <malloc.h>

#include <string_view>
#include <thread>

#include "tests/programs/promise.h"

namespace {

void cross() {
  for (const std::size_t bytes : promise::kSizes) {
    promise::use(bytes, 20);
    promise::put(calloc(1, promise::hide(bytes)));
    promise::put(memalign(4096, promise::hide(bytes)));
    promise::put(realloc(promise::get<void>(bytes), promise::hide(bytes * 2)));
    promise::put(strdup("short"));
  }
}

}  // namespace

int main(int, char** arguments) {
  auto* counted = reinterpret_cast<unsigned long (*)()>(dlsym(RTLD_DEFAULT, "counted_calls"));
  promise::keep(counted != nullptr, "the other library is preloaded");
  cross();
  std::thread(cross).join();
  const bool counts = std::string_view(arguments[1]) == "counts";
  promise::keep((counted() > 1000) == counts, "the first of the two is called");
}
