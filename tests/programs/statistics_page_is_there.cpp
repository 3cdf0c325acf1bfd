// SPDX-License-Identifier: MIT
// Promise: from its first pooled get on a process has a statistics page with its figures, which
//   takes none of its descriptors, and none where it is not to have one. Limits of files and
//   descriptors do it no harm.
// Run: auto
// Run: on BUFPOOL_STATS=on
// Run: off BUFPOOL_STATS=off
// Args: none
// Run: no_folder BUFPOOL_STATS=/nowhere/at/all
// Args: none
// Run: no_path BUFPOOL_STATS=sometimes
// Stderr: BUFPOOL_STATS=sometimes: not auto, on, off or the full path of a folder; using auto
// Run: no_file_may_be_large
// Args: none
// Limit: fsize=16K
// Run: disabled BUFPOOL_DISABLE=1
// Args: none
#include <dirent.h>

#include "tests/programs/own_page.h"

namespace {

int open_descriptors() {
  int count = 0;
  for (int number = 0; number < 1024; ++number) count += fcntl(number, F_GETFD) >= 0;
  return count;
}

}  // namespace

int main(int count, char**) {
  const int before = open_descriptors();
  constexpr std::size_t kBytes = 200'000;
  promise::use(kBytes, 100);
  const promise::PageMapping page = promise::own_page();
  promise::keep(open_descriptors() == before, "no descriptor is the page's");
  if (count > 1) return page.start == 0 ? 0 : 1;
  promise::keep(strcmp(page.rights, "rw-s") == 0, "it is shared");
  const bufpool::StatsPage first = promise::read_page(page);
  promise::keep(first.header().pid == static_cast<std::uint32_t>(getpid()), "it names the process");
  promise::keep(first.command() == "statistics_page_is_there", "and the command");
  const std::uint64_t gets = promise::figure(first, "gets", kBytes);
  promise::use(kBytes, 1000);
  const bufpool::StatsPage second = promise::read_page(page);
  promise::keep(promise::figure(second, "gets", kBytes) == gets + 1000, "each get counts");
  promise::keep(promise::figure(second, "puts", kBytes) == gets + 1000, "and each put");
  promise::keep(promise::figure(second, "in_use", kBytes) == 0, "none is in use");
  promise::keep(!second.options().empty(), "the options are there");
}
