// SPDX-License-Identifier: MIT
#include "interpose/libc_rules.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace bufpool {
namespace {

// Serves addresses that it makes up, notes every call, and can refuse the nth one. As Heap does, it
// leaves ENOMEM behind where a plain request fails. It spoils errno everywhere it may.
struct Ledger {
  std::uintptr_t next = 0x10000;
  int calls_until_failure = -1;
  std::map<void*, std::size_t> live;
  std::vector<std::string> calls;

  bool fails() { return calls_until_failure >= 0 && calls_until_failure-- == 0; }

  void* serve(std::size_t alignment, std::size_t size) {
    if (fails()) return nullptr;
    next = (next + alignment - 1) & ~(alignment - 1);
    void* const pointer = reinterpret_cast<void*>(next);
    next += size + 16;
    live[pointer] = size;
    return pointer;
  }
};

struct FakeHeap {
  Ledger* ledger;

  void* allocate(std::size_t size) {
    ledger->calls.push_back("allocate " + std::to_string(size));
    void* const pointer = ledger->serve(16, size);
    if (pointer == nullptr) errno = ENOMEM;
    return pointer;
  }
  void* allocate_zeroed(std::size_t size) {
    ledger->calls.push_back("zeroed " + std::to_string(size));
    return ledger->serve(16, size);
  }
  void* allocate_aligned(std::size_t alignment, std::size_t size) {
    ledger->calls.push_back("aligned " + std::to_string(alignment) + " " + std::to_string(size));
    if ((alignment & (alignment - 1)) != 0 || alignment == 0) ADD_FAILURE() << alignment;
    void* const pointer = ledger->serve(alignment <= (1 << 20) ? alignment : 1 << 20, size);
    if (pointer == nullptr) errno = EBADF;
    return pointer;
  }
  void* resize(void* pointer, std::size_t size) {
    ledger->calls.push_back("resize " + std::to_string(size));
    if (pointer == nullptr || size == 0) ADD_FAILURE() << "against its pre-condition";
    if (ledger->fails()) return nullptr;
    ledger->live.erase(pointer);
    return ledger->serve(16, size);
  }
  std::size_t usable_size(void* pointer) {
    if (pointer == nullptr) ADD_FAILURE() << "asked about null";
    return ledger->live.at(pointer);
  }
  void release(void* pointer) {
    if (pointer != nullptr) ledger->live.erase(pointer);
    ledger->calls.push_back("release");
  }
};
static_assert(libc_rules::Allocator<FakeHeap>);

using Calls = std::vector<std::string>;

class LibcRules : public testing::Test {
 protected:
  LibcRules() { errno = kUntouched; }

  void fail_next() { ledger_.calls_until_failure = 0; }
  // Returns the errno that a call left behind, and sets it to what it was before.
  static int left_errno() {
    const int left = errno;
    errno = kUntouched;
    return left;
  }
  void expect_refused(const void* pointer, int error) {
    EXPECT_EQ(left_errno(), error);
    EXPECT_EQ(pointer, nullptr);
    EXPECT_EQ(ledger_.calls, Calls{}) << "refused before the allocator is asked";
  }

