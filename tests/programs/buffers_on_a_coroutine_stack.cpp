// SPDX-License-Identifier: MIT
// Promise: a coroutine with three and a half KiB of stack may get, grow and free buffers, also
//   where these calls give idle memory back themselves.
// Env: LD_BIND_NOW=1
// Run: by_itself
// Run: in_calls BUFPOOL_TRIMMER=off BUFPOOL_RETAIN_TIME=1s
#include "tests/programs/coroutine.h"
#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kStack = 3584;
std::array<char*, 900> held;

// Leaves some buffers of each span in use, so that their pages go back one by one.
void get_and_free() {
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < held.size(); ++i) {
      const std::size_t bytes = 20'000 + i % 3 * 40'000;
      held[i] = static_cast<char*>(memset(promise::get<void>(bytes), 1, bytes));
    }
    for (std::size_t i = 0; i < held.size(); ++i) {
      if (i % 10 != 0) promise::put(held[i]);
    }
    promise::sleep_ms(400);  // a pass is due
    promise::use(300'000, 50);
    void* grown = nullptr;
    for (std::size_t bytes = 1000; bytes < 4 * promise::kMiB; bytes += bytes / 2) {
      grown = realloc(promise::hide(grown), promise::hide(bytes));
    }
    promise::put(grown);
    for (std::size_t i = 0; i < held.size(); i += 10) promise::put(held[i]);
  }
}

}  // namespace

int main() {
  promise::use(20);
  promise::call_as_coroutine(get_and_free, kStack);
}
