// SPDX-License-Identifier: MIT
// Promise: a program whose options do not fit what it does is told which to set, and to what.
// Needs: library
// Env: -BUFPOOL_REPORT BUFPOOL_REPORT_DETAIL=full BUFPOOL_REPORT_MIN=100
// Run: fallbacks-at-the-limit BUFPOOL_MAX_BUFFERS=10
// Args: 65536 150
// Stderr: 140 requests, most of class 64K, went to mimalloc as BUFPOOL_MAX_BUFFERS were in use:
//   set BUFPOOL_MAX_BUFFERS=0 for no limit, or to more
// Stderr-not: used up
// Run: classes-far-apart BUFPOOL_CLASSES=4K,1M
// Args: 8192 150
// Stderr: class 1M: 99\.\d\d% of 1\d\d\.\d MiB granted was waste, and 1\d\d\.\d MiB less serve the
//   sizes seen: set BUFPOOL_CLASSES=4K,8K,1M$
// Run: as-advised BUFPOOL_CLASSES=4K,8K,1M
// Args: 8192 150
// Stderr: what to change
// Stderr-not: BUFPOOL_CLASSES
// Run: range-too-small BUFPOOL_MAX_SIZE=64K
// Args: 1000000 150
// Stderr: 150 requests were above the pooled range, whose largest class is 64K: set
//   BUFPOOL_MAX_SIZE=1G,
// Run: small-only
// Args: 64 101000
// Stderr: bufpool does nothing for this program: 101\d\d\d requests were below its range,
//   0 above and 0 within: take it out of LD_PRELOAD
// Run: below-a-raised-range BUFPOOL_MIN_SIZE=64K
// Args: 8000 101000
// Stderr: bufpool does nothing for this program: .* set BUFPOOL_MIN_SIZE=512, or take it out
// Run: large-only
// Args: 1100000000 100
// Stderr: bufpool does nothing for this program: \d+ requests were below its range, 100 above
#include "tests/programs/promise.h"

// If the buffers are few, it holds all of them at once.
int main(int, char** arguments) {
  const std::size_t bytes = strtoul(arguments[1], nullptr, 10);
  const int count = atoi(arguments[2]);
  std::array<void*, 150> held{};
  for (int i = 0; i < count; ++i) {
    void*& place = held[static_cast<std::size_t>(i) % held.size()];
    promise::put(place);
    place = promise::get<void>(bytes);
  }
  for (void* memory : held) promise::put(memory);
}
