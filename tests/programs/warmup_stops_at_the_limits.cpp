// SPDX-License-Identifier: MIT
// Promise: BUFPOOL_WARMUP takes no more memory than BUFPOOL_RETAIN_MAX or, where that is not set,
//   half of what the process may use. One line says so.
// Needs: library
// Run: chosen
// Env: BUFPOOL_RETAIN_MAX=16M BUFPOOL_WARMUP=64K:1000,1M:100
// Args: 8 24
// Stderr: ^bufpool: BUFPOOL_WARMUP: only \d+ of 1000 buffers of 65536 bytes are ready: [^\n]*\n$
// Run: address_space
// Env: BUFPOOL_WARMUP=1M:400
// Limit: as=400M
// Args: 100 208
// Stderr: ^bufpool: BUFPOOL_WARMUP: only \d+ of 400 buffers of 1048576 bytes are ready: [^\n]*\n$
// Run: enough
// Env: BUFPOOL_RETAIN_MAX=16M BUFPOOL_WARMUP=64K:160,600:10
// Args: 8 24
// Run: silent
// Env: BUFPOOL_RETAIN_MAX=16M BUFPOOL_WARMUP=64K:1000 BUFPOOL_QUIET=1
// Args: 8 24
#include "tests/programs/memory.h"

int main(int, char** arguments) {
  const std::size_t resident = promise::resident_bytes() / promise::kMiB;
  promise::keep(resident >= strtoul(arguments[1], nullptr, 10), "buffers are ready");
  promise::keep(resident <= strtoul(arguments[2], nullptr, 10), "and no more than may be");
  promise::use(65'536, 10);
}
