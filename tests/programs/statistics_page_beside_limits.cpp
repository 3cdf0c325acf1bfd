// SPDX-License-Identifier: MIT
// Promise: a forked child whose descriptors are used up when it would make its statistics page has
//   none and goes on. A program that is started without descriptors 0, 1 and 2 has a page, which
//   takes none of them.
// Run: used_up BUFPOOL_STATS=auto
// Run: used_up_folder BUFPOOL_STATS=/dev/shm
// Run: closed BUFPOOL_STATS=auto
// Closed: 0 1 2
// Run: closed_folder BUFPOOL_STATS=/dev/shm
// Closed: 0 1 2
// Needs: library
#include <fcntl.h>
#include <sys/wait.h>

#include <utility>

#include "tests/programs/own_page.h"

namespace {

bool has_page() { return promise::own_page().start != 0 || promise::has_page_in_folder(); }

void miss_often() {
  for (std::size_t bytes = 600; bytes < 1'000'000; bytes += 500) promise::use(bytes);
}

int status_of_child(rlim_t most_descriptors, bool expected) {
  const pid_t child = fork();
  if (child == 0) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    const rlim_t before = std::exchange(limit.rlim_cur, most_descriptors);
    setrlimit(RLIMIT_NOFILE, &limit);
    miss_often();
    limit.rlim_cur = before;
    setrlimit(RLIMIT_NOFILE, &limit);
    _exit(has_page() == expected ? 0 : 5);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) return 6;
  return WEXITSTATUS(status);
}

}  // namespace

int main() {
  const bool is_closed = fcntl(STDERR_FILENO, F_GETFD) == -1;
  miss_often();
  if (!has_page()) return 2;
  for (int descriptor = 0; is_closed && descriptor < 3; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) != -1) return 3;
  }
  return status_of_child(is_closed ? 1024 : 0, is_closed);
}
