// SPDX-License-Identifier: MIT
// Finds out what a program has resident and which threads are in it. It does not allocate, because
// a call would be an occasion to tidy up.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>

#include <algorithm>
#include <cstdint>

#include "tests/programs/promise.h"

namespace promise {

inline constexpr std::size_t kMiB = std::size_t{1} << 20;

// Reads the start of a file in /proc as text.
template <std::size_t kBytes>
struct FileText {
  explicit FileText(const char* name) {
    const int file = open(name, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    ssize_t got = 0;
    while (length < kBytes - 1 && (got = read(file, text + length, kBytes - 1 - length)) > 0) {
      length += static_cast<std::size_t>(got);
    }
    close(file);
  }
  // Returns the number behind `key`, or 0 if there is none.
  unsigned long number(const char* key, int base = 10) const {
    const char* found = strstr(text, key);
    return found == nullptr ? 0 : strtoul(found + strlen(key), nullptr, base);
  }
  char text[kBytes] = {};
  std::size_t length = 0;
};

inline std::size_t resident_bytes() {
  const FileText<128> statm("/proc/thread-self/statm");
  char* after_first = nullptr;
  strtoul(statm.text, &after_first, 10);
  return strtoul(after_first, nullptr, 10) * 4096;
}

// Returns the bytes of the pages that this process wrote to and shares with nobody.
inline std::size_t private_dirty_bytes() {
  static FileText<4096> rollup("/proc/self/smaps_rollup");
  if (rollup.length == 0) skip("the kernel does not tell");
  return rollup.number("Private_Dirty:") * 1024;
}

// Returns the bytes that are resident beyond `before`.
inline std::size_t grown_since(std::size_t before) {
  const std::size_t now = resident_bytes();
  return now > before ? now - before : 0;
}

inline void sleep_ms(long milliseconds) {
  timespec time{milliseconds / 1000, milliseconds % 1000 * 1'000'000};
  nanosleep(&time, nullptr);
}
inline std::uint64_t now_ms() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1000 +
         static_cast<std::uint64_t>(time.tv_nsec) / 1'000'000;
}

// Waits until `condition` holds. Returns false if it does not within a time that no machine is too
// slow for. On a quiet machine it takes two seconds at most.
template <typename Condition>
bool comes_true(Condition condition) {
  const std::uint64_t start = now_ms();
  while (!condition()) {
    if (now_ms() - start > 60'000) return false;
    sleep_ms(20);
  }
  return true;
}

// Returns the number of the thread that has the name bufpool-trim, or 0 if there is none.
inline int trimmer_thread() {
  alignas(16) char entries[4096];
  int found = 0;
  const int folder = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (long got; (got = syscall(SYS_getdents64, folder, entries, sizeof entries)) > 0;) {
    for (long at = 0; at < got;) {
      unsigned short length = 0;
      memcpy(&length, entries + at + 16, sizeof length);
      const char* name = entries + at + 19;
      char file[64];
      snprintf(file, sizeof file, "/proc/self/task/%.16s/comm", name);
      if (strcmp(FileText<32>(file).text, "bufpool-trim\n") == 0) found = atoi(name);
      at += length;
    }
  }
  close(folder);
  return found;
}

// Moves the program to a CPU and keeps it there: the CPU that it happens to be on, or another one.
inline bool move_to_cpu(bool another) {
  cpu_set_t allowed;
  cpu_set_t one;
  CPU_ZERO(&one);
  sched_getaffinity(0, sizeof allowed, &allowed);
  const int here = sched_getcpu();
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || (cpu == here) == another) continue;
    CPU_SET(cpu, &one);
    return sched_setaffinity(0, sizeof one, &one) == 0;
  }
  return false;
}

// Holds buffers of one size, all written.
class Burst {
 public:
  Burst(std::size_t bytes, std::size_t size) : count_(std::min(bytes / size, held_.size())) {
    for (std::size_t i = 0; i < count_; ++i) {
      held_[i] = static_cast<char*>(memset(get<void>(size), 1, size));
    }
  }
  ~Burst() {
    for (std::size_t i = 0; i < count_; ++i) put(held_[i]);
  }
  Burst(const Burst&) = delete;
  Burst& operator=(const Burst&) = delete;

 private:
  std::array<char*, 20000> held_;
  std::size_t count_;
};

}  // namespace promise
