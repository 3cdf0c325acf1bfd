// SPDX-License-Identifier: MIT
// Promise: a buffer that realloc grew past the largest class is guarded as all others. If it is
//   freed twice, resized after its free, or freed from inside, it ends the program with a line.
// Needs: library
// Exit: signal 6
// Run: twice
// Args: 0 0
// Stderr: (?is)^told (0x[0-9a-f]+)$.*bufpool.*double free of \1\b
// Run: twice_after_others
// Args: 0 3
// Stderr: (?is)^told (0x[0-9a-f]+)$.*bufpool.*double free of \1\b
// Run: resized
// Args: 1 0
// Stderr: (?is)^told (0x[0-9a-f]+)$.*bufpool.*double free of \1 at realloc\b
// Run: inside
// Args: 2 0
// Stderr: (?is)^told (0x[0-9a-f]+)$.*bufpool.*invalid free of .*inside the buffer at \1\b
// Run: inside_after_free
// Args: 3 0
// Stderr: (?is)^told (0x[0-9a-f]+)$.*bufpool.*invalid free of .*inside the buffer at \1, which is
//   free
#include <malloc.h>

#include "tests/programs/memory.h"

namespace {

char* grown() {
  char* memory =
      static_cast<char*>(memset(promise::get(12 * promise::kMiB), 1, 12 * promise::kMiB));
  for (const std::size_t mib : {20, 40}) {
    memory = static_cast<char*>(realloc(promise::hide(memory), mib * promise::kMiB));
    promise::keep(memory != nullptr, "it grows");
  }
  return memory;
}

}  // namespace

int main(int, char** arguments) {
  char* memory = grown();
  dprintf(STDERR_FILENO, "told %p\n", static_cast<void*>(memory));
  char* again = promise::hide(memory);
  const int what = atoi(arguments[1]);
  if (what != 2) promise::put(memory);
  promise::keep(what == 2 || malloc_usable_size(promise::hide(again)) == 0, "no buffer in use");
  for (int i = 0; i < atoi(arguments[2]); ++i) promise::use(30 * promise::kMiB);
  if (what == 0) promise::put(again);
  if (what == 1) promise::keep(realloc(again, 50 * promise::kMiB) == nullptr, "never");
  promise::put(again + 8192);
}
