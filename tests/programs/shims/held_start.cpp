// SPDX-License-Identifier: MIT
// Holds the first start of a thread up, once held_start_watches is set, until that thread has left
// and held_start_may_return is set. It counts how many starts are under way at once.
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include <atomic>

extern "C" {
std::atomic<int> held_start_watches{0};
std::atomic<int> held_start_has_left{0};
std::atomic<int> held_start_may_return{0};
std::atomic<int> held_start_most_at_once{0};
}

namespace {

using Body = void* (*)(void*);
using Create = int(pthread_t*, const pthread_attr_t*, Body, void*);

struct Start {
  Body body;
  void* argument;
};

std::atomic<int> under_way{0};
Start first{};

void* run_first(void*) {
  void* const result = first.body(first.argument);
  held_start_has_left = 1;
  return result;
}

int hold_up(Create* real, pthread_t* thread, const pthread_attr_t* attributes, Start start) {
  first = start;
  const int result = real(thread, attributes, run_first, nullptr);
  while (result == 0 && held_start_may_return == 0) sched_yield();
  return result;
}

// Calls libc's function. Another start that comes meanwhile fails, as it would be on one stack with
// the first.
int create(pthread_t* thread, const pthread_attr_t* attributes, Start start) {
  static Create* const real = reinterpret_cast<Create*>(dlsym(RTLD_NEXT, "pthread_create"));
  if (held_start_watches == 0) return real(thread, attributes, start.body, start.argument);
  const int now = ++under_way;
  if (now > held_start_most_at_once) held_start_most_at_once = now;
  int result = EAGAIN;
  if (now == 1 && first.body == nullptr) {
    result = hold_up(real, thread, attributes, start);
  } else if (now == 1) {
    result = real(thread, attributes, start.body, start.argument);
  }
  --under_way;
  return result;
}

}  // namespace

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, Body body,
                              void* argument) {
  return create(thread, attributes, {body, argument});
}
