// SPDX-License-Identifier: MIT
// Promise: a thread that libc's fork waits for, because it holds the lock of the list of streams,
//   may get and free buffers. It waits for no lock that the fork holds, and nothing is lost by that
//   nor left held.
// Env: BUFPOOL_REPORT_MIN=10000
// Reports: 1
// Class: 5000 in_use=0
// Class: 40000 in_use=0
#include <fcntl.h>
#include <pthread.h>

#include <cstdio>

#include "tests/programs/workers.h"

namespace {

enum Stage { kBegun, kFlushing, kForking };
std::atomic<Stage> stage;
std::atomic<int> written;

// Reads the main thread's state, as the kernel tells it.
bool main_sleeps() {
  char text[512] = {};
  const int fd = open("/proc/self/stat", O_RDONLY);
  promise::keep(fd >= 0 && read(fd, text, sizeof text - 1) > 0, "the state of a thread is told");
  close(fd);
  const char* const after_name = strrchr(text, ')');
  return after_name != nullptr && after_name[2] == 'S';
}

// Gets more new buffers than caches hold, and puts them all back.
void get_and_put_many() {
  static std::array<void*, 3000> held;
  for (unsigned i = 0; i < held.size(); ++i) held[i] = promise::get<void>(i % 2 ? 5000 : 40000);
  for (void* memory : held) promise::put(memory);
}

// fflush calls it, and holds the list's lock. It goes on once main is in fork and waits there.
ssize_t write_slowly(void*, const char*, std::size_t bytes) {
  stage = kFlushing;
  while (stage != kForking || !main_sleeps()) sched_yield();
  get_and_put_many();
  ++written;
  return static_cast<ssize_t>(bytes);
}

void flush_all(FILE* stream) {
  promise::keep(fputs("words", stream) >= 0, "a stream takes words");
  std::fflush(nullptr);
}

}  // namespace

int main() {
  FILE* const stream = fopencookie(nullptr, "w", {.write = write_slowly});
  pthread_atfork([] { stage = kForking; }, nullptr, nullptr);
  get_and_put_many();
  alarm(50);
  for (int i = 0; i < 5; ++i) {
    stage = kBegun;
    std::thread flusher([=] { flush_all(stream); });
    while (stage != kFlushing) sched_yield();
    const pid_t child = fork();
    if (child == 0) promise::allocate_and_exit();
    promise::expect_good_end(child);
    flusher.join();
    get_and_put_many();
  }
  promise::keep(written == 5, "each time the list was locked");
}
