// SPDX-License-Identifier: MIT
#include "interpose/lifecycle/main_thread_end.h"

#include <pthread.h>

#include "interpose/heap.h"
#include "pool/platform/process.h"
#include "pool/platform/threads.h"

namespace bufpool {
namespace {

constinit pthread_key_t key = 0;
constinit bool has_key = false;

// libc calls it at the end of a thread that has a value for the key, before it looks whether the
// thread is the last one. It is called for no thread in which the process ends.
void send_trimmer_away(void*) {
  if (platform::thread_id() == platform::process_id()) {
    the_pool.control().trimmer().leave_for_good();
  }
}

}  // namespace

void watch_end_of_main_thread() noexcept {
  if (!has_key) has_key = pthread_key_create(&key, send_trimmer_away) == 0;
  // Any value does. It is written once, because a child would have the page copied.
  if (has_key && pthread_getspecific(key) == nullptr) pthread_setspecific(key, &key);
}

}  // namespace bufpool
