// SPDX-License-Identifier: MIT
#include "interpose/cpp_rules.h"

#include <gtest/gtest.h>

#include <new>
#include <vector>

// These sources are linked into libbufpool.so and into nothing else. Here the program's C++ runtime
// is this test's own.
#include "interpose/cpp_rules.cpp"
#include "interpose/messages/message.cpp"

namespace bufpool {
namespace {

int failures_left = 0;
std::vector<std::size_t> alignments;
alignas(64) char memory[64];

// Fails as often as it is told to, and then serves one and the same address.
struct StubbornHeap {
  static void* serve() { return failures_left > 0 ? (--failures_left, nullptr) : memory; }

  void* allocate(std::size_t) { return serve(); }
  void* allocate_zeroed(std::size_t) { return serve(); }
  void* allocate_aligned(std::size_t alignment, std::size_t) {
    alignments.push_back(alignment);
    return serve();
  }
  void* resize(void*, std::size_t) { return serve(); }
  std::size_t usable_size(void*) { return sizeof memory; }
  void release(void*) {}
};

int handler_calls = 0;
void count_call() { ++handler_calls; }
void give_up() { throw std::bad_alloc(); }
void leave_after_two() {
  if (++handler_calls == 2) std::set_new_handler(nullptr);
}

class CppRules : public testing::Test {
 protected:
  void SetUp() override {
    failures_left = 0;
    handler_calls = 0;
    alignments.clear();
  }
  void TearDown() override { std::set_new_handler(nullptr); }

  static constexpr StubbornHeap kHeap{};
};

TEST_F(CppRules, MemoryAtOnceAsksNoHandler) {
  std::set_new_handler(count_call);
  EXPECT_EQ(cpp_rules::allocate(kHeap, 10), memory);
  EXPECT_EQ(cpp_rules::allocate(kHeap, 10, std::align_val_t{64}), memory);
  EXPECT_EQ(cpp_rules::try_allocate(kHeap, 10), memory);
  EXPECT_EQ(handler_calls, 0);
  EXPECT_EQ(alignments, std::vector<std::size_t>{64});
}

TEST_F(CppRules, WithoutAHandlerBadAllocIsThrown) {
  failures_left = 1;
  EXPECT_THROW(static_cast<void>(cpp_rules::allocate(kHeap, 10)), std::bad_alloc);
  failures_left = 1;
  EXPECT_THROW(static_cast<void>(cpp_rules::allocate(kHeap, 10, std::align_val_t{64})),
               std::bad_alloc);
}

TEST_F(CppRules, TheHandlerIsCalledUntilThereIsMemory) {
  std::set_new_handler(count_call);
  failures_left = 5;
  EXPECT_EQ(cpp_rules::allocate(kHeap, 10), memory);
  EXPECT_EQ(handler_calls, 5);
  failures_left = 3;
  EXPECT_EQ(cpp_rules::allocate(kHeap, 10, std::align_val_t{128}), memory);
  EXPECT_EQ(handler_calls, 8);
  EXPECT_EQ(alignments, std::vector<std::size_t>(4, 128));
}

TEST_F(CppRules, AHandlerThatThrowsEndsIt) {
  std::set_new_handler(give_up);
  failures_left = 100;
  EXPECT_THROW(static_cast<void>(cpp_rules::allocate(kHeap, 10)), std::bad_alloc);
  EXPECT_EQ(failures_left, 99);
}

TEST_F(CppRules, AHandlerThatTakesItselfOutEndsIt) {
  std::set_new_handler(leave_after_two);
  failures_left = 100;
  EXPECT_THROW(static_cast<void>(cpp_rules::allocate(kHeap, 10)), std::bad_alloc);
  EXPECT_EQ(handler_calls, 2);
}

TEST_F(CppRules, NothrowWithoutAHandlerIsNull) {
  failures_left = 1;
  EXPECT_EQ(cpp_rules::try_allocate(kHeap, 10), nullptr);
  failures_left = 1;
  EXPECT_EQ(cpp_rules::try_allocate(kHeap, 10, std::align_val_t{64}), nullptr);
  EXPECT_EQ(failures_left, 0) << "asked once";
}

TEST_F(CppRules, TheHandlerIsTheProgramsOwn) {
  EXPECT_EQ(cpp_rules::installed_handler(), nullptr);
  std::set_new_handler(count_call);
  EXPECT_EQ(cpp_rules::installed_handler(), &count_call);
}

TEST_F(CppRules, BadAllocIsTheProgramsOwn) {
  EXPECT_THROW(cpp_rules::throw_bad_alloc(), std::bad_alloc);
}

}  // namespace
}  // namespace bufpool
