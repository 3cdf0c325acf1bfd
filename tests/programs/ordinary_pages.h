// SPDX-License-Identifier: MIT
// Tells whether the kernel has a page as one like any other.
#pragma once

#include <cstdint>

#include "tests/programs/promise.h"

namespace promise {

// The kernel tells of altered pages by these: locked, at once and on fault; kept from children,
// wiped in them, kept from cores, shared where equal, watched.
inline constexpr const char* kMarks[] = {" lo", " lf", " dc", " wf", " dd", " mg", " um"};

inline bool is_ordinary(const char* rights, unsigned long inode, const char* flags) {
  for (const char* mark : kMarks) {
    if (strstr(flags, mark) != nullptr) return false;
  }
  return strcmp(rights, "rw-p") == 0 && inode == 0;
}

inline bool is_mapped_as_any_other(const void* address) {
  static char line[512];
  char rights[8] = {};
  unsigned long inode = 0;
  bool inside = false;
  bool ordinary = false;
  FILE* const maps = fopen("/proc/self/smaps", "re");
  keep(maps != nullptr, "there is a list of mappings");
  while (fgets(line, sizeof line, maps) != nullptr) {
    unsigned long from = 0;
    unsigned long to = 0;
    if (sscanf(line, "%lx-%lx %7s %*s %*s %lu", &from, &to, rights, &inode) == 4) {
      inside = from <= reinterpret_cast<std::uintptr_t>(address) &&
               reinterpret_cast<std::uintptr_t>(address) < to;
    } else if (inside && strncmp(line, "VmFlags:", 8) == 0) {
      ordinary = is_ordinary(rights, inode, line);
      break;
    }
  }
  fclose(maps);
  return ordinary;
}

}  // namespace promise
