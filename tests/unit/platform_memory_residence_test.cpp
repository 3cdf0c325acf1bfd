// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "pool/platform/memory.h"
#include "pool/platform/safe_calls.h"
#include "tests/unit/fake_tree.h"

namespace bufpool::platform {
namespace {

class MayMakeAnyCall : public FakeTree {
 protected:
  bool may_with(const std::string& status) const { return filters_with(status) == 0; }
  int filters_with(const std::string& status) const {
    put("/status", status);
    return call_filters((root_ + "/status").c_str());
  }
};

TEST_F(MayMakeAnyCall, OnlyWhereTheKernelSaysThatThereIsNoFilter) {
  EXPECT_NE(call_filters((root_ + "/none").c_str()), 0);
  EXPECT_FALSE(may_with(""));
  EXPECT_FALSE(may_with("Name:\tcat\nNoNewPrivs:\t0\n")) << "a kernel that has none says nothing";
  EXPECT_TRUE(may_with("Name:\tcat\nSeccomp:\t0\nSeccomp_filters:\t0\n"));
  EXPECT_FALSE(may_with("Name:\tcat\nSeccomp:\t1\nSeccomp_filters:\t0\n"));
  EXPECT_FALSE(may_with("Name:\tcat\nSeccomp:\t2\nSeccomp_filters:\t1\n"));
}

TEST_F(MayMakeAnyCall, ANameIsNotTakenForTheLine) {
  EXPECT_FALSE(may_with("Name:\tSeccomp:\t0\nSeccomp:\t2\n"));
}

TEST_F(MayMakeAnyCall, FiltersAreCountedWhereTheKernelCounts) {
  EXPECT_EQ(filters_with("Seccomp:\t2\nSeccomp_filters:\t12\n"), 12);
  EXPECT_EQ(filters_with("Seccomp:\t2\n"), kNotTold) << "before Linux 5.9";
  EXPECT_EQ(filters_with("Seccomp:\t0\n"), 0);
}

TEST_F(MayMakeAnyCall, ALineMayBeOfAnyLength) {
  const std::string groups = "Groups:\t" + std::string(5000, '7') + "\n";
  EXPECT_EQ(filters_with(groups + "Seccomp:\t2\nSeccomp_filters:\t3\n"), 3);
}

TEST(MayMakeAnyCallHere, KeepsErrno) {
  errno = 7;
  EXPECT_EQ(safe_calls("/nowhere"), SafeCalls::kFew);
  EXPECT_EQ(errno, 7);
}

TEST_F(MayMakeAnyCall, WhatTheProcessWasStartedUnderIsNotItsOwn) {
  const auto safe_with = [this](int filters) {
    put("/status", "Seccomp:\t2\nSeccomp_filters:\t" + std::to_string(filters) + "\n");
    return safe_calls((root_ + "/status").c_str());
  };
  remember_filters();
  const int started = call_filters();
  if (started == kNotTold) GTEST_SKIP() << "the kernel does not count filters";
  EXPECT_EQ(safe_with(started + 1), SafeCalls::kFew);
  if (started > 0) {
    EXPECT_EQ(safe_with(started), SafeCalls::kLoaders);
  }
}

TEST(SeeResident, TellsWhatWasTouched) {
  if (call_filters() != 0) GTEST_SKIP() << "a filter of system calls is in force";
  constexpr std::size_t kPages = 150;
  auto* const memory = static_cast<char*>(map(kPages * kPageBytes));
  ASSERT_NE(memory, nullptr);
  for (const std::size_t page : {3, 4, 49}) memory[page * kPageBytes] = 1;
  const auto start = reinterpret_cast<std::uintptr_t>(memory);
  for (const SafeCalls safe : {SafeCalls::kAny, SafeCalls::kLoaders}) {
    unsigned char resident[kPages] = {};
    ASSERT_TRUE(see_resident(start, kPages, resident, safe));
    for (std::size_t page = 0; page < kPages; ++page) {
      EXPECT_EQ(resident[page] & 1, page == 3 || page == 4 || page == 49) << page;
    }
  }
  unreserve(memory, kPages * kPageBytes);
  unsigned char resident[kPages] = {};
  EXPECT_FALSE(see_resident(start, kPages, resident, SafeCalls::kAny));
}

}  // namespace
}  // namespace bufpool::platform
