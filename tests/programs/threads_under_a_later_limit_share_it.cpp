// SPDX-License-Identifier: MIT
// Promise: a program sets itself a limit of address space. Four hundred threads that then start as
//   fast as they can all come up, and all get small and pooled blocks.
// Run: setrlimit
// Args: setrlimit
// Run: prlimit
// Args: prlimit
#include <pthread.h>
#include <sys/resource.h>

#include <atomic>
#include <vector>

#include "tests/programs/promise.h"

namespace {

constexpr std::size_t kThreads = 400;
constexpr rlimit kLimit{std::size_t{2} << 30, std::size_t{2} << 30};
std::atomic<bool> leave;

void* work(void*) {
  for (const std::size_t bytes : {16, 100, 300, 500}) promise::use(bytes);
  void* const small = promise::get<void>(100);
  void* const pooled = promise::get<void>(5000);
  while (!leave) usleep(20'000);
  promise::put(pooled);
  promise::put(small);
  return nullptr;
}

void limit_address_space(const char* how) {
  const int result = strcmp(how, "prlimit") == 0 ? prlimit(getpid(), RLIMIT_AS, &kLimit, nullptr)
                                                 : setrlimit(RLIMIT_AS, &kLimit);
  promise::keep(result == 0, "the limit is set");
}

}  // namespace

int main(int, char** arguments) {
  limit_address_space(arguments[1]);
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 128 << 10);
  std::vector<pthread_t> threads(kThreads);
  for (pthread_t& thread : threads) {
    promise::keep(pthread_create(&thread, &small, work, nullptr) == 0, "a thread is started");
  }
  promise::use(200'000);
  leave = true;
  for (const pthread_t thread : threads) pthread_join(thread, nullptr);
}
