// SPDX-License-Identifier: MIT
#include "pool/percpu/cpu_slabs.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <vector>

#include "pool/platform/sequences.h"
#include "tests/unit/test_cache.h"

namespace bufpool {
namespace {

class CpuSlabsTest : public CpuCacheTest {};

INSTANTIATE_TEST_SUITE_P(Modes, CpuSlabsTest, kCacheModes, kCacheModeName);

// It is so in a vfork child: the spans serve, and nothing brings the thread back before its time.
TEST_P(CpuSlabsTest, AThreadThatLeftItsSequencesGoesOnWithoutThem) {
  cycle(kSmall, 1);
  RseqArea* const area = leave_sequences();
  const StackCounters before = own_->cache.counters().of(kSmall);
  if (own_->mode == PoolMode::kRseq) {
    for (int i = 0; i < 3; ++i) cycle(kSmall, 100);
    const StackCounters after = own_->cache.counters().of(kSmall);
    EXPECT_EQ(after.hits, before.hits);
    EXPECT_EQ(after.depth, before.depth);
  }
  return_to_sequences(area);
  cycle(kSmall, 1);
  EXPECT_EQ(own_->cache.counters().of(kSmall).hits, before.hits + 1);
  expect_all_back(kSmall);
}

// Several caches live in one process, and the hit path's thread area is common to all.
TEST_P(CpuSlabsTest, TwoCachesKeepApart) {
  for (const PoolMode other : {PoolMode::kRseq, PoolMode::kLocked}) {
    if (kThreadSanitizer && other == PoolMode::kRseq) continue;
    TestCache second(other);
    std::set<Block> out;
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(out.insert(own_->take(kSmall)).second);
      ASSERT_TRUE(out.insert(second.take(kSmall)).second);
    }
    const ChunkRange mine = own_->space.get()->range();
    for (const Block block : out)
      (mine.contains(to_address(block)) ? *own_ : second).put(kSmall, block);
    EXPECT_EQ(second.behind(kSmall).outstanding(), second.cache.counters().of(kSmall).depth);
    EXPECT_EQ(own_->behind(kSmall).outstanding(), own_->cache.counters().of(kSmall).depth);
  }
}

// Holds a slab with one block, in sight of the sequences of one CPU.
struct OneSlab {
  OneSlab() {
    records.open(&placed);
    open_slab(address());
    stack_of(address(), kFirstClass).limit = bottom_of(kFirstClass) + 4;
    blocks_of(stack_of(address(), kFirstClass), kFirstClass)[0] = Block{64};
    stack_of(address(), kFirstClass).header = 5 * kOneHit + bottom_of(kFirstClass) + 1;
  }
  std::uintptr_t address() { return reinterpret_cast<std::uintptr_t>(bytes.data()); }
  SlabDistance distance() { return address() - empty_slab_address(); }
  std::uint64_t header() { return stack_of(address(), kFirstClass).header; }

  std::vector<char> bytes = std::vector<char>(kSlabLayout.bytes);
  std::atomic<bool> placed{false};
  SlabRecords records;
  SlabDistance visible = distance();
};

TEST(OwnedSlab, IsOutOfSightWhileItLivesAndComesBack) {
  platform::prepare_restarts();
  OneSlab one;
  {
    const OwnedSlab owned(one.visible, one.distance(), 0, one.records);
    EXPECT_EQ(one.visible, 0U);
    if (!owned) GTEST_SKIP() << "the kernel refuses membarrier";
    EXPECT_EQ(owned.pop(kFirstClass), Block{64});
    EXPECT_EQ(owned.pop(kFirstClass), kNoBlock);
    EXPECT_EQ(one.header(), 5 * kOneHit + bottom_of(kFirstClass)) << "a move is no hit";
  }
  EXPECT_EQ(one.visible, one.distance());
}

TEST(OwnedSlab, HasOneOwnerWhoAloneBringsItBack) {
  OneSlab one;
  {
    const OwnedSlab first(one.visible, one.distance(), 0, one.records);
    {
      const OwnedSlab second(one.visible, one.distance(), 0, one.records);
      EXPECT_FALSE(second);
    }
    EXPECT_EQ(one.visible, 0U) << "the second had nothing to bring back";
  }
  EXPECT_EQ(one.visible, one.distance());
}

// It is so in the child of a fork while another thread of the parent was draining.
TEST_P(CpuSlabsTest, TheChildSeesTheSlabThatAThreadOfItsParentOwned) {
  if (GetParam() != PoolMode::kRseq) GTEST_SKIP() << "shards have no owner";
  cycle(kSmall, 1);
  const SlabDistance* const visible = own_->cache.slabs().visible();
  own_->cache.slabs().for_each([&](auto& slabs, std::uint32_t cpu) {
    const SlabDistance before = visible[cpu];
    [[maybe_unused]] const auto owned = slabs.begin_drain(cpu);
    EXPECT_EQ(visible[cpu], 0U);
    own_->cache.slabs().sharing().repair_in_child();
    EXPECT_EQ(visible[cpu], before);
  });
}

}  // namespace
}  // namespace bufpool
