// SPDX-License-Identifier: MIT
#include "pool/runs/span_lists.h"

#include <gtest/gtest.h>

#include <array>
#include <list>
#include <random>

namespace bufpool {
namespace {

constexpr std::uint32_t kSpans = 24;

// Has, beside the lists, the same lists of the standard library.
class SpanListsTest : public testing::Test {
 protected:
  void move(std::uint32_t n, SpanList list) {
    for (auto& other : model_) other.remove(&spans_[n]);
    if (list != SpanList::kNone) model_of(list).push_front(&spans_[n]);
    lists_.move_to(spans_[n], list);
  }

  std::list<Span*>& model_of(SpanList list) { return model_[static_cast<std::uint32_t>(list)]; }

  void compare() {
    for (std::uint32_t i = 1; i < kSpanListCount; ++i) {
      const auto list = static_cast<SpanList>(i);
      ASSERT_EQ(lists_.front(list) == nullptr, model_of(list).empty()) << i;
      ASSERT_EQ(lists_.back(list) == nullptr, model_of(list).empty()) << i;
      if (model_of(list).empty()) continue;
      ASSERT_EQ(lists_.front(list), model_of(list).front());
      ASSERT_EQ(lists_.back(list), model_of(list).back());
      for (const Span* span : model_of(list)) ASSERT_EQ(span->list, list);
    }
  }

  std::uint32_t number_of(const Span* span) const {
    return static_cast<std::uint32_t>(span - spans_.data());
  }

  // Takes all out from the front, so that every link is used.
  void drain(SpanList list) {
    while (!model_of(list).empty()) {
      move(number_of(lists_.front(list)), SpanList::kNone);
      compare();
    }
  }

  std::array<Span, kSpans> spans_{};
  SpanLists lists_;
  std::array<std::list<Span*>, kSpanListCount> model_;
};

TEST_F(SpanListsTest, NewestIsFirstOldestIsLast) {
  for (std::uint32_t n = 0; n < 3; ++n) move(n, SpanList::kIdle);
  EXPECT_EQ(number_of(lists_.front(SpanList::kIdle)), 2U);
  EXPECT_EQ(number_of(lists_.back(SpanList::kIdle)), 0U);
}

TEST_F(SpanListsTest, MiddleFirstAndLastCanLeave) {
  for (const std::uint32_t leaving : {0U, 1U, 2U}) {
    for (std::uint32_t n = 0; n < 3; ++n) move(n, SpanList::kPurged);
    move(leaving, SpanList::kNone);
    compare();
    drain(SpanList::kPurged);
  }
}

TEST_F(SpanListsTest, LeavingNoListIsHarmless) {
  move(0, SpanList::kNone);
  compare();
}

TEST_F(SpanListsTest, AnyMovesKeepTheOrder) {
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    move(random() % kSpans, static_cast<SpanList>(random() % kSpanListCount));
    if (HasFatalFailure()) return;
    compare();
  }
  for (std::uint32_t i = 1; i < kSpanListCount; ++i) drain(static_cast<SpanList>(i));
}

TEST_F(SpanListsTest, TheFullerTheEarlierTheList) {
  SpanList before = SpanList::kPartial;
  EXPECT_EQ(partial_list(1), before);
  for (std::uint32_t free = 1; free < kMaxSpanBlocks; ++free) {
    EXPECT_GE(partial_list(free), before) << free;
    EXPECT_LT(partial_list(free), SpanList::kIdle) << free;
    before = partial_list(free);
  }
}

}  // namespace
}  // namespace bufpool
