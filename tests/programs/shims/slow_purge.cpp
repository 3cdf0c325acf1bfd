// SPDX-License-Identifier: MIT
// Has a madvise that gives pages back only once the thread that was named sleeps, or has said that
// it is done. So a purge takes as long as it takes the other thread to come and wait for it.
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>

extern "C" {

std::atomic<int> slow_purge_waits_for{0};  // the thread, as the kernel numbers it; 0: nobody
std::atomic<int> slow_purge_waiting{0};    // purges that wait now
}

namespace {

bool sleeps(int thread) {
  char name[64];
  char text[256] = {};
  snprintf(name, sizeof name, "/proc/self/task/%d/stat", thread);
  const int file = open(name, O_RDONLY | O_CLOEXEC);
  if (file < 0) return true;
  const bool known = read(file, text, sizeof text - 1) > 0;
  close(file);
  const char* const state = strrchr(text, ')');
  return known && state != nullptr && state[2] == 'S';
}

}  // namespace

extern "C" int madvise(void* start, std::size_t bytes, int advice) noexcept {
  const bool waits = advice == MADV_DONTNEED && syscall(SYS_gettid) != slow_purge_waits_for;
  if (waits && slow_purge_waits_for != 0) {
    ++slow_purge_waiting;
    for (int thread = 0; (thread = slow_purge_waits_for) != 0 && !sleeps(thread);) usleep(1000);
    --slow_purge_waiting;
  }
  return static_cast<int>(syscall(SYS_madvise, start, bytes, advice));
}
