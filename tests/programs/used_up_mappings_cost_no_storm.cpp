// SPDX-License-Identifier: MIT
// Promise: a program with many buffers that has used up its mappings goes on allocating, growing
//   and freeing; the caches are not drained for each request that the system refuses.
// Needs: library
// Modes: auto
// Env: BUFPOOL_REPORT={tmp}/report BUFPOOL_REPORT_FORMAT=json
// File: report "cpu_drains": ?[0-9]{1,3}[,}]
#include "tests/programs/mappings.h"

namespace {

constexpr std::size_t kBuffers = 3000;
std::array<unsigned char*, kBuffers> held;
std::array<std::size_t, kBuffers> bytes_of;
unsigned state = 7;

std::size_t random_below(std::size_t end) {
  state = state * 1103515245 + 12345;
  return (state >> 8) % end;
}

// One size in eight is large: nothing of its class is mapped yet.
std::size_t random_bytes() { return 512 + random_below(random_below(8) == 0 ? 3'000'000 : 60'000); }

void check(std::size_t i) {
  promise::keep(held[i][0] == i % 251 && held[i][bytes_of[i] - 1] == i % 251, "contents hold");
}

void mark(std::size_t i, unsigned char* buffer, std::size_t bytes) {
  held[i] = buffer;
  bytes_of[i] = bytes;
  buffer[0] = buffer[bytes - 1] = static_cast<unsigned char>(i % 251);
}

// What is refused is left as it was.
void change(std::size_t i) {
  if (held[i] != nullptr) check(i);
  if (held[i] != nullptr && random_below(2) == 0) {
    promise::put(held[i]);
    held[i] = nullptr;
    return;
  }
  const std::size_t bytes = random_bytes();
  void* const buffer = realloc(promise::hide(held[i]), promise::hide(bytes));
  if (buffer != nullptr) mark(i, static_cast<unsigned char*>(buffer), bytes);
}

}  // namespace

int main() {
  for (std::size_t i = 0; i < kBuffers; ++i) {
    const std::size_t bytes = 512 + random_below(60'000);
    mark(i, promise::get<unsigned char>(bytes), bytes);
  }
  promise::UsedUpMappings mappings;
  mappings.use_all_but(0);
  for (int n = 0; n < 3000; ++n) change(random_below(kBuffers));
  mappings.free_all();
  for (std::size_t i = 0; i < kBuffers; ++i) {
    if (held[i] != nullptr) check(i);
  }
}
