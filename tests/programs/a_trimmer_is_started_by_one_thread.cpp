// SPDX-License-Identifier: MIT
// Promise: the thread that gives memory back is started by one thread at a time, also if it leaves
//   before the one that started it has come back. Starts are made on one stack.
// Preload-after: held_start
// Env: BUFPOOL_RETAIN_MAX=4M BUFPOOL_PRESSURE=0 BUFPOOL_RETAIN_TIME=100ms
#include <dlfcn.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/programs/memory.h"

namespace {

std::atomic<int>& of_shim(const char* name) {
  void* const found = dlsym(RTLD_DEFAULT, name);
  promise::keep(found != nullptr, name);
  return *static_cast<std::atomic<int>*>(found);
}

// Gives the pool something to do for the thread.
void work() { promise::Burst burst(40 * promise::kMiB, 300'000); }

}  // namespace

int main() {
  const std::atomic<int>& has_left = of_shim("held_start_has_left");
  const std::atomic<int>& most_at_once = of_shim("held_start_most_at_once");
  std::thread other([&] {
    // The thread leaves some seconds after the last of this.
    while (has_left == 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    // Each of these would start the thread, if it could.
    for (int i = 0; i < 50; ++i) work();
    of_shim("held_start_may_return") = 1;
  });
  of_shim("held_start_watches") = 1;
  promise::keep(promise::comes_true([&] {
                  work();
                  return most_at_once > 0;
                }),
                "a thread is started");
  other.join();
  promise::keep(has_left != 0, "it has left while the start was under way");
  promise::keep(most_at_once == 1, "one thread at a time starts it");
}
