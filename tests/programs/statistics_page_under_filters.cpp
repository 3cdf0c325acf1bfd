// SPDX-License-Identifier: MIT
// Promise: a program that locks itself in, or is locked in from the start, is not killed for its
//   statistics: its page is made before, and its children's pages are not made at all.
// Needs: library
#include <sys/wait.h>

#include "tests/programs/own_page.h"
#include "tests/programs/seccomp.h"

namespace {

constexpr std::size_t kBytes = 200'000;

void forbid_pages() {
  promise::answer_calls({SYS_memfd_create, SYS_ftruncate, SYS_fcntl, SYS_madvise},
                        SECCOMP_RET_KILL_PROCESS);
}

void expect_success(pid_t child, const char* what) {
  int status = 0;
  promise::keep(waitpid(child, &status, 0) == child, what);
  if (WIFEXITED(status) && WEXITSTATUS(status) == promise::kSkipped) _exit(promise::kSkipped);
  promise::keep(WIFEXITED(status) && WEXITSTATUS(status) == 0, what);
}

}  // namespace

int main(int count, char** arguments) {
  if (count > 1) {  // started under a filter
    promise::use(kBytes, 100);
    return promise::own_page().start == 0 ? 0 : 1;
  }
  const pid_t confined = fork();
  if (confined == 0) {
    forbid_pages();
    execl("/proc/self/exe", arguments[0], "confined", nullptr);
    _exit(9);
  }
  expect_success(confined, "a program under a filter has no page, and goes on");
  forbid_pages();
  promise::use(kBytes, 100);
  const promise::PageMapping page = promise::own_page();
  promise::keep(page.start != 0, "a program that locked itself in has its page");
  const std::uint64_t gets = promise::figure(promise::read_page(page), "gets", kBytes);
  const pid_t child = fork();
  if (child == 0) {
    promise::use(kBytes, 100);
    _exit(promise::own_page().start == 0 ? 0 : 1);
  }
  expect_success(child, "its child has none, and goes on");
  promise::keep(promise::figure(promise::read_page(page), "gets", kBytes) == gets,
                "and leaves its parent's alone");
}
