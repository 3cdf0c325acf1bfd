// SPDX-License-Identifier: MIT
// Starts threads that get and free buffers until they are told to stop, and waits for children.
#pragma once

#include <sys/wait.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/programs/promise.h"

namespace promise {

// A child that works for so many seconds hangs. On a quiet machine none takes one.
inline constexpr unsigned kHungSeconds = 120;

class Workers {
 public:
  explicit Workers(unsigned count) {
    for (unsigned i = 0; i < count; ++i) threads_.emplace_back([this, i] { work(i); });
    while (rounds_ < count) std::this_thread::yield();
  }

  ~Workers() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void work(unsigned seed) {
    std::array<void*, 8> held{};
    for (unsigned round = seed; !stop_; ++round, ++rounds_) {
      const std::size_t bytes = std::size_t{600} << (round % 9);
      for (void*& memory : held) {
        memory = get<void>(bytes);
        fill(memory, 64, round);
      }
      for (void* memory : held) {
        keep(holds(memory, 64, round), "a worker's buffer is its own");
        put(memory);
      }
    }
  }

  std::atomic<bool> stop_{false};
  std::atomic<unsigned> rounds_{0};
  std::vector<std::thread> threads_;
};

// A forked child allocates of every size, and ends by itself if that hangs.
[[noreturn]] inline void allocate_and_exit() {
  alarm(kHungSeconds);
  for (const std::size_t bytes : kSizes) use(bytes, 3);
  _exit(0);
}

inline void expect_good_end(pid_t child) {
  int status = 0;
  keep(child > 0, "a child is made");
  keep(waitpid(child, &status, 0) == child, "it ends");
  keep(!WIFSIGNALED(status) || WTERMSIG(status) != SIGALRM, "it does not hang");
  keep(WIFEXITED(status) && WEXITSTATUS(status) == 0, "it ends well");
}

}  // namespace promise
