// SPDX-License-Identifier: MIT
// Promise: a vfork child that asks for the first buffer of the process makes no statistics page,
//   because it runs in the memory of its parent. The parent's page names the parent.
// Needs: library
// Env: BUFPOOL_MIN_SIZE=128K
#include <sys/wait.h>

#include "tests/programs/own_page.h"

int main() {
  const pid_t child = vfork();
  if (child == 0) {
    promise::put(promise::get<void>(1 << 20));
    _exit(0);
  }
  int status = 0;
  promise::keep(waitpid(child, &status, 0) == child && status == 0, "the child has a buffer");
  promise::use(1 << 20, 10);
  const bufpool::StatsPage page = promise::read_page(promise::own_page());
  promise::keep(page.header().pid == static_cast<std::uint32_t>(getpid()),
                "the page is that of this process");
}
