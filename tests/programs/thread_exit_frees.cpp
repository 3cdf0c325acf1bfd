// SPDX-License-Identifier: MIT
// Promise: destructors of thread_local objects and of thread keys may free and allocate while their
//   thread ends, by return or by pthread_exit. Nothing is lost or freed twice.
#include <pthread.h>

#include <memory>

#include "tests/programs/promise.h"

namespace {

struct Holder {
  void* memory = promise::get<void>(70000);
  Holder() { promise::fill(memory, 70000, 4); }
  ~Holder() {
    promise::keep(promise::holds(memory, 70000, 4), "the thread's buffer is whole");
    promise::put(memory);
    promise::use(9000, 3);
  }
};

thread_local std::unique_ptr<Holder> holder;
pthread_key_t key;

void* work(void* by_exit) {
  holder = std::make_unique<Holder>();
  pthread_setspecific(key, new Holder);
  for (const std::size_t bytes : promise::kSizes) promise::use(bytes);
  if (by_exit != nullptr) pthread_exit(nullptr);
  return nullptr;
}

}  // namespace

int main() {
  pthread_key_create(&key, [](void* held) { delete static_cast<Holder*>(held); });
  for (int round = 0; round < 200; ++round) {
    std::array<pthread_t, 4> threads{};
    for (std::size_t i = 0; i < threads.size(); ++i) {
      pthread_create(&threads[i], nullptr, work, i % 2 == 0 ? &key : nullptr);
    }
    for (const pthread_t thread : threads) pthread_join(thread, nullptr);
  }
}
