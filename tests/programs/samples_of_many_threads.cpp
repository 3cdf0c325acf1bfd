// SPDX-License-Identifier: MIT
// Promise: of threads that hand buffers to each other, resize and free them, each sample that
//   begins ends, and the page says so.
// Needs: library
// Env: BUFPOOL_SAMPLE=4K
#include <array>
#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "tests/programs/own_samples.h"

namespace {

constexpr int kThreads = 8;
constexpr int kSteps = 4000;

std::array<std::atomic<void*>, 32> handed{};

void run(unsigned seed) {
  std::minstd_rand random(seed);
  for (int i = 0; i < kSteps; ++i) {
    const std::size_t bytes = 600 + random() % 60000;
    void* buffer = i % 7 == 0 ? promise::hide(calloc(1, bytes)) : promise::get<void>(bytes);
    if (i % 5 == 0) buffer = realloc(promise::hide(buffer), bytes * 2);
    promise::keep(buffer != nullptr, "there is memory");
    promise::put(handed[random() % handed.size()].exchange(buffer));
  }
}

}  // namespace

int main() {
  promise::use(1 << 20, 2);
  const std::size_t before = promise::held(0);
  std::vector<std::thread> threads;
  for (unsigned i = 1; i <= kThreads; ++i) threads.emplace_back(run, i);
  for (std::thread& thread : threads) thread.join();
  for (auto& slot : handed) promise::put(slot.exchange(nullptr));
  std::vector<std::thread>().swap(threads);
  promise::keep(promise::all_stacks().gets > kThreads * kSteps / 2, "most buffers are sampled");
  promise::keep_held(before);
}
