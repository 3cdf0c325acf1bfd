// SPDX-License-Identifier: MIT
#include "pool/telemetry/residence.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

#include "pool/platform/memory.h"
#include "pool/platform/safe_calls.h"

namespace bufpool {
namespace {

constexpr std::size_t kPage = platform::kPageBytes;

// Maps more pages than a window has, and touches every third.
class ResidenceTest : public testing::Test {
 protected:
  static constexpr std::size_t kPages = 3000;

  void SetUp() override {
    if (platform::call_filters() != 0) GTEST_SKIP() << "a filter of system calls is in force";
    memory_ = static_cast<char*>(platform::map(kPages * kPage));
    ASSERT_NE(memory_, nullptr);
    for (std::size_t page = 0; page < kPages; page += 3) memory_[page * kPage] = 1;
    look_.look_below(at(kPages * kPage));
  }
  void TearDown() override {
    if (memory_ != nullptr) platform::unreserve(memory_, kPages * kPage);
  }

  std::uintptr_t at(std::size_t offset) const {
    return reinterpret_cast<std::uintptr_t>(memory_) + offset;
  }
  std::uint64_t bytes_in(std::size_t from, std::size_t to) {
    return look_.bytes_in(at(from), at(to));
  }

  char* memory_ = nullptr;
  Residence look_;
};

TEST_F(ResidenceTest, CountsTheBytesInResidentPages) {
  EXPECT_EQ(bytes_in(0, kPages * kPage), kPages / 3 * kPage);
  EXPECT_EQ(bytes_in(0, 0), 0U);
  EXPECT_EQ(bytes_in(0, 1), 1U);
  EXPECT_EQ(bytes_in(kPage, 3 * kPage), 0U);
  EXPECT_EQ(bytes_in(kPage - 10, kPage + 10), 10U);
  EXPECT_EQ(bytes_in(3 * kPage - 10, 4 * kPage + 10), kPage);
}

TEST_F(ResidenceTest, WindowsMayComeInAnyOrder) {
  for (std::size_t page = kPages; page-- > 0;) {
    EXPECT_EQ(bytes_in(page * kPage, (page + 1) * kPage), page % 3 == 0 ? kPage : 0) << page;
  }
}

TEST_F(ResidenceTest, WhatIsNotKnownIsTakenForResident) {
  look_.look_below(at(0));
  EXPECT_EQ(bytes_in(kPage, 2 * kPage), kPage) << "not to be asked about";
  look_.look_below(at(kPages * kPage));
  EXPECT_EQ(bytes_in(kPage, 2 * kPage), 0U);
  platform::unreserve(memory_, kPages * kPage);
  Residence late;
  late.look_below(at(kPages * kPage));
  EXPECT_EQ(late.bytes_in(at(kPage), at(2 * kPage)), kPage) << "the kernel does not tell";
  memory_ = nullptr;
}

}  // namespace
}  // namespace bufpool
