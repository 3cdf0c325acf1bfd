// SPDX-License-Identifier: MIT
// Promise: a vfork child may get and free buffers before it calls exec or _exit, while threads of
//   its parent do so, too. No buffer is handed out twice, and all are counted. A failed vfork tells
//   why, and __vfork is the same.
// Run: beside_threads
// Reports: 1
// Class: 1200 in_use=0
// Class: 9600 in_use=0
// Run: refused
// Needs: root
// Limit: nproc=1
// Args: refused
#include "tests/programs/workers.h"

extern "C" pid_t __vfork();

namespace {

constexpr std::array<char*, 1> kNoEnvironment = {};

// The sizes are the workers'. It is not inlined, because the parent goes on with the child's frame.
[[gnu::noinline]] void get_and_put(unsigned child) {
  std::array<void*, 6> held{};
  for (unsigned round = child; round < child + 10000; ++round) {
    const std::size_t bytes = std::size_t{1200} << (round % 4);
    for (void*& memory : held) {
      memory = promise::get<void>(bytes);
      promise::fill(memory, 64, round);
    }
    for (void* memory : held) {
      promise::keep(promise::holds(memory, 64, round), "the child's buffer is its own");
      promise::put(memory);
    }
  }
}

pid_t start(unsigned child) {
  const pid_t pid = child % 2 == 0 ? vfork() : __vfork();
  if (pid == 0) {
    get_and_put(child);
    if (child % 4 == 0) execle("/bin/true", "true", nullptr, kNoEnvironment.data());
    _exit(0);
  }
  return pid;
}

// The user that it becomes has a process already.
int expect_refusal() {
  if (setgid(65534) != 0 || setuid(65534) != 0) promise::skip("no other user to be");
  const pid_t child = vfork();
  if (child == 0) _exit(0);
  if (child > 0) promise::skip("limits of processes are not kept here");
  promise::keep(child == -1 && errno == EAGAIN, "vfork says why");
  promise::use(3000, 10);
  return 0;
}

}  // namespace

int main(int argc, char**) {
  if (argc > 1) return expect_refusal();
  promise::Workers workers(3);
  for (unsigned child = 0; child < 16; ++child) {
    promise::expect_good_end(start(child));
    promise::use(3000, 100);
  }
}
