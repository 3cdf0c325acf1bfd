// SPDX-License-Identifier: MIT
// Measures the rows fork/200 and fork/200live: the price of a child for a process that has used 200
// buffers of many sizes and freed them, and for one that still uses them.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "tests/bench/measure.h"

namespace bufpool::bench {

using ManySizes = std::array<char*, 200>;

// Takes 200 buffers of up to 2 MiB, and writes the first `written` bytes of each.
inline ManySizes take_many_sizes(std::size_t written) {
  constexpr std::size_t kMost = 2 * kMiB;
  ManySizes buffers{};
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const std::size_t size = 600 + i * i * 97 % kMost;
    buffers[i] = static_cast<char*>(std::malloc(size));
    if (buffers[i] == nullptr) std::_Exit(1);
    touch_pages(buffers[i], std::min(size, written));
  }
  return buffers;
}

inline void free_all(const ManySizes& buffers) {
  for (char* const buffer : buffers) std::free(buffer);
}

// Forks a child that asks for one buffer and ends.
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
  return ns_per_operation(target_ns, [](std::uint64_t count) {
    return elapsed_ns([=] {
      for (std::uint64_t i = 0; i < count; ++i) fork_once();
    });
  });
}

// Returns the price of a fork after buffers whose first 4 KiB were written and that were freed.
inline double fork_after_many_sizes(double target_ns) {
  for (int i = 0; i < 3; ++i) free_all(take_many_sizes(4 * kKiB));
  return nanoseconds_per_fork(target_ns);
}

// Returns the price of a fork beside buffers that were written whole and are in use.
inline double fork_beside_many_sizes(double target_ns) {
  const ManySizes buffers = take_many_sizes(2 * kMiB);
  const double taken = nanoseconds_per_fork(target_ns);
  free_all(buffers);
  return taken;
}

}  // namespace bufpool::bench
