// SPDX-License-Identifier: MIT
// Promise: buffers that grow to a few pages and stay keep no pages of the buffers before them that
//   grew to 15 MiB.
// Needs: library
// Env: BUFPOOL_RETAIN_TIME=500ms
#include "tests/programs/memory.h"

namespace {

std::array<char*, 12> held;

// They grow by halves of what they are, and all of it is written.
void grow_all(std::size_t most) {
  for (char*& memory : held) {
    std::size_t size = 1000;
    memory = promise::get(size);
    while (size < most) {
      const std::size_t more = std::min(size + size / 2, most);
      memory = static_cast<char*>(realloc(promise::hide(memory), promise::hide(more)));
      promise::keep(memory != nullptr, "it grows");
      memset(memory + size, 1, more - size);
      size = more;
    }
  }
}

void free_all() {
  for (char* memory : held) promise::put(memory);
}

}  // namespace

int main() {
  const std::size_t before = promise::resident_bytes();
  grow_all(15 * promise::kMiB);
  free_all();
  grow_all(5000);
  promise::keep(
      promise::comes_true([&] { return promise::grown_since(before) < 16 * promise::kMiB; }),
      "180 MiB go back");
  free_all();
}
