// SPDX-License-Identifier: MIT
// Promise: a program that goes on from sizes to sizes, and frees in any order, has little more
//   resident than it holds plus the budget. Some blocks of each size are idle in the CPUs' caches
//   then, and most others in spans that are partly used.
// Needs: library
// Modes: auto
// Env: BUFPOOL_RETAIN_MAX=64M
// Run: thread
// Run: alone BUFPOOL_TRIMMER=off
#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kLive = 20 * promise::kMiB;
constexpr std::size_t kBudget = 64 * promise::kMiB;
// It is for what came to be idle just now, libc, and the pool's own records. Without this promise
// 70 to 100 are resident beyond what is held and the budget.
constexpr std::size_t kElse = 48 * promise::kMiB;

struct Held {
  void* memory = nullptr;
  std::size_t bytes = 0;
};
Held held[4096];
std::size_t live = 0;
unsigned state = 1;

std::size_t random_below(std::size_t end) {
  state = state * 1103515245 + 12345;
  return (state >> 8) % end;
}

void change(Held& one, std::size_t bytes) {
  if (one.memory != nullptr) {
    live -= one.bytes;
    promise::put(one.memory);
    one = {};
  }
  if (live + bytes > kLive) return;
  one = {promise::get<void>(bytes), bytes};
  promise::fill(one.memory, bytes, 1);
  live += bytes;
}

std::int64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

int main() {
  const std::size_t before = promise::resident_bytes();
  std::size_t most = 0;
  for (int round = 0; round < 2; ++round) {
    for (std::size_t least = 600; least < 600'000; least *= 2) {
      const std::int64_t end = now_ms() + 100;
      while (now_ms() < end) {
        for (int i = 0; i < 100; ++i) {
          change(held[random_below(std::size(held))], least + random_below(least));
        }
      }
      most = std::max(most, promise::grown_since(before));
    }
  }
  promise::keep(most > kLive / 2, "much is resident");
  promise::keep(most < kLive + kBudget + kElse, "and little else");
}
