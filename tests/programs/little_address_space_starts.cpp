// SPDX-License-Identifier: MIT
// Promise: a program that asks for nothing starts and ends under any limit of address space under
//   which it starts without the library. This includes a limit that leaves mimalloc nothing.
// Stderr-not: out of memory|not kept
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/programs/promise.h"

namespace {

// /bin/true has no C++ runtime.
int end_of_true(rlim_t mebibytes) {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit limit{mebibytes << 20, mebibytes << 20};
    if (setrlimit(RLIMIT_AS, &limit) == 0) execl("/bin/true", "true", nullptr);
    _exit(127);
  }
  int status = -1;
  promise::keep(waitpid(child, &status, 0) == child, "it ends");
  return status;
}

}  // namespace

int main() {
  for (const rlim_t mebibytes : {8, 16, 24, 32, 48}) {
    promise::keep(end_of_true(mebibytes) == 0, "and well");
  }
}
