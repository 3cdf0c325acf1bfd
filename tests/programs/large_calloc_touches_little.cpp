// SPDX-License-Identifier: MIT
// Promise: calloc of a large block makes none of its pages resident, whether the pool serves it or
//   not. It gives zeros, also where a block that was written was freed just before. So do all calls
//   that hand out zeros.
// Run: pooled
// Args: 100
// Run: always BUFPOOL_ZERO=alloc
// Args: 100
// Run: roomy BUFPOOL_ZERO=alloc BUFPOOL_CLASSES=1G
// Args: 3
// Run: above
// Args: 1500
// Run: lowered BUFPOOL_MAX_SIZE=1M
// Args: 100
#include "tests/programs/memory.h"

namespace {

void expect_little(std::size_t bytes) {
  const std::size_t before = promise::resident_bytes();
  auto* const memory = static_cast<char*>(calloc(1, promise::hide(bytes)));
  if (memory == nullptr) promise::skip("there is not so much memory");
  promise::keep(promise::grown_since(before) < 16 * promise::kMiB, "little is resident");
  for (std::size_t at = 0; at < bytes; at += 8 * promise::kMiB - 100) {
    promise::keep(memory[at] == 0, "zero");
    memory[at] = 1;
  }
  promise::keep(memory[bytes - 1] == 0, "zero to the end");
  memset(memory, 1, 4096);
  memory[bytes - 1] = 1;
  promise::put(memory);
}

// Half of the block is resident when it is freed, in pieces.
void expect_zeros_again(std::size_t bytes) {
  auto* const memory = promise::get(bytes);
  for (std::size_t at = 0; at < bytes; at += 3 * promise::kMiB + 500) {
    memset(memory + at, 1, std::min(bytes - at, promise::kMiB * 3 / 2));
  }
  promise::put(memory);
  auto* const zeros = static_cast<char*>(calloc(bytes, 1));
  promise::keep(zeros != nullptr && promise::is_zero(zeros, bytes), "all of it is zero");
  promise::put(zeros);
}

}  // namespace

int main(int, char** arguments) {
  promise::use(100, 10);
  const std::size_t bytes = strtoul(arguments[1], nullptr, 10) * promise::kMiB;
  for (int i = 0; i < 3; ++i) expect_little(bytes + 24);
  expect_zeros_again(bytes < 32 * promise::kMiB ? bytes : 32 * promise::kMiB);
}
