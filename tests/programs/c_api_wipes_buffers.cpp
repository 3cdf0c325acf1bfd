// SPDX-License-Identifier: MIT
// Promise: bufpool_put wipes the buffer that bufpool_get gave, with or without a pool, whatever
//   size it is told. No byte of another buffer is touched.
// Needs: library
// Run: pooled
// Run: passed BUFPOOL_DISABLE=1
// Run: beside
// Preload-before: counting_preload
#include "include/bufpool/bufpool.h"
#include "tests/programs/promise.h"

using promise::keep;

namespace {

// The memory stays mapped: its neighbours keep the page, or the cache keeps the buffer.
bool is_wiped(const void* memory, std::size_t bytes) {
  // What lies free may hold a link of the allocator's.
  constexpr std::size_t kLinks = 16;
  return promise::is_zero(static_cast<const char*>(promise::hide(memory)) + kLinks, bytes - kLinks);
}

void check(std::size_t bytes) {
  std::array<void*, 8> neighbours{};
  for (void*& memory : neighbours) {
    memory = promise::get<void>(bytes);
    promise::fill(memory, bytes, 5);
  }
  void* const secret = bufpool_get(bytes);
  keep(secret != nullptr && promise::is_aligned(secret, 16), "there is a buffer");
  promise::fill(secret, bytes, 9);
  bufpool_put(secret, bytes);
  keep(is_wiped(secret, bytes), "it is wiped");
  void* const other = bufpool_get(bytes);
  promise::fill(other, bytes, 9);
  bufpool_put(other, std::size_t{1} << 40);
  keep(is_wiped(other, bytes), "as far as it goes");
  for (void* memory : neighbours) {
    keep(promise::holds(memory, bytes, 5), "its neighbours are whole");
    promise::put(memory);
  }
}

}  // namespace

int main() {
  for (const std::size_t bytes : {40, 200, 600, 5000, 70000, 300000}) check(bytes);
  void* const none = bufpool_get(0);
  keep(none != nullptr, "none has an address");
  bufpool_put(none, 0);
  errno = 12345;
  bufpool_put(nullptr, 100);
  keep(errno == 12345, "errno is kept");
  keep(bufpool_get(~std::size_t{0} / 4) == nullptr && errno == ENOMEM, "no memory is ENOMEM");
}
