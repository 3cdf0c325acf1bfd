// SPDX-License-Identifier: MIT
#include "pool/span_lists.h"

#include <gtest/gtest.h>

#include <array>
#include <list>
#include <random>

namespace bufpool {
namespace {

constexpr SpanNumber kSpans = 24;

// Beside the lists, the same of the standard library.
class SpanListsTest : public testing::Test {
 protected:
  SpanListsTest() { lists_.open(spans_.data()); }

  void move(SpanNumber n, SpanList list) {
    for (auto& other : model_) other.remove(n);
    if (list != SpanList::kNone) model_of(list).push_front(n);
    lists_.move_to(n, list);
  }

  std::list<SpanNumber>& model_of(SpanList list) {
    return model_[static_cast<std::uint32_t>(list)];
  }

  void compare() {
    for (std::uint32_t i = 1; i < kSpanListCount; ++i) {
      const auto list = static_cast<SpanList>(i);
      ASSERT_EQ(lists_.empty(list), model_of(list).empty()) << i;
      if (model_of(list).empty()) continue;
      ASSERT_EQ(lists_.front(list), model_of(list).front());
      ASSERT_EQ(lists_.back(list), model_of(list).back());
      for (const SpanNumber n : model_of(list)) ASSERT_EQ(lists_[n].list, list);
    }
  }

  // Takes all out from the front, so that every link is used.
  void drain(SpanList list) {
    while (!model_of(list).empty()) {
      move(lists_.front(list), SpanList::kNone);
      compare();
    }
  }

  std::array<Span, kSpans> spans_{};
  SpanLists lists_;
  std::array<std::list<SpanNumber>, kSpanListCount> model_;
};

TEST_F(SpanListsTest, NewestIsFirstOldestIsLast) {
  for (SpanNumber n = 0; n < 3; ++n) move(n, SpanList::kIdle);
  EXPECT_EQ(lists_.front(SpanList::kIdle), 2U);
  EXPECT_EQ(lists_.back(SpanList::kIdle), 0U);
}

TEST_F(SpanListsTest, MiddleFirstAndLastCanLeave) {
  for (const SpanNumber leaving : {0U, 1U, 2U}) {
    for (SpanNumber n = 0; n < 3; ++n) move(n, SpanList::kPurged);
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
