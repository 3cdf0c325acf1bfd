// SPDX-License-Identifier: MIT
// Runs work that needs a process of its own, and knows the checkers that a test runs under.
#pragma once

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>

namespace bufpool {

#ifdef __SANITIZE_THREAD__
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif
#ifdef __SANITIZE_ADDRESS__
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif

// Both checkers reserve terabytes themselves, so that no limit of the address space means anything.
inline constexpr bool kLimitsMeanNothing = kThreadSanitizer || kAddressSanitizer;

// Returns how a child ended: its status, or 128 plus the number of a signal.
inline int wait_for(pid_t child) {
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Runs `work`, which returns a status, in a forked child. 0 is success. By habit `work` returns the
// line of the first check that fails.
template <typename Work>
int in_child(Work&& work) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) _exit(work());
  return wait_for(child);
}

// Limits the address space of this process to `bytes` more than it has.
inline void leave_address_space(std::size_t bytes) {
  std::size_t pages = 0;
  std::FILE* const statm = std::fopen("/proc/self/statm", "re");
  if (statm == nullptr || std::fscanf(statm, "%zu", &pages) != 1) std::perror("statm");
  if (statm != nullptr) std::fclose(statm);
  const rlimit limit{pages * 4096 + bytes, RLIM_INFINITY};
  if (setrlimit(RLIMIT_AS, &limit) != 0) std::perror("setrlimit");
}

}  // namespace bufpool
