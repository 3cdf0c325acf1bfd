// SPDX-License-Identifier: MIT
// Promise: a forked child goes on with the samples of the buffers that it has from its parent, and
//   tells them on a page of its own: its parent's stays as it is.
// Needs: library
// Env: BUFPOOL_SAMPLE=4K
#include <sys/wait.h>

#include "tests/programs/own_samples.h"

namespace {

constexpr std::size_t kBytes = promise::kSampled + 7;

// Has the page of its own made, by more misses than a child goes without one.
void settle() {
  static void* buffers[300];
  for (void*& buffer : buffers) buffer = promise::get<void>(30000);
  for (void* buffer : buffers) promise::put(buffer);
}

void run_child(void* first, void* second) {
  promise::put(first);
  settle();
  promise::keep(promise::held(kBytes) == 1, "the child freed one of two");
  promise::put(second);
  promise::keep(promise::held(kBytes) == 0, "and then the other");
  void* const own = promise::get<void>(kBytes);
  promise::keep(promise::held(kBytes) == 1, "it samples on");
  promise::put(own);
}

}  // namespace

int main() {
  void* const first = promise::get<void>(kBytes);
  void* const second = promise::get<void>(kBytes);
  const bufpool::StatsSampledStack before = promise::all_stacks();
  const pid_t child = fork();
  if (child == 0) {
    run_child(first, second);
    _exit(0);
  }
  int status = -1;
  promise::keep(waitpid(child, &status, 0) == child && status == 0, "the child keeps the promise");
  const bufpool::StatsSampledStack after = promise::all_stacks();
  promise::keep(promise::held(kBytes) == 2, "the parent has its samples");
  promise::keep(after.gets == before.gets && after.puts == before.puts, "and its counts");
  promise::put(first);
  promise::put(second);
  promise::keep(promise::held(kBytes) == 0, "and ends them itself");
}
