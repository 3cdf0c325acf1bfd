// SPDX-License-Identifier: MIT
// Promise: a program may lock, advise and protect each of its own mappings that the kernel lists,
//   those of the library as well. Its buffers can be used afterwards.
#include <fcntl.h>
#include <sys/mman.h>

#include <string_view>

#include "tests/programs/promise.h"

namespace {

// Reads the kernel's list into memory that is no buffer.
std::string_view own_maps() {
  static char text[256 << 10];
  const int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  promise::keep(file >= 0, "the mappings can be read");
  std::size_t length = 0;
  for (ssize_t got; (got = read(file, text + length, sizeof text - 1 - length)) > 0;) {
    length += static_cast<std::size_t>(got);
  }
  close(file);
  return {text, length};
}

template <typename Visit>
int for_each_anonymous(Visit visit) {
  int count = 0;
  for (std::string_view rest = own_maps(); !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    unsigned long start = 0;
    unsigned long end = 0;
    char rights[5] = {};
    const bool read = sscanf(line.data(), "%lx-%lx %4s", &start, &end, rights) == 3;
    const bool named = line.find_first_of("/[") != std::string_view::npos;
    if (!read || named || rights[1] != 'w') continue;
    visit(reinterpret_cast<void*>(start), end - start);
    ++count;
  }
  return count;
}

}  // namespace

int main() {
  for (const std::size_t bytes : {100, 600, 5000}) {
    promise::use(bytes);
    const int count = for_each_anonymous([](void* start, std::size_t length) {
      madvise(start, length, MADV_DONTDUMP);
      madvise(start, length, MADV_MERGEABLE);
      mlock(start, length);
      munlock(start, length);
      mlock2(start, length, MLOCK_ONFAULT);
      munlock(start, length);
      mprotect(start, length, PROT_READ | PROT_WRITE);
    });
    promise::keep(count > 0, "there are mappings");
  }
  for (const std::size_t bytes : promise::kSizes) promise::use(bytes, 3);
}
