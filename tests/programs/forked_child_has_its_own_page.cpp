// SPDX-License-Identifier: MIT
// Promise: a forked child, however it was forked, has a page of its own from its first slow path on
//   and changes nothing on its parent's, not even before.
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/programs/own_page.h"

// Absent before glibc 2.34.
extern "C" pid_t _Fork() noexcept;
#pragma weak _Fork

namespace {

constexpr std::size_t kBytes = 70'000;

// In the child: hits come first, on stacks that the parent has filled.
int work(const promise::PageMapping& parents) {
  promise::use(kBytes, 1000);
  const promise::PageMapping own = promise::own_page();
  if (own.start == 0 || own.file == parents.file) return 2;
  const bufpool::StatsPage page = promise::read_page(own);
  if (page.header().pid != static_cast<std::uint32_t>(getpid())) return 3;
  if (page.header().parent_pid != static_cast<std::uint32_t>(getppid())) return 4;
  return promise::figure(page, "gets", kBytes) >= 1000 ? 0 : 5;
}

template <typename Fork>
void expect_own_page(Fork fork_once, bool counts_from_zero) {
  const promise::PageMapping page = promise::own_page();
  promise::use(kBytes, 100);
  const bufpool::StatsPage before = promise::read_page(page);
  const pid_t child = fork_once();
  if (child == 0) {
    const int fault = work(page);
    if (fault != 0 || !counts_from_zero) syscall(SYS_exit_group, fault);
    const std::uint64_t gets =
        promise::figure(promise::read_page(promise::own_page()), "gets", kBytes);
    syscall(SYS_exit_group, gets == 1000 ? 0 : 6);
  }
  int status = 0;
  promise::keep(waitpid(child, &status, 0) == child, "the child ends");
  promise::keep(WIFEXITED(status) && WEXITSTATUS(status) == 0, "as it should");
  const bufpool::StatsPage after = promise::read_page(page);
  for (const char* name : {"gets", "hits", "misses", "puts", "in_use", "cached", "asked"}) {
    promise::keep(promise::figure(before, name, kBytes) == promise::figure(after, name, kBytes),
                  name);
  }
}

}  // namespace

int main() {
  promise::use(kBytes, 100);
  promise::keep(promise::own_page().start != 0, "there is a page");
  expect_own_page(fork, true);
  if (&_Fork != nullptr) expect_own_page(_Fork, false);
#ifdef SYS_fork
  expect_own_page([] { return static_cast<pid_t>(syscall(SYS_fork)); }, false);
#endif
  // A child of a child.
  expect_own_page(
      [] {
        const pid_t child = fork();
        if (child != 0) return child;
        promise::use(kBytes, 1);
        const pid_t second = fork();
        if (second == 0) return second;
        int status = 0;
        waitpid(second, &status, 0);
        syscall(SYS_exit_group, WEXITSTATUS(status));
        return second;
      },
      true);
}
