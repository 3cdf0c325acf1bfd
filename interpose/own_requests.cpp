// SPDX-License-Identifier: MIT
// The linker sends here what this library itself asks of malloc (CMakeLists.txt).
#include <cstddef>

// The names are the linker's.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" void* __real_malloc(std::size_t size) noexcept;

// libstdc++ sets 72 KiB aside at start, for exceptions that are thrown when memory has run out. It
// does without them if they are refused, and nothing in this library throws. If they were granted,
// every process's report would show them as a buffer of the program's.
extern "C" void* __wrap_malloc(std::size_t size) noexcept {
  constexpr std::size_t kLargestException = 4096;
  return size > kLargestException ? nullptr : __real_malloc(size);
}
// NOLINTEND(bugprone-reserved-identifier)
