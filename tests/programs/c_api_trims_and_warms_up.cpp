// SPDX-License-Identifier: MIT
// Promise: bufpool_warm_up makes buffers resident while other threads work, as many as the limit
//   allows, and bufpool_trim gives them back. Afterwards there is room to warm up again.
// Needs: library
// Env: BUFPOOL_PRESSURE=0 BUFPOOL_RETAIN_TIME=10m
// Run: limited BUFPOOL_RETAIN_MAX=64M BUFPOOL_TRIMMER=off
// Run: with_thread BUFPOOL_RETAIN_MAX=64M BUFPOOL_TRIMMER=on
#include "include/bufpool/bufpool.h"
#include "tests/programs/memory.h"
#include "tests/programs/workers.h"

using promise::keep;
using promise::kMiB;

namespace {

constexpr std::size_t kBytes = std::size_t{1} << 20;

void warm_twice() {
  for (int round = 0; round < 3; ++round) {
    keep(bufpool_trim(0) < 200 * kMiB, "what is idle goes");
    const std::size_t before = promise::resident_bytes();
    keep(bufpool_warm_up(kBytes, 40) == 40, "40 MiB are made ready");
    keep(promise::grown_since(before) > 38 * kMiB, "they are resident");
    const std::size_t more = bufpool_warm_up(kBytes, 1000);
    keep(more >= 10 && more < 30, "the limit holds for all together");
    keep(bufpool_warm_up(kBytes, 1) == 0, "and then there is none");
    keep(bufpool_trim(32 * kMiB) > 20 * kMiB, "half of it goes");
    keep(bufpool_trim(0) >= 30 * kMiB, "and the rest");
    keep(promise::grown_since(before) < 8 * kMiB, "it is resident no more");
  }
}

void warm_beside_others() {
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 3; ++i) {
    threads.emplace_back([&done, i] {
      while (!done) {
        void* const memory = promise::get<void>(20000);
        promise::fill(memory, 20000, i);
        keep(promise::holds(memory, 20000, i), "what another thread has is its own");
        promise::put(memory);
      }
    });
  }
  std::atomic<std::size_t> warmed{0};
  std::thread other([&warmed] { warmed += bufpool_warm_up(20000, 1000); });
  warmed += bufpool_warm_up(20000, 1000);
  other.join();
  keep(warmed >= 2000, "both are served");
  done = true;
  for (std::thread& thread : threads) thread.join();
  keep(bufpool_trim(0) > 0, "it can go again");
}

}  // namespace

int main() {
  warm_twice();
  warm_beside_others();
  keep(bufpool_warm_up(100, 10) == 0, "what is no buffer is not warmed up");
  keep(bufpool_warm_up(std::size_t{4} << 30, 10) == 0, "nor what is too large");
  keep(bufpool_warm_up(kBytes, 0) == 0, "none is none");
  keep(bufpool_warm_up(kBytes, ~std::size_t{0}) < 100, "any number will do");
}