  static constexpr int kUntouched = 12345;
  static constexpr std::size_t kHuge = SIZE_MAX / 2;
  Ledger ledger_;
  FakeHeap heap_{&ledger_};
};

TEST_F(LibcRules, MallocHandsOnSizeZeroToo) {
  EXPECT_NE(libc_rules::malloc(heap_, 0), nullptr);
  EXPECT_NE(libc_rules::malloc(heap_, 100), nullptr);
  EXPECT_EQ(ledger_.calls, (Calls{"allocate 0", "allocate 100"}));
  EXPECT_EQ(left_errno(), kUntouched);
}

TEST_F(LibcRules, MallocOutOfMemoryIsEnomem) {
  fail_next();
  EXPECT_EQ(libc_rules::malloc(heap_, 100), nullptr);
  EXPECT_EQ(left_errno(), ENOMEM);
}

TEST_F(LibcRules, FreeKeepsErrnoAndTakesNull) {
  libc_rules::free(heap_, libc_rules::malloc(heap_, 100));
  libc_rules::free(heap_, nullptr);
  EXPECT_EQ(left_errno(), kUntouched);
  EXPECT_TRUE(ledger_.live.empty());
}

TEST_F(LibcRules, CallocMultiplies) {
  EXPECT_NE(libc_rules::calloc(heap_, 7, 100), nullptr);
  EXPECT_NE(libc_rules::calloc(heap_, 0, SIZE_MAX), nullptr);
  EXPECT_EQ(ledger_.calls, (Calls{"zeroed 700", "zeroed 0"}));
  EXPECT_EQ(left_errno(), kUntouched);
}

TEST_F(LibcRules, CallocOverflowIsEnomem) {
  expect_refused(libc_rules::calloc(heap_, SIZE_MAX / 2 + 1, 2), ENOMEM);
  expect_refused(libc_rules::calloc(heap_, 3, SIZE_MAX / 2), ENOMEM);
  expect_refused(libc_rules::calloc(heap_, std::size_t{1} << 32, std::size_t{1} << 32), ENOMEM);
}

TEST_F(LibcRules, CallocOutOfMemoryIsEnomem) {
  fail_next();
  EXPECT_EQ(libc_rules::calloc(heap_, 1, 100), nullptr);
  EXPECT_EQ(left_errno(), ENOMEM);
}

TEST_F(LibcRules, ReallocOfNullIsMalloc) {
  EXPECT_NE(libc_rules::realloc(heap_, nullptr, 50), nullptr);
  EXPECT_NE(libc_rules::realloc(heap_, nullptr, 0), nullptr);
  EXPECT_EQ(ledger_.calls, (Calls{"allocate 50", "allocate 0"}));
}

TEST_F(LibcRules, ReallocToZeroFrees) {
  void* const pointer = libc_rules::malloc(heap_, 50);
  EXPECT_EQ(libc_rules::realloc(heap_, pointer, 0), nullptr);
  EXPECT_TRUE(ledger_.live.empty());
  EXPECT_EQ(left_errno(), kUntouched);
}

TEST_F(LibcRules, ReallocThatFailsLeavesTheBlockAndSaysEnomem) {
  void* const pointer = libc_rules::malloc(heap_, 50);
  fail_next();
  EXPECT_EQ(libc_rules::realloc(heap_, pointer, 500), nullptr);
  EXPECT_EQ(left_errno(), ENOMEM);
  EXPECT_EQ(ledger_.live.count(pointer), 1U);
  EXPECT_NE(libc_rules::realloc(heap_, pointer, 500), nullptr);
  EXPECT_EQ(left_errno(), kUntouched);
}

TEST_F(LibcRules, ReallocarrayOverflowLeavesTheBlock) {
  void* const pointer = libc_rules::malloc(heap_, 50);
  ledger_.calls.clear();
  expect_refused(libc_rules::reallocarray(heap_, pointer, SIZE_MAX, 2), ENOMEM);
  EXPECT_EQ(ledger_.live.count(pointer), 1U);
}

TEST_F(LibcRules, ReallocarrayMultipliesAndObeysReallocsRules) {
  void* pointer = libc_rules::reallocarray(heap_, nullptr, 4, 25);
  pointer = libc_rules::reallocarray(heap_, pointer, 8, 25);
  EXPECT_EQ(libc_rules::reallocarray(heap_, pointer, 0, 25), nullptr);
  EXPECT_EQ(ledger_.calls, (Calls{"allocate 100", "resize 200", "release"}));
  EXPECT_TRUE(ledger_.live.empty());
}

TEST_F(LibcRules, MemalignRoundsUpToAPowerOfTwo) {
  const std::pair<std::size_t, const char*> rows[] = {
      {0, "aligned 1 9"},   {1, "aligned 1 9"},     {3, "aligned 4 9"},      {16, "aligned 16 9"},
      {17, "aligned 32 9"}, {100, "aligned 128 9"}, {4096, "aligned 4096 9"}};
  for (const auto& [alignment, call] : rows) {
    ledger_.calls.clear();
    EXPECT_NE(libc_rules::memalign(heap_, alignment, 9), nullptr);
    EXPECT_EQ(ledger_.calls, Calls{call});
  }
  EXPECT_EQ(left_errno(), kUntouched);
}

TEST_F(LibcRules, MemalignBeyondAllPowersIsEinval) {
  expect_refused(libc_rules::memalign(heap_, SIZE_MAX / 2 + 2, 9), EINVAL);
  expect_refused(libc_rules::memalign(heap_, SIZE_MAX, 9), EINVAL);
  expect_refused(libc_rules::aligned_alloc(heap_, SIZE_MAX, 9), EINVAL);
}

TEST_F(LibcRules, TheLargestPowerIsStillAnAlignment) {
  EXPECT_EQ(libc_rules::power_of_two_above(SIZE_MAX / 2 + 1), SIZE_MAX / 2 + 1);
  EXPECT_FALSE(libc_rules::alignment_overflows(SIZE_MAX / 2 + 1));
}

TEST_F(LibcRules, AlignedAllocTakesAnySizeAndAlignment) {
  EXPECT_NE(libc_rules::aligned_alloc(heap_, 64, 7), nullptr);
  EXPECT_NE(libc_rules::aligned_alloc(heap_, 48, 0), nullptr);
  EXPECT_EQ(ledger_.calls, (Calls{"aligned 64 7", "aligned 64 0"}));
}

TEST_F(LibcRules, AlignedOutOfMemoryIsEnomemWhateverTheAllocatorLeft) {
  fail_next();
  EXPECT_EQ(libc_rules::memalign(heap_, 64, 7), nullptr);
  EXPECT_EQ(left_errno(), ENOMEM);
  fail_next();
  EXPECT_EQ(libc_rules::aligned_alloc(heap_, 64, 7), nullptr);
  EXPECT_EQ(left_errno(), ENOMEM);
  fail_next();
  EXPECT_EQ(libc_rules::valloc(heap_, 7), nullptr);
  EXPECT_EQ(left_errno(), ENOMEM);
}

TEST_F(LibcRules, PosixMemalignReturnsItsErrorAndKeepsErrnoAndResult) {
  int mark = 0;
  void* result = &mark;
  for (const std::size_t bad : {std::size_t{0}, std::size_t{1}, std::size_t{4}, std::size_t{12},
                                std::size_t{24}, SIZE_MAX}) {
    EXPECT_EQ(libc_rules::posix_memalign(heap_, &result, bad, 9), EINVAL) << bad;
  }
  EXPECT_EQ(ledger_.calls, Calls{});
  fail_next();
  EXPECT_EQ(libc_rules::posix_memalign(heap_, &result, 64, 9), ENOMEM);
  EXPECT_EQ(result, &mark);
  EXPECT_EQ(left_errno(), ENOMEM);
  EXPECT_EQ(libc_rules::posix_memalign(heap_, &result, 8, 9), 0);
  EXPECT_NE(result, &mark);
  EXPECT_EQ(left_errno(), kUntouched);
}

TEST_F(LibcRules, VallocAndPvallocAreOfPages) {
  EXPECT_NE(libc_rules::valloc(heap_, 5), nullptr);
  EXPECT_NE(libc_rules::pvalloc(heap_, 0), nullptr);
  EXPECT_NE(libc_rules::pvalloc(heap_, 1), nullptr);
  EXPECT_NE(libc_rules::pvalloc(heap_, 4096), nullptr);
  EXPECT_NE(libc_rules::pvalloc(heap_, 4097), nullptr);
  EXPECT_EQ(ledger_.calls, (Calls{"aligned 4096 5", "aligned 4096 0", "aligned 4096 4096",
                                  "aligned 4096 4096", "aligned 4096 8192"}));
}

TEST_F(LibcRules, PvallocOverflowIsEnomem) {
  expect_refused(libc_rules::pvalloc(heap_, SIZE_MAX), ENOMEM);
  expect_refused(libc_rules::pvalloc(heap_, SIZE_MAX - 4094), ENOMEM);
}

TEST_F(LibcRules, UsableSizeOfNullIsZero) {
  EXPECT_EQ(libc_rules::malloc_usable_size(heap_, nullptr), 0U);
  EXPECT_EQ(libc_rules::malloc_usable_size(heap_, libc_rules::malloc(heap_, 77)), 77U);
}

}  // namespace
}  // namespace bufpool
