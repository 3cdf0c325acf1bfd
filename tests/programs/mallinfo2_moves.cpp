// SPDX-License-Identifier: MIT
// Promise: mallinfo2 counts pooled memory that is in use, and stops counting it when it is freed.
#include <malloc.h>

#include "tests/programs/promise.h"

namespace {

std::size_t in_use() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

}  // namespace

int main() {
  std::array<void*, 1000> held{};
  promise::use(64);  // mimalloc takes its first 32 MiB with the first request
  const std::size_t before = in_use();
  for (void*& memory : held) memory = promise::get<void>(65536);
  const std::size_t during = in_use();
  promise::keep(during >= before + (60 << 20), "64 MB more are in use");
  promise::keep(during <= before + (100 << 20), "and not much more");
  for (void* memory : held) promise::put(memory);
  promise::keep(in_use() <= before + (8 << 20), "and none when freed");
}
