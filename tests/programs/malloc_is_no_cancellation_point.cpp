// SPDX-License-Identifier: MIT
// Promise: a thread whose cancellation is pending goes on through malloc and free, whatever they
//   have to ask the system for. It ends where it tests for the cancel.
// Run: fresh
// Run: asked_at_start BUFPOOL_TRIMMER=off
#include <pthread.h>

#include "tests/programs/promise.h"

namespace {

bool came_through = false;

void* work(void*) {
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
  pthread_cancel(pthread_self());
  pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, nullptr);
  void* held[64];
  for (int turn = 0; turn < 3; ++turn) {
    for (void*& memory : held) {
      memory = promise::get<void>(1 << 20);
      *static_cast<volatile char*>(memory) = 1;
    }
    for (void* memory : held) promise::put(memory);
  }
  came_through = true;
  pthread_testcancel();
  promise::keep(false, "the thread is cancelled");
  return nullptr;
}

}  // namespace

int main() {
  pthread_t thread;
  promise::keep(pthread_create(&thread, nullptr, work, nullptr) == 0, "a thread starts");
  void* result = nullptr;
  promise::keep(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED, "cancelled");
  promise::keep(came_through, "malloc and free are no cancellation points");
}
