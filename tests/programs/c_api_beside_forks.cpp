// SPDX-License-Identifier: MIT
// Promise: threads may call the functions of the header while another thread forks, and so may each
//   child. None of them hangs, and buffers stay whole.
// Needs: library
// Env: BUFPOOL_PRESSURE=0
#include <fcntl.h>

#include <tuple>

#include "include/bufpool/bufpool.h"
#include "tests/programs/workers.h"

using promise::keep;

namespace {

void get_and_put(std::size_t bytes, unsigned seed) {
  void* const memory = bufpool_get(bytes);
  keep(memory != nullptr, "there is memory");
  promise::fill(memory, bytes, seed);
  keep(promise::holds(memory, bytes, seed), "it is whole");
  bufpool_put(memory, bytes);
}

void call_all(int file, unsigned round) {
  struct bufpool_snapshot all {};
  all.size = sizeof all;
  keep(bufpool_snapshot(&all) == 0, "there are figures");
  std::ignore = bufpool_report(file, static_cast<enum bufpool_format>(round % 4));
  bufpool_warm_up(20000, 20);
  get_and_put(30000, round);
  bufpool_reset_peaks();
  if (round % 4 == 0) bufpool_trim(0);
}

void in_child(int file) {
  keep(bufpool_report(file, BUFPOOL_JSON) == 0, "a child reports");
  keep(bufpool_warm_up(50000, 3) >= 3, "it warms up");
  call_all(file, 0);
}

}  // namespace

int main() {
  const int file = open("/dev/null", O_WRONLY);
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 3; ++i) {
    threads.emplace_back([&done, file] {
      for (unsigned round = 0; !done; ++round) call_all(file, round);
    });
  }
  for (int i = 0; i < 100; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      in_child(file);
      _exit(0);
    }
    promise::expect_good_end(child);
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
}
