// SPDX-License-Identifier: MIT
// The row fork/200: what a process that has used buffers of many sizes pays for a child.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "tests/bench/measure.h"

namespace bufpool::bench {

// Each buffer is written up to its fourth KiB: more pages cost every allocator the same.
inline void use_many_sizes() {
  constexpr std::size_t kMost = 2 * kMiB;
  std::array<char*, 200> buffers{};
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const std::size_t size = 600 + i * i * 97 % kMost;
    buffers[i] = static_cast<char*>(std::malloc(size));
    if (buffers[i] == nullptr) std::_Exit(1);
    touch_pages(buffers[i], std::min(size, 4 * kKiB));
  }
  for (char* const buffer : buffers) {
    std::free(buffer);
  }
}

// A child that asks for one buffer and ends.
inline void fork_once() {
  const pid_t child = fork();
  if (child == 0) {
    void* const buffer = std::malloc(5000);
    keep(buffer);
    _exit(buffer == nullptr);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) std::_Exit(1);
}

inline double nanoseconds_per_fork(double target_ns) {
  for (int i = 0; i < 3; ++i) use_many_sizes();
  return ns_per_operation(target_ns, [](std::uint64_t count) {
    return elapsed_ns([=] {
      for (std::uint64_t i = 0; i < count; ++i) fork_once();
    });
  });
}

}  // namespace bufpool::bench
