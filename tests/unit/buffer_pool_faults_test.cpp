// SPDX-License-Identifier: MIT
// Tests what the pool says of a program that errs. The handler prints in a child of the test's.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "tests/unit/test_pool.h"

namespace bufpool {
namespace {

constexpr int kTold = 23;

const char* name_of(Fault::Kind kind) {
  switch (kind) {
    case Fault::Kind::kDoubleFree:
      return "double free";
    case Fault::Kind::kInnerPointer:
      return "inner pointer";
    case Fault::Kind::kInFront:
      return "in front";
    case Fault::Kind::kOverrun:
      return "overrun";
    case Fault::Kind::kNotHandedOut:
      return "not handed out";
  }
  return "?";
}

void tell(const Fault& fault) {
  std::fprintf(stderr, "%s at %" PRIxPTR " of %" PRIxPTR " after %" PRIxPTR " class %zu.",
               name_of(fault.kind), fault.address, fault.buffer, fault.overrun_from,
               fault.class_bytes);
  std::_Exit(kTold);
}

std::string hex(const void* pointer) {
  char text[20];
  std::snprintf(text, sizeof text, "%" PRIxPTR, reinterpret_cast<std::uintptr_t>(pointer));
  return text;
}

class FaultsTest : public InEachMode {
 protected:
  void SetUp() override {
    InEachMode::SetUp();
    pool().control().set_fault_handler(tell);
  }
  // Returns a buffer that shares no span with what other tests hold.
  char* take(std::size_t size) { return static_cast<char*>(pool().take(size)); }
};
INSTANTIATE_TEST_SUITE_P(Modes, FaultsTest, kBothModes, mode_name);

#define EXPECT_TOLD(statement, message) \
  EXPECT_EXIT(statement, testing::ExitedWithCode(kTold), message)

TEST_P(FaultsTest, DoubleFree) {
  for (const std::size_t size : {512, 4096, 70000, 16 << 20}) {
    char* const buffer = take(size);
    pool().put(buffer);
    EXPECT_TOLD(pool().put(buffer), "double free at " + hex(buffer) + " of " + hex(buffer)) << size;
  }
}

TEST_P(FaultsTest, DoubleFreeOfWhatWentBackToTheSystem) {
  char* const buffer = take(1 << 20);
  pool().put(buffer);
  pool().control().trim(0);
  EXPECT_TOLD(pool().put(buffer), "double free at " + hex(buffer));
}

TEST_P(FaultsTest, DoubleFreeOfAnAlignedBuffer) {
  void* const buffer = pool().take_aligned(4096, 5000);
  pool().put(buffer);
  EXPECT_TOLD(pool().put(buffer), "(double free|inner pointer) at " + hex(buffer));
}

// It is told even if the buffer would not have moved.
TEST_P(FaultsTest, ResizeOfWhatIsNoBufferInUse) {
  for (const std::size_t size : {4000, 5000, 100000}) {
    char* const buffer = take(4096);
    EXPECT_TOLD(std::ignore = pool().resize(buffer + 64, size), "inner pointer at ") << size;
    pool().put(buffer);
    EXPECT_TOLD(std::ignore = pool().resize(buffer, size), "double free at " + hex(buffer)) << size;
  }
}

TEST_P(FaultsTest, ResizeOfAnAlignedEntryOnly) {
  char* entry = static_cast<char*>(pool().take_aligned(8192, 5000));
  EXPECT_TOLD(std::ignore = pool().resize(entry + 64, 4900), "inner pointer");
  EXPECT_EQ(pool().resize(entry, 4900), entry);
  pool().put(entry);
  EXPECT_TOLD(std::ignore = pool().resize(entry, 4900), "double free");
}

TEST_P(FaultsTest, InnerPointer) {
  for (const std::size_t size : {512, 4096, 70000, 16 << 20}) {
    char* const buffer = take(size);
    for (const std::size_t at : {std::size_t{16}, std::size_t{64}, size / 2 & ~std::size_t{63}}) {
      EXPECT_TOLD(pool().put(buffer + at),
                  "inner pointer at " + hex(buffer + at) + " of " + hex(buffer))
          << size << " at " << at;
    }
    pool().put(buffer);
  }
}

// The words that a program writes there do not look like the pool's.
TEST_P(FaultsTest, InnerPointerOfAFilledBuffer) {
  for (const int value : {0xff, 0x55, 0}) {
    char* const buffer = take(8192);
    fill(buffer, 8192, value);
    EXPECT_TOLD(pool().put(buffer + 4096), "inner pointer");
    pool().put(buffer);
  }
}

TEST_P(FaultsTest, StartOfTheBlockInsteadOfItsAlignedEntry) {
  char* entry = static_cast<char*>(pool().take_aligned(8192, 5000));
  EXPECT_TOLD(pool().put(entry + 64), "inner pointer");
  pool().put(entry);
}

TEST_P(FaultsTest, Overrun) {
  for (const std::size_t size : {512, 4096, 70000, 1 << 20}) {
    char* const buffer = take(size);
    const std::size_t line = gap_bytes(class_step(size));
    *(buffer - line) ^= 1;  // the first byte behind the buffer in front
    const std::size_t usable = pool().usable_size(buffer);
    EXPECT_TOLD(pool().put(buffer), "overrun at " + hex(buffer) + " of " + hex(buffer) + " after " +
                                        hex(buffer - line - usable))
        << size;
  }
}

TEST_P(FaultsTest, OverrunIntoTheNextBuffer) {
  std::vector<char*> buffers(64);
  for (char*& buffer : buffers) buffer = take(9000);
  std::sort(buffers.begin(), buffers.end());
  const std::size_t usable = pool().usable_size(buffers[0]);
  std::size_t i = 0;
  while (buffers[i + 1] - buffers[i] !=
         static_cast<std::ptrdiff_t>(usable + gap_bytes(class_step(9000))))
    ++i;
  std::memset(buffers[i], 'x', usable + 8);
  EXPECT_TOLD(pool().put(buffers[i + 1]), "overrun .* after " + hex(buffers[i]));
}

TEST_P(FaultsTest, NeverHandedOut) {
  char* const buffer = take(3 << 20);
  const std::size_t stride = pool().usable_size(buffer) + gap_bytes(class_step(3 << 20));
  // The address is far enough behind to be cut by nobody, and near enough to be readable.
  EXPECT_TOLD(pool().put(buffer + stride), "(not handed out|double free) at ");
  pool().put(buffer);
}

// A wrong address is told apart by where it lies, and by what the block is.
enum class Where { kStart, kInside, kEntry, kInFront, kBehind };
enum class Is { kInUse, kGrown, kEntered, kInCache, kInSpan, kPurged, kOverrun, kZeroOverrun };

struct Row {
  Is is;
  Where where;
  const char* told;  // nullptr: nothing is wrong
  bool has_size = false;
};
constexpr Row kRows[] = {
    {Is::kInUse, Where::kStart, nullptr, true},
    {Is::kInUse, Where::kInside, "inner pointer"},
    {Is::kInUse, Where::kEntry, "inner pointer"},
    {Is::kInUse, Where::kInFront, "in front"},
    {Is::kInUse, Where::kBehind, "(in front|not handed out)"},
    {Is::kGrown, Where::kStart, nullptr, true},
    {Is::kGrown, Where::kInside, "inner pointer"},
    {Is::kGrown, Where::kInFront, "in front"},
    {Is::kEntered, Where::kStart, "in front"},
    {Is::kEntered, Where::kEntry, nullptr, true},
    {Is::kEntered, Where::kInside, "in front"},
    {Is::kEntered, Where::kInFront, "in front"},
    {Is::kInCache, Where::kStart, "double free"},
    {Is::kInCache, Where::kEntry, "double free"},
    {Is::kInCache, Where::kInside, "inner pointer"},
    {Is::kInCache, Where::kInFront, "in front"},
    {Is::kInSpan, Where::kStart, "double free"},
    {Is::kInSpan, Where::kEntry, "double free"},
    {Is::kInSpan, Where::kInside, "inner pointer"},
    {Is::kInSpan, Where::kInFront, "in front"},
    {Is::kPurged, Where::kStart, "double free"},
    {Is::kPurged, Where::kInside, "inner pointer"},
    {Is::kPurged, Where::kInFront, "in front"},
    {Is::kOverrun, Where::kStart, "overrun", true},
    {Is::kOverrun, Where::kInside, "inner pointer"},
    {Is::kOverrun, Where::kInFront, "in front"},
    {Is::kZeroOverrun, Where::kStart, "overrun", true},
    {Is::kZeroOverrun, Where::kInside, "inner pointer"},
    {Is::kZeroOverrun, Where::kInFront, "in front"},
};

class FaultTable : public FaultsTest {
 protected:
  static constexpr std::size_t kSize = 20'000;
  static constexpr std::size_t kAlignment = 4096;

