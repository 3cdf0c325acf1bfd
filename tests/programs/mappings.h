// SPDX-License-Identifier: MIT
// Uses up the mappings that a process may have (vm.max_map_count).
#pragma once

#include <fcntl.h>
#include <sys/mman.h>

#include "tests/programs/promise.h"

namespace promise {

class UsedUpMappings {
 public:
  // Reserves the address space that is needed. It skips the test where the system allows more
  // mappings than a test can use up.
  UsedUpMappings() {
    constexpr std::size_t kMostMappings = 100'000;
    pages_ = 2 * allowed() + 1000;
    if (pages_ > 2 * kMostMappings) skip("too many mappings are allowed here");
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void* const all = mmap(nullptr, pages_ * kPage, PROT_NONE, flags, -1, 0);
    keep(all != MAP_FAILED, "address space");
    first_ = static_cast<char*>(all);
  }

  // Gives every second page other rights, so that each is a mapping, until there are `left` more to
  // be had. Pre: it is called once.
  void use_all_but(std::size_t left) {
    std::size_t used = 1;
    while (used < pages_ && mprotect(first_ + used * kPage, kPage, PROT_READ) == 0) used += 2;
    if (used >= pages_) skip("there is no end to mappings here");
    for (; left > 0; --left) {
      used -= 2;
      keep(mprotect(first_ + used * kPage, kPage, PROT_NONE) == 0, "two come free");
    }
  }

  void free_all() { keep(munmap(first_, pages_ * kPage) == 0, "mappings come free"); }

 private:
  static constexpr std::size_t kPage = 4096;

  static std::size_t allowed() {
    char text[32] = {};
    const int file = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
    if (file < 0 || read(file, text, sizeof text - 1) <= 0) return 0;
    close(file);
    return strtoul(text, nullptr, 10);
  }

  char* first_ = nullptr;
  std::size_t pages_ = 0;
};

}  // namespace promise
