// SPDX-License-Identifier: MIT
#include "pool/address_space.h"

#include <gtest/gtest.h>

#include <cstddef>

#include "pool/platform.h"
#include "tests/unit/in_child.h"

namespace bufpool {
namespace {

constexpr std::size_t kGiB = std::size_t{1} << 30;

TEST(AddressSpace, ContainsNothingBeforeItIsOpen) {
  const AddressSpace space;
  EXPECT_EQ(space.bytes(), 0U);
  for (const std::uintptr_t address :
       {std::uintptr_t{0}, std::uintptr_t{4096}, ~std::uintptr_t{0}}) {
    EXPECT_FALSE(space.contains(address));
  }
}

class OpenSpace : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(space.open()); }

  static constinit AddressSpace space;
};
constinit AddressSpace OpenSpace::space;

TEST_F(OpenSpace, RegionsFollowOneAnother) {
  const Region first = space.region(ClassIndex{0});
  EXPECT_EQ(first.bytes * kClassSlots, space.bytes());
  EXPECT_EQ(first.start % platform::kPageBytes, 0U);
  for (std::uint32_t i = 0; i < kClassSlots; ++i) {
    const Region region = space.region(ClassIndex{i});
    EXPECT_EQ(region.bytes, first.bytes);
    EXPECT_EQ(region.start, first.start + i * first.bytes);
  }
}

TEST_F(OpenSpace, AnAddressTellsItsClass) {
  for (std::uint32_t i = 0; i < kClassSlots; ++i) {
    const Region region = space.region(ClassIndex{i});
    for (const std::uintptr_t address :
         {region.start, region.start + 1, region.start + region.bytes / 2,
          region.start + region.bytes - 1}) {
      EXPECT_TRUE(space.contains(address));
      EXPECT_EQ(to_number(space.class_at(address)), i);
    }
  }
}

TEST_F(OpenSpace, ContainsNothingBesideIt) {
  const std::uintptr_t start = space.region(ClassIndex{0}).start;
  EXPECT_FALSE(space.contains(start - 1));
  EXPECT_FALSE(space.contains(start + space.bytes()));
  EXPECT_FALSE(space.contains(0));
  EXPECT_FALSE(space.contains(~std::uintptr_t{0}));
  const int local = 0;
  EXPECT_FALSE(space.contains(reinterpret_cast<std::uintptr_t>(&local)));
}

TEST_F(OpenSpace, RecordsLieInTheLastRegionAndApart) {
  const Region last = space.region(ClassIndex{kClassSlots - 1});
  std::uintptr_t end = last.start;
  for (std::uint32_t i = 0; i < kClassSlots; ++i) {
    const Region records = space.records(ClassIndex{i});
    EXPECT_EQ(records.start, end);
    end = records.start + records.bytes;
  }
  EXPECT_LE(end, last.start + last.bytes);
}

// Records are 32 bytes a span.
TEST_F(OpenSpace, RecordsSufficeForTheWholeRegion) {
  for_each_class([](ClassIndex c) {
    const std::size_t spans = space.region(c).bytes / span_bytes(c);
    EXPECT_GE(space.records(c).bytes, (spans + 2) * 32 + platform::kPageBytes) << to_number(c);
  });
}

TEST_F(OpenSpace, NothingIsAccessibleUntilItIsCommitted) {
  const auto touch = [] { *reinterpret_cast<char*>(space.region(ClassIndex{5}).start) = 1; };
  EXPECT_DEATH(touch(), "");
}

// Opens with so much address space left. What it takes must leave half of what was there.
int open_with(std::size_t bytes) {
  leave_address_space(bytes);
  const std::size_t left = platform::address_space_left();
  AddressSpace space;
  if (!space.open()) return left / 2 < 2 * kGiB ? 0 : __LINE__;
  if (space.bytes() > left / 2) return __LINE__;
  if (space.bytes() < 2 * kGiB) return __LINE__;
  if (left / 2 < 256 * kGiB && space.bytes() * 2 <= left / 4) return __LINE__;
  const Region region = space.region(kLastClass);
  if (region.bytes < stride_bytes(kLastClass)) return __LINE__;
  if (to_number(space.class_at(region.start + region.bytes - 1)) != to_number(kLastClass)) {
    return __LINE__;
  }
  return platform::commit(reinterpret_cast<void*>(region.start), region.bytes) ? 0 : __LINE__;
}

TEST(AddressSpaceLimits, HalfOfWhatIsLeftIsTheMost) {
  if (kLimitsMeanNothing) GTEST_SKIP();
  for (const std::size_t bytes : {5 * kGiB, 8 * kGiB, 17 * kGiB, 100 * kGiB, 20000 * kGiB}) {
    EXPECT_EQ(in_child([bytes] { return open_with(bytes); }), 0) << bytes / kGiB << " GiB";
  }
}

TEST(AddressSpaceLimits, TooLittleIsNone) {
  if (kLimitsMeanNothing) GTEST_SKIP();
  const auto refused = [] {
    leave_address_space(kGiB);
    AddressSpace space;
    if (space.open()) return __LINE__;
    if (space.bytes() != 0 || space.contains(0) || space.contains(~std::uintptr_t{0})) {
      return __LINE__;
    }
    return 0;
  };
  EXPECT_EQ(in_child(refused), 0);
}

}  // namespace
}  // namespace bufpool
