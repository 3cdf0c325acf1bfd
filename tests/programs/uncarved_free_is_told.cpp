// SPDX-License-Identifier: MIT
// Promise: an address behind all buffers of a class, in memory that is made ready for the next,
//   ends the program with a message and not with a fault.
// Exit: signal 6
// Stderr: (?is)^told (0x[0-9a-f]+)$.*bufpool.*invalid free of \1\b
#include "tests/programs/promise.h"

int main() {
  char* memory = promise::get(70000);
  char* beyond = promise::hide(memory) + (160 << 10);
  dprintf(STDERR_FILENO, "told %p\n", static_cast<void*>(beyond));
  promise::put(beyond);
}
