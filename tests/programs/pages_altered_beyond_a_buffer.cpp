// SPDX-License-Identifier: MIT
// Promise: calls for pages end, wherever their range ends, and fail as libc's do. The range may go
//   up to the end of the page that a buffer ends in, around the end of all addresses, or over
//   nothing.
#include <sys/mman.h>

#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kPage = 4096;

template <typename Address>
char* page_of(Address address) {
  const auto number = reinterpret_cast<std::uintptr_t>(address);
  return reinterpret_cast<char*>(number / kPage * kPage);
}

void expect_calls_to_end(std::size_t bytes) {
  char* const memory = static_cast<char*>(memset(promise::get(bytes), 1, bytes));
  char* const first = page_of(memory + kPage);
  const auto up_to_end = static_cast<std::size_t>(page_of(memory + bytes + kPage - 1) - first);
  for (const int rights : {PROT_READ, PROT_READ | PROT_WRITE}) {
    promise::keep(mprotect(first, up_to_end, rights) == 0, "the page it ends in is included");
  }
  promise::keep(madvise(first, up_to_end, MADV_DONTDUMP) == 0, "it is advised");
  promise::keep(madvise(first, up_to_end, MADV_DODUMP) == 0, "and as it was");
  promise::keep(mprotect(first + 1, kPage, PROT_NONE) != 0 && errno == EINVAL, "off a page");
  promise::keep(mprotect(first, SIZE_MAX, PROT_NONE) != 0 && errno == ENOMEM, "around the end");
  promise::keep(munmap(first, 0) != 0 && errno == EINVAL, "nothing is not unmapped");
  promise::keep(madvise(first, 0, MADV_DONTFORK) == 0, "but nothing is advised");
  promise::keep(mmap(first + 1, kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
                        MAP_FAILED &&
                    errno == EINVAL,
                "nothing is mapped off a page");
  promise::put(memory);
}

}  // namespace

int main() {
  for (const std::size_t bytes : promise::kSizes) {
    if (bytes >= 5000) expect_calls_to_end(bytes);
  }
  expect_calls_to_end(promise::hide<std::size_t>((20 << 20) + 64));
  void* const page = mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  promise::keep(page != MAP_FAILED && munmap(page, kPage) == 0, "others' pages are mapped");
}
