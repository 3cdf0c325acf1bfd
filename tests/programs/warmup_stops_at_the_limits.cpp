// SPDX-License-Identifier: MIT
// Promise: BUFPOOL_WARMUP takes no more memory than BUFPOOL_RETAIN_MAX or, where that is not set,
//   half of what the process may use. One line says so of all sizes. Another one names the sizes
//   that the pool does not serve.
// Needs: library
// Run: chosen
// Env: BUFPOOL_RETAIN_MAX=16M BUFPOOL_WARMUP=64K:1000,1M:100
// Args: 8 24
// Stderr: ^bufpool: BUFPOOL_WARMUP: only \d+ of 1000 buffers of 64K, 0 of 100 of 1M are ready:
//   [^\n]*\n$
// Run: address_space
// Env: BUFPOOL_WARMUP=1M:400
// Limit: as=400M
// Args: 100 208
// Stderr: ^bufpool: BUFPOOL_WARMUP: only \d+ of 400 buffers of 1M are ready: [^\n]*\n$
// Run: larger_than_all
// Env: BUFPOOL_RETAIN_MAX=16M BUFPOOL_WARMUP=1G:1,64K:160,512M:1,32M:1,48M:1,96M:1,128M:1
// Args: 8 24
// Stderr: \Abufpool: BUFPOOL_WARMUP: only 0 of 1 buffers of 1G, 0 of 1 of 512M, 0 of 1 of 32M, 0 of
//   1 of 48M and those of 2 more sizes are ready: [^\n]* refuses\n\Z
// Run: not_served
// Env: BUFPOOL_CLASSES=4K,64K BUFPOOL_WARMUP=64K:160,1M:5,2M:1
// Args: 8 24
// Stderr: \Abufpool: BUFPOOL_WARMUP: no buffers of 1M, 2M are ready, as [^\n]*\n\Z
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
