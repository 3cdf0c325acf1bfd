// SPDX-License-Identifier: MIT
#include "pool/blocks/served_sizes.h"

#include <gtest/gtest.h>

#include "pool/blocks/hit_tables.h"
#include "pool/percpu/cpu_slabs.h"

namespace bufpool {
namespace {

ServedSizes sizes_of(const Options& options) {
  ServedSizes sizes;
  sizes.choose(options);
  sizes.open();
  return sizes;
}

TEST(ServedSizes, ServesNothingBeforeItOpens) {
  ServedSizes sizes;
  EXPECT_EQ(sizes.least(), kMinSize);
  EXPECT_EQ(sizes.most(), kMaxSize + kHeaderRoom);
  Options options = default_options();
  options.min_size = 3000;
  sizes.choose(options);
  EXPECT_EQ(sizes.least(), 3000U);
  EXPECT_FALSE(sizes.serves(5000));
  sizes.open();
  EXPECT_TRUE(sizes.serves(5000));
  EXPECT_FALSE(sizes.serves(2999));
}

TEST(ServedSizes, EachSizeHasTheNextClassInUse) {
  Options options = default_options();
  options.classes = "4K,64K";
  const ServedSizes sizes = sizes_of(options);
  EXPECT_EQ(sizes.class_for(600), class_step(4 << 10));
  EXPECT_EQ(sizes.class_for(5000), class_step(64 << 10));
  EXPECT_EQ(sizes.granted(5000), (64U << 10) + kHeaderRoom);
  EXPECT_FALSE(sizes.serves((64 << 10) + kHeaderRoom + 1));
  EXPECT_TRUE(sizes.is_in_use(class_step(4 << 10)));
  EXPECT_FALSE(sizes.is_in_use(class_step(5 << 10)));
}

TEST(ServedSizes, NoClassIsInUseBeyondTheLast) {
  const ServedSizes sizes = sizes_of(default_options());
  EXPECT_FALSE(sizes.is_in_use(ClassIndex{0}));
  EXPECT_TRUE(sizes.is_in_use(kFirstClass) && sizes.is_in_use(kLastClass));
  for (std::uint32_t i = 1; i <= 8; ++i) {
    EXPECT_FALSE(sizes.is_in_use(ClassIndex{to_number(kLastClass) + i}));
  }
}

TEST(ServedSizes, AnAlignedRequestNeedsRoomForTheAlignment) {
  Options options = default_options();
  options.max_size = 8192;
  const ServedSizes sizes = sizes_of(options);
  EXPECT_EQ(ServedSizes::bytes_to_align(16, 600), 600U);
  EXPECT_GE(ServedSizes::bytes_to_align(64, 600), 600U);
  EXPECT_EQ(ServedSizes::bytes_to_align(4096, 5000), 5000 + 4096 - kLine);
  EXPECT_TRUE(sizes.serves_aligned(64, 8192));
  EXPECT_FALSE(sizes.serves_aligned(4096, 8192)) << "it fits no class";
}

TEST(HitTables, WantsAndOwnsNothingBeforeItOpens) {
  const HitTables tables;
  EXPECT_FALSE(tables.wants(0) || tables.wants(kMinSize) || tables.wants(~std::size_t{0}));
  EXPECT_FALSE(tables.owns(0) || tables.owns(~std::uintptr_t{0}));
}

TEST(HitTables, AStepHasTheRowOfTheClassThatServesIt) {
  Options options = default_options();
  options.classes = "4K,64K";
  const ServedSizes sizes = sizes_of(options);
  HitTables tables;
  tables.open(sizes, {.least = 600, .count = 10}, ChunkRange{}, BlockMarks{});
  EXPECT_TRUE(tables.wants(600) && tables.wants(609));
  EXPECT_FALSE(tables.wants(599) || tables.wants(610));
  const ClassIndex c = class_step(64 << 10);
  EXPECT_EQ(tables.stack_for_step(step_number(5000)), empty_stack_address(c));
  EXPECT_EQ(tables.stack_of_class(to_number(c)), empty_stack_address(c));
  EXPECT_EQ(tables.gap_for_step(step_number(5000)), gap_bytes(c));
  EXPECT_EQ(tables.gap_of_class(to_number(c)), gap_bytes(c));
  EXPECT_EQ(tables.room_of_class(to_number(c)), buffer_bytes(c));
}

}  // namespace
}  // namespace bufpool
