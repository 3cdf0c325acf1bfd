// SPDX-License-Identifier: MIT
// Tests contents that move by their pages.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "pool/platform/memory.h"

namespace bufpool::platform {
namespace {

constexpr std::size_t kBytes = 64 * kPageBytes;

// Holds memory between two pages that are mapped, too.
class Memory {
 public:
  Memory() : all_(static_cast<char*>(map(kBytes + 2 * kPageBytes))) {}
  ~Memory() { unreserve(all_, kBytes + 2 * kPageBytes); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  char* start() const { return all_ + kPageBytes; }

 private:
  char* all_;
};

void write(char* start, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) start[i] = static_cast<char>(i * 7 + (i >> 12) + 1);
}

bool holds(const char* start, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) {
    if (start[i] != static_cast<char>(i * 7 + (i >> 12) + 1)) return false;
  }
  return true;
}

TEST(ContentsThatMove, AreWholeAndLeaveZeros) {
  const Memory from;
  const Memory to;
  for (const std::size_t in_page : {0UL, 16UL, 4080UL}) {
    for (const std::size_t bytes : {3 * kPageBytes, 3 * kPageBytes + 1, 9 * kPageBytes - 16}) {
      char* const start = from.start() + in_page;
      write(start, bytes);
      errno = 77;
      const ContentsMoved moved = move_contents(start, to.start() + in_page, bytes);
      EXPECT_EQ(errno, 77);
      ASSERT_EQ(moved.how, Moved::kYes);
      EXPECT_TRUE(holds(to.start() + in_page, bytes)) << in_page << ", " << bytes;
      const PagesToMove pages(start, bytes);
      for (auto at = pages.first; at < pages.last; ++at) {
        ASSERT_EQ(*reinterpret_cast<const char*>(at), 0);
      }
    }
  }
}

TEST(ContentsThatMove, MoveOnInSeveralMappings) {
  const Memory first;
  const Memory second;
  const Memory third;
  constexpr std::size_t kPart = 20 * kPageBytes + 100;
  write(first.start() + 64, kPart);
  EXPECT_FALSE(move_contents(first.start() + 64, second.start() + 64, kPart).in_pieces);
  write(second.start() + 64, kBytes - 64);
  const ContentsMoved moved = move_contents(second.start() + 64, third.start() + 64, kBytes - 64);
  EXPECT_EQ(moved.how, Moved::kYes);
  EXPECT_TRUE(moved.in_pieces);
  EXPECT_TRUE(holds(third.start() + 64, kBytes - 64));
  EXPECT_EQ(second.start()[kBytes / 2], 0);
}

TEST(ContentsThatMove, AreWritableWhereAPartWasNot) {
  const Memory from;
  const Memory to;
  write(from.start(), kBytes);
  ASSERT_EQ(mprotect(from.start() + 8 * kPageBytes, kPageBytes, PROT_READ), 0);
  EXPECT_NE(move_contents(from.start(), to.start(), kBytes).how, Moved::kLost);
  write(to.start(), kBytes);
  EXPECT_TRUE(holds(to.start(), kBytes));
}

TEST(ContentsThatMove, StayWhereTheyLieInManyMappings) {
  const Memory from;
  const Memory to;
  write(from.start(), kBytes);
  for (std::size_t at = kPageBytes; at < kBytes / 2; at += 2 * kPageBytes) {
    ASSERT_EQ(mprotect(from.start() + at, kPageBytes, PROT_READ), 0);
  }
  EXPECT_EQ(move_contents(from.start(), to.start(), kBytes).how, Moved::kNo);
  EXPECT_TRUE(holds(from.start(), kBytes));
}

}  // namespace
}  // namespace bufpool::platform
