// SPDX-License-Identifier: MIT
// What the pool says of a program that errs. The handler prints in a child of the test's.
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
    pool().set_fault_handler(tell);
  }
  // A buffer that shares no span with what other tests hold.
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
  pool().trim(0);
  EXPECT_TOLD(pool().put(buffer), "double free at " + hex(buffer));
}

TEST_P(FaultsTest, DoubleFreeOfAnAlignedBuffer) {
  void* const buffer = pool().take_aligned(4096, 5000);
  pool().put(buffer);
  EXPECT_TOLD(pool().put(buffer), "(double free|inner pointer) at " + hex(buffer));
}

// Also where nothing would have moved.
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

// What a program wrote there looks like nothing of ours.
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
    std::memset(buffer - line, 'x', 1);  // the first byte behind the buffer in front
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
  // Far enough behind to be cut by nobody, near enough to be readable.
  EXPECT_TOLD(pool().put(buffer + stride), "(not handed out|double free) at ");
  pool().put(buffer);
}

TEST_P(FaultsTest, WithoutAHandlerItTraps) {
  pool().set_fault_handler(nullptr);
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
