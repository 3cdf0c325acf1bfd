// SPDX-License-Identifier: MIT
// Promise: a forked child that asks for one buffer has few pages copied for it, whatever number of
//   classes its parent has used. A fork costs its parent no page a class either.
// Needs: library
#include <sys/resource.h>
#include <sys/syscall.h>

#include <algorithm>

#include "tests/programs/workers.h"

namespace {

constexpr int kChildren = 20;
// These are more pages than those of a fork without handlers and work.
constexpr long kMostInChild = 48;
constexpr long kMostInParent = 5;

void use_many_classes() {
  std::array<void*, 200> held{};
  for (int round = 0; round < 3; ++round) {
    std::size_t size = 600;
    for (void*& buffer : held) {
      buffer = promise::get<void>(size);
      memset(buffer, 1, 600);
      size += size / 25;
    }
    for (void* buffer : held) promise::put(buffer);
  }
}

struct Faults {
  long in_child;
  long in_parent;
};

// Returns the least of several, because everything else that goes on only adds to them.
template <typename Fork, typename Work>
Faults faults_of(Fork fork_once, Work work) {
  Faults least{1 << 30, 1 << 30};
  for (int i = 0; i < kChildren; ++i) {
    const long before = promise::page_faults();
    const pid_t child = fork_once();
    if (child == 0) work();
    rusage use{};
    int status = 0;
    promise::keep(wait4(child, &status, 0, &use) == child && status == 0, "a child ends well");
    least.in_child = std::min(least.in_child, use.ru_minflt);
    least.in_parent = std::min(least.in_parent, promise::page_faults() - before);
  }
  return least;
}

[[noreturn]] void leave() {
  for (;;) syscall(SYS_exit_group, 0);
}

[[noreturn]] void take_one_and_leave() {
  memset(promise::get<void>(5000), 1, 1);
  _exit(0);
}

}  // namespace

int main() {
  use_many_classes();
  const auto bare_fork = [] { return static_cast<pid_t>(syscall(SYS_fork)); };
  const Faults bare = faults_of(bare_fork, leave);
  const Faults whole = faults_of(fork, take_one_and_leave);
  promise::keep(whole.in_child - bare.in_child <= kMostInChild, "a child has few pages copied");
  promise::keep(whole.in_parent - bare.in_parent <= kMostInParent,
                "its parent has few pages copied");
}
