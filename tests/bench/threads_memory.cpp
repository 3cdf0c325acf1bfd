// SPDX-License-Identifier: MIT
// Shows what many threads leave behind, for scripts/bench memory: `threads_memory THREADS SIZE`
// starts THREADS threads. Each allocates, touches and frees SIZE bytes, and stays. Once all are
// there it says "alive N", where N is how many could be started. On a word the threads end, and it
// says "idle". Then it makes no call until its standard input speaks or ends.
#include <pthread.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "tests/bench/idle.h"
#include "tests/bench/measure.h"

namespace bufpool::bench {
namespace {

constexpr std::size_t kStack = 64 * kKiB;

// The threads are plain POSIX ones: std::thread knows no stack size, and its state is a call of
// malloc for each.
struct Gate {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t arrived = PTHREAD_COND_INITIALIZER;
  pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
  std::size_t done = 0;
  bool open = false;
  std::size_t size = 0;
};

void* work(void* argument) {
  auto& gate = *static_cast<Gate*>(argument);
  char* const buffer = allocate(gate.size);
  touch_pages(buffer, gate.size);
  std::free(buffer);
  pthread_mutex_lock(&gate.mutex);
  ++gate.done;
  pthread_cond_signal(&gate.arrived);
  while (!gate.open) {
    pthread_cond_wait(&gate.opened, &gate.mutex);
  }
  pthread_mutex_unlock(&gate.mutex);
  return nullptr;
}

// Starts as many threads as the system allows, up to `count`.
std::vector<pthread_t> start(std::size_t count, Gate& gate) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStack);
  std::vector<pthread_t> threads;
  threads.reserve(count);
  pthread_t thread{};
  while (threads.size() < count && pthread_create(&thread, &attributes, work, &gate) == 0) {
    threads.push_back(thread);
  }
  pthread_attr_destroy(&attributes);
  return threads;
}

void wait_for_all(std::size_t count, Gate& gate) {
  pthread_mutex_lock(&gate.mutex);
  while (gate.done < count) {
    pthread_cond_wait(&gate.arrived, &gate.mutex);
  }
  pthread_mutex_unlock(&gate.mutex);
}

void end_all(const std::vector<pthread_t>& threads, Gate& gate) {
  pthread_mutex_lock(&gate.mutex);
  gate.open = true;
  pthread_cond_broadcast(&gate.opened);
  pthread_mutex_unlock(&gate.mutex);
  for (const pthread_t thread : threads) {
    pthread_join(thread, nullptr);
  }
}

int run(std::size_t count, std::size_t size) {
  Gate gate{.size = size};
  const std::vector<pthread_t> threads = start(count, gate);
  wait_for_all(threads.size(), gate);
  tell_number("alive", static_cast<double>(threads.size()));
  wait_for_word();
  end_all(threads, gate);
  tell("idle\n");
  wait_for_word();
  return 0;
}

}  // namespace
}  // namespace bufpool::bench

int main(int argc, char** argv) {
  const std::size_t count = argc == 3 ? std::strtoull(argv[1], nullptr, 10) : 0;
  const std::size_t size = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0;
  if (count == 0 || size == 0) {
    std::fputs("usage: threads_memory THREADS SIZE\n", stderr);
    return 2;
  }
  return bufpool::bench::run(count, size);
}
