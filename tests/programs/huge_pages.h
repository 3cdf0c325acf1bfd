// SPDX-License-Identifier: MIT
// Reads what a program has in huge pages, and where it asks for some.
#pragma once

#include <sys/mman.h>

#include "tests/programs/memory.h"

namespace promise {

inline std::size_t huge_bytes() {
  return FileText<4096>("/proc/self/smaps_rollup").number("AnonHugePages:") * 1024;
}

// Tells whether khugepaged may make huge pages of any mapping's.
inline bool any_mapping_wants_huge() {
  FILE* maps = fopen("/proc/self/smaps", "r");
  keep(maps != nullptr, "there is /proc/self/smaps");
  bool found = false;
  for (char line[4096]; fgets(line, sizeof line, maps) != nullptr;) {
    found |= strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " hg") != nullptr;
  }
  fclose(maps);
  return found;
}

// Skips the test unless a program gets huge pages if it asks for them, and only then.
inline void need_huge_pages_on_request() {
  const FileText<128> enabled("/sys/kernel/mm/transparent_hugepage/enabled");
  if (strstr(enabled.text, "[madvise]") == nullptr) skip("huge pages are not had by asking here");
  constexpr std::size_t kBytes = 4 * kMiB;
  const std::size_t before = huge_bytes();
  void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  keep(memory != MAP_FAILED, "there is memory");
  madvise(memory, kBytes, MADV_HUGEPAGE);
  memset(memory, 1, kBytes);
  const bool got = huge_bytes() > before;
  munmap(memory, kBytes);
  if (!got) skip("there are no huge pages now");
}

}  // namespace promise
