// SPDX-License-Identifier: MIT
// Promise: a buffer can be made smaller when no memory is left, as with glibc. Its contents and
//   errno stay.
#include <sys/resource.h>

#include <cerrno>

#include "tests/programs/promise.h"

namespace {

constexpr std::array<std::size_t, 6> kLarge = {300, 3'000, 70'000, 1'000'000, 5'000'000, 17 << 20};
constexpr std::array<std::size_t, 5> kSmall = {16, 100, 1'000, 40'000, 400'000};

std::array<void*, kLarge.size() * kSmall.size()> buffers;

// It goes from large sizes to small ones, so that nothing is left for either.
void use_all_memory() {
  for (std::size_t bytes = 64 << 20; bytes >= 16; bytes -= bytes / 8) {
    while (malloc(promise::hide(bytes)) != nullptr) {
    }
    if (bytes < 32) break;
  }
}

}  // namespace

int main() {
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const std::size_t bytes = kLarge[i / kSmall.size()];
    buffers[i] = promise::get<void>(bytes);
    promise::fill(buffers[i], bytes, 1);
  }
  const rlimit limit{200 << 20, 200 << 20};
  promise::keep(setrlimit(RLIMIT_DATA, &limit) == 0, "a limit is set");
  use_all_memory();
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const std::size_t small = kSmall[i % kSmall.size()];
    if (small >= kLarge[i / kSmall.size()]) continue;
    errno = 7;
    buffers[i] = realloc(promise::hide(buffers[i]), promise::hide(small));
    promise::keep(buffers[i] != nullptr, "it can be made smaller");
    promise::keep(errno == 7, "errno stays");
    promise::keep(promise::holds(buffers[i], small, 1), "contents stay");
  }
}
