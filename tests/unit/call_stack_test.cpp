// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "pool/platform/stack.h"

extern "C" const char __executable_start[];  // NOLINT(*-identifier-naming)
extern "C" const char etext[];

namespace bufpool {
namespace {

bool is_own(std::uint64_t address) {
  return address >= reinterpret_cast<std::uintptr_t>(__executable_start) &&
         address < reinterpret_cast<std::uintptr_t>(etext);
}

std::array<std::uint64_t, 32> frames;
std::size_t depth = 0;

int look(const void*, const void*) {
  depth = platform::call_stack(frames);
  return 0;
}

// The pool is linked into this program, so all of the program is taken for the library. It was
// entered last where libc called it.
TEST(CallStack, BeginsWhereTheLibraryWasEntered) {
  std::array<int, 2> numbers{2, 1};
  errno = 77;
  std::qsort(numbers.data(), numbers.size(), sizeof numbers[0], look);
  EXPECT_EQ(errno, 77);
  ASSERT_GE(depth, 3U);
  EXPECT_FALSE(is_own(frames[0])) << "this is qsort";
  bool returns = false;
  for (std::size_t i = 1; i < depth; ++i) returns |= is_own(frames[i]);
  EXPECT_TRUE(returns) << "the test called it";
}

TEST(CallStack, WritesNoMoreThanThereIsRoomFor) {
  frames.fill(0);
  EXPECT_EQ(platform::call_stack({}), 0U);
  EXPECT_EQ(platform::call_stack(std::span(frames).first(1)), 1U);
  EXPECT_NE(frames[0], 0U);
  EXPECT_EQ(frames[1], 0U);
}

}  // namespace
}  // namespace bufpool
