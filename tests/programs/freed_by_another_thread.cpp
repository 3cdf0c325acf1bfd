// SPDX-License-Identifier: MIT
// Promise: buffers that one thread makes and another frees stay whole on the way and are used
//   again. The process does not grow.
#include <sys/resource.h>

#include <atomic>
#include <thread>

#include "tests/programs/promise.h"

namespace {

constexpr unsigned kRounds = 60000;
std::array<std::atomic<void*>, 64> ring;

std::size_t size_of(unsigned round) { return promise::kSizes[round % 27]; }

void produce() {
  for (unsigned i = 0; i < kRounds; ++i) {
    void* memory = promise::get<void>(size_of(i));
    promise::fill(memory, size_of(i) < 600 ? size_of(i) : 600, i);
    std::atomic<void*>& slot = ring[i % ring.size()];
    while (void* other = slot.load(std::memory_order_acquire)) slot.wait(other);
    slot.store(memory, std::memory_order_release);
    slot.notify_one();
  }
}

void consume() {
  for (unsigned i = 0; i < kRounds; ++i) {
    std::atomic<void*>& slot = ring[i % ring.size()];
    slot.wait(nullptr);
    void* memory = slot.exchange(nullptr);
    slot.notify_one();
    const std::size_t written = size_of(i) < 600 ? size_of(i) : 600;
    promise::keep(promise::holds(memory, written, i), "whole on the way");
    promise::put(memory);
  }
}

}  // namespace

int main() {
  std::thread producer(produce);
  consume();
  producer.join();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  promise::keep(usage.ru_maxrss < (200 << 10), "at most 200 MiB resident");
}
