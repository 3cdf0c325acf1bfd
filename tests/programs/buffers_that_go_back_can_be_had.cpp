// SPDX-License-Identifier: MIT
// Promise: at a limit of address space a freed buffer can be had again at any moment, also while
//   its pages are given back, by its own class and by another one.
// Preload-after: slow_purge
// Env: BUFPOOL_RETAIN_MAX=1M BUFPOOL_TRIMMER=on
#include <dlfcn.h>
#include <sys/resource.h>

#include <atomic>

#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kBuffer = 64 << 20;
constexpr std::size_t kMost = 64;
std::array<void*, kMost> held;

std::atomic<int>& of_shim(const char* name) {
  void* const found = dlsym(RTLD_DEFAULT, name);
  promise::keep(found != nullptr, name);
  return *static_cast<std::atomic<int>*>(found);
}

// Takes as many buffers as the limit has room for, each with a page that is resident.
std::size_t hold_all() {
  std::size_t count = 0;
  while (count < kMost && (held[count] = malloc(promise::hide(kBuffer))) != nullptr) {
    promise::fill(held[count++], 4096, 1);
  }
  return count;
}

// Asks while the trimmer is at work, as a thread that does not sleep before it has asked.
void ask_again(std::size_t bytes) {
  const std::size_t count = hold_all();
  promise::keep(count > 2, "buffers");
  std::atomic<int>& waits_for = of_shim("slow_purge_waits_for");
  std::atomic<int>& waiting = of_shim("slow_purge_waiting");
  waits_for = gettid();
  for (std::size_t i = 0; i < count; ++i) promise::put(held[i]);
  while (waiting == 0) sched_yield();
  void* const again = malloc(promise::hide(bytes));
  waits_for = 0;
  promise::keep(again != nullptr, "a buffer that goes back is had");
  promise::fill(again, 4096, 2);
  promise::put(again);
}

}  // namespace

int main() {
  const rlimit limit{std::size_t{1} << 30, std::size_t{1} << 30};
  promise::keep(setrlimit(RLIMIT_AS, &limit) == 0, "the limit is set");
  ask_again(kBuffer);
  ask_again(48 << 20);
}
