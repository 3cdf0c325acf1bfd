// SPDX-License-Identifier: MIT
// Promise: under a limit of address space threads whose first small requests come at the same time
//   share what is there. Enough is left for the stacks of more threads.
// Limit: as=1G
// Preload-before: gathered_looks
// Needs: library
#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <vector>

#include "tests/programs/promise.h"

namespace {

constexpr int kAtOnce = 64;
constexpr int kLater = 40;
std::atomic<bool> leave;
std::atomic<int> served;

std::atomic<int>& of_shim(const char* name) {
  void* const found = dlsym(RTLD_DEFAULT, name);
  promise::keep(found != nullptr, name);
  return *static_cast<std::atomic<int>*>(found);
}

void* work(void*) {
  void* const small = promise::get<void>(100);
  promise::fill(small, 100, 1);
  ++served;
  while (!leave) usleep(20'000);
  promise::put(small);
  return nullptr;
}

std::vector<pthread_t> start(int count, std::size_t stack) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack);
  std::vector<pthread_t> threads(static_cast<std::size_t>(count));
  for (pthread_t& thread : threads) {
    promise::keep(pthread_create(&thread, &attributes, work, nullptr) == 0, "a thread is started");
  }
  return threads;
}

}  // namespace

int main() {
  promise::use(100);
  of_shim("looks_to_gather") = kAtOnce;
  const std::vector<pthread_t> first = start(kAtOnce, 128 << 10);
  while (served < kAtOnce) usleep(1000);
  const std::vector<pthread_t> more = start(kLater, 4 << 20);
  leave = true;
  for (const pthread_t thread : first) pthread_join(thread, nullptr);
  for (const pthread_t thread : more) pthread_join(thread, nullptr);
}