  // Makes a block in a state, and returns the address of its buffer.
  char* make(Is is) {
    char* buffer = take(kSize);
    if (is == Is::kGrown) {
      pool().put(buffer);
      buffer = static_cast<char*>(pool().resize(take(4096), kSize));
    }
    if (is == Is::kEntered || is == Is::kInCache || is == Is::kInSpan) {
      pool().put(buffer);
      entry_ = static_cast<char*>(pool().take_aligned(kAlignment, kSize - kAlignment + 64));
      buffer = block_of(entry_) + kGap;
      if (is == Is::kEntered) return buffer;
      pool().put(entry_);
      if (is == Is::kInSpan) pool().control().trim(~std::uint64_t{0});
      return buffer;
    }
    if (is == Is::kPurged) {
      pool().put(buffer);
      pool().control().trim(0);
    }
    if (is == Is::kOverrun) *(buffer - kGap) ^= 1;
    if (is == Is::kZeroOverrun) std::memset(buffer - kGap, 0, 8);
    return buffer;
  }

  char* address(char* buffer, Where where) const {
    switch (where) {
      case Where::kStart:
        return buffer;
      case Where::kInside:
        return buffer + 192;
      case Where::kEntry:
        return entry_ != nullptr ? entry_ : buffer + 4096;
      case Where::kInFront:
        return buffer - kGap / 2;
      case Where::kBehind:
        return buffer + kStride - kGap;
    }
    return nullptr;
  }

