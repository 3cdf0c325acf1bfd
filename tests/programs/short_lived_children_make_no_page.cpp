// SPDX-License-Identifier: MIT
// Promise: a forked child that asks for few buffers and ends makes no statistics page, which would
//   cost it more than all of its requests. It changes nothing on its parent's.
// Needs: library
#include <sys/wait.h>

#include "tests/programs/own_page.h"

int main() {
  constexpr std::size_t kBytes = 70'000;
  constexpr int kFew = 50;
  promise::use(kBytes, 100);
  const promise::PageMapping page = promise::own_page();
  const std::uint64_t gets = promise::figure(promise::read_page(page), "gets", kBytes);
  const pid_t child = fork();
  if (child == 0) {
    promise::use(kBytes, kFew);
    _exit(promise::own_page().file == page.file ? 0 : 1);
  }
  int status = 0;
  promise::keep(waitpid(child, &status, 0) == child, "the child ends");
  promise::keep(WIFEXITED(status) && WEXITSTATUS(status) == 0, "and has made no page");
  promise::keep(promise::figure(promise::read_page(page), "gets", kBytes) == gets,
                "the parent's page tells of the parent");
}
