// SPDX-License-Identifier: MIT
// Promise: a program that leaves its name where memory is unmapped, as a plug-in does that set it,
//   has children with pages and reports, which have the name that it had at its start.
// Needs: library
// Env: -BUFPOOL_REPORT BUFPOOL_REPORT_MIN=0
// Stderr: (?s)\[\d+ name_that_is_go\w*\].*\[\d+ name_that_is_go\w*\]
#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cstring>

#include "tests/programs/memory.h"
#include "tests/programs/own_page.h"

namespace {

void work() {
  for (int i = 0; i < 10; ++i) promise::Burst burst(18 * promise::kMiB, 60'000);
}

bool own_page_has_the_name() {
  const bufpool::StatsPage page = promise::read_page(promise::own_page());
  return page.command().starts_with("name_that_is_go");
}

}  // namespace

int main() {
  work();
  constexpr std::size_t kBytes = 4096;
  auto* const name = static_cast<char*>(
      mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  std::strcpy(name, "plugin");
  program_invocation_short_name = name;
  promise::keep(munmap(name, kBytes) == 0, "the name is gone");
  work();
  const pid_t child = fork();
  if (child == 0) {
    work();
    promise::keep(own_page_has_the_name(), "the child's page has the name of the start");
    return 0;
  }
  int status = 0;
  promise::keep(waitpid(child, &status, 0) == child && status == 0, "the child lives");
  promise::keep(own_page_has_the_name(), "and so has its parent's");
}