  void expect(const Row& row, std::size_t number) {
    SCOPED_TRACE(number);
    char* const buffer = make(row.is);
    char* const bad = address(buffer, row.where);
    EXPECT_EQ(pool().usable_size(bad) > 0, row.has_size);
    if (row.told != nullptr) {
      EXPECT_TOLD(pool().put(bad), row.told + (" at " + hex(bad)));
      for (const std::size_t size : {kSize - 500, 2 * kSize, 17 * (std::size_t{1} << 20)}) {
        EXPECT_TOLD(std::ignore = pool().resize(bad, size), row.told + (" at " + hex(bad)));
      }
    }
    make_whole(row.is, buffer);
  }

 private:
  static constexpr std::size_t kGap = gap_bytes(class_step(kSize));
  static constexpr std::size_t kStride = stride_bytes(class_step(kSize));

  char* block_of(char* entry) const {
    const std::size_t usable = pool().usable_size(entry);
    return entry + usable - kStride;
  }

  // Repairs what was broken, and gives it back.
  void make_whole(Is is, char* buffer) {
    if (is == Is::kEntered) pool().put(entry_);
    if (is == Is::kInUse || is == Is::kGrown) pool().put(buffer);
    entry_ = nullptr;
  }

  char* entry_ = nullptr;
};
INSTANTIATE_TEST_SUITE_P(Modes, FaultTable, kBothModes, mode_name);

// The memory in front of a class's first block cannot be read.
TEST_P(FaultTable, EachIsToldForWhatItIs) {
  char* const first = take(kSize);
  for (std::size_t i = 0; i < std::size(kRows); ++i) expect(kRows[i], i);
  pool().put(first);
}

TEST_P(FaultsTest, TheCallIsNamed) {
  char* const buffer = take(4096);
  pool().put(buffer);
  pool().control().set_fault_handler(
      [](const Fault& fault) { std::_Exit(fault.call == Fault::Call::kRealloc ? kTold : 1); });
  EXPECT_TOLD(std::ignore = pool().resize(buffer, 9000), "");
  EXPECT_EXIT(pool().put(buffer), testing::ExitedWithCode(1), "");
}

// A free block whose word somebody overwrote is still free, in a CPU's cache as in a span.
TEST_P(FaultsTest, ASecondFreeIsToldThoughTheGuardIsGone) {
  for (const int value : {0, 0x78}) {
    char* const buffer = take(9000);
    char* const line = buffer - gap_bytes(class_step(9000));
    pool().put(buffer);
    std::uint64_t word = 0;
    std::memcpy(&word, line, sizeof word);
    std::memset(line, value, sizeof word);
    EXPECT_TOLD(pool().put(buffer), "double free at " + hex(buffer));
    std::memcpy(line, &word, sizeof word);
  }
}

TEST_P(FaultsTest, ALargeBufferThatGrewIsGuarded) {
  char* buffer = take(12 << 20);
  for (const std::size_t mib : {20, 40}) {
    buffer = static_cast<char*>(pool().resize(buffer, mib << 20));
    if (buffer == nullptr) GTEST_SKIP() << "pages cannot be moved here";
  }
  EXPECT_TOLD(pool().put(buffer + 64), "inner pointer at .* of " + hex(buffer));
  EXPECT_TOLD(std::ignore = pool().resize(buffer + 64, 64 << 20), "inner pointer");
  std::memset(buffer - gap_bytes(kLastClass), 0, 8);
  EXPECT_TOLD(pool().put(buffer), "overrun at " + hex(buffer));
}

TEST_P(FaultsTest, ALargeBufferThatGrewIsFreedOnce) {
  char* buffer = static_cast<char*>(pool().resize(take(12 << 20), 20 << 20));
  if (buffer == nullptr) GTEST_SKIP() << "pages cannot be moved here";
  pool().put(buffer);
  EXPECT_EQ(pool().usable_size(buffer), 0U);
  EXPECT_TOLD(pool().put(buffer), "double free at " + hex(buffer));
  EXPECT_TOLD(std::ignore = pool().resize(buffer, 30 << 20), "double free at " + hex(buffer));
  EXPECT_TOLD(pool().put(buffer + (10 << 20)), "inner pointer");
}

TEST_P(FaultsTest, WithoutAHandlerItTraps) {
  pool().control().set_fault_handler(nullptr);
  char* const buffer = take(4096);
  pool().put(buffer);
  EXPECT_DEATH(pool().put(buffer), "");
}

TEST_P(FaultsTest, ABufferPutByAnotherThreadIsFreeForAll) {
  char* const buffer = take(4096);
  EXPECT_TOLD(
      {
        std::thread([&] { pool().put(buffer); }).join();
        pool().put(buffer);
      },
      "double free");
  pool().put(buffer);
}

}  // namespace
}  // namespace bufpool
