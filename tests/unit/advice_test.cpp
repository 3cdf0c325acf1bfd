// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "report/forms.h"
#include "tests/unit/sample_snapshots.h"

namespace bufpool {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// The lines, each with a newline.
std::string advice_for(const Snapshot& snapshot, const ReportContext& context = kContext) {
  std::string lines;
  auto add = [&lines](std::string_view line) {
    EXPECT_LT(line.size(), kLongestAdvice) << line;
    EXPECT_EQ(line.find_first_of("\"\\\n"), line.npos) << line;
    lines.append(line).append("\n");
  };
  advise(snapshot, context, add);
  return lines;
}

// The hit rate, misses and overflows of one 64K class.
Snapshot with_misses(std::uint64_t gets, std::uint64_t misses, std::uint64_t overflows) {
  Snapshot snapshot = empty_snapshot();
  snapshot.reserved = 1;
  snapshot.classes[0] = sample_class(64 * kKiB, gets, misses);
  snapshot.classes[0].overflows = overflows;
  return snapshot;
}

TEST(Advice, ALowHitRateAsksForALargerCache) {
  EXPECT_THAT(advice_for(with_misses(10000, 1001, 1)),
              HasSubstr("BUFPOOL_CPU_CACHE=64M (now 32M)"));
  EXPECT_THAT(advice_for(with_misses(10000, 1000, 1)), IsEmpty());
  EXPECT_THAT(advice_for(with_misses(20000, 1001, 1)), IsEmpty());
  // Never full, so not too small.
  EXPECT_THAT(advice_for(with_misses(10000, 5000, 0)), IsEmpty());
}

TEST(Advice, NamesTheClassThatMissesMost) {
  Snapshot snapshot = with_misses(10000, 5000, 1);
  snapshot.classes[1] = sample_class(256 * kKiB, 10000, 7500);
  snapshot.classes[1].overflows = 1;
  EXPECT_THAT(advice_for(snapshot), HasSubstr("class 256K: hit rate 25.00% with 7500 misses "
                                              "(under 90% in 1 more)"));
}

TEST(Advice, ACacheSizeIsOneTheVariableTakes) {
  ReportContext context = kContext;
  context.cpu_cache_bytes = 768 * kKiB;
  const Snapshot snapshot = with_misses(10000, 5000, 1);
  EXPECT_THAT(advice_for(snapshot, context), HasSubstr("BUFPOOL_CPU_CACHE=1536K (now 768K)"));
  context.cpu_cache_bytes = 10240 * kMiB;
  EXPECT_THAT(advice_for(snapshot, context), HasSubstr("BUFPOOL_CPU_CACHE=16G (now 10G)"));
  context.cpu_cache_bytes = 16384 * kMiB;
  EXPECT_THAT(advice_for(snapshot, context), IsEmpty());
  context.cpu_cache_bytes = 0;
  EXPECT_THAT(advice_for(snapshot, context), HasSubstr("set a larger BUFPOOL_CPU_CACHE"));
}

TEST(Advice, RequestsAboveTheRange) {
  Snapshot snapshot = with_misses(100, 0, 0);
  snapshot.passed_above = 1000;
  EXPECT_THAT(advice_for(snapshot), IsEmpty());
  snapshot.passed_above = 1001;
  EXPECT_THAT(advice_for(snapshot), HasSubstr("largest class is 64K: set BUFPOOL_MAX_SIZE=16M"));
  snapshot.classes[1].buffer_bytes = 16 * kMiB + 64;
  EXPECT_THAT(advice_for(snapshot), Not(HasSubstr("BUFPOOL_MAX_SIZE=16M")));
  EXPECT_THAT(advice_for(snapshot), HasSubstr("which ends at 16M"));
}

TEST(Advice, FallbacksAndWhy) {
  Snapshot snapshot = with_misses(100, 0, 0);
  snapshot.classes[0].fallbacks = 1;
  EXPECT_THAT(advice_for(snapshot), HasSubstr("or the system refused memory"));
  snapshot.reserved = 0;
  EXPECT_THAT(advice_for(snapshot), HasSubstr("no address space could be reserved"));
}

TEST(Advice, Modes) {
  Snapshot snapshot = with_misses(10000, 5000, 1);
  snapshot.mode = PoolMode::kLocked;
  EXPECT_THAT(advice_for(snapshot), HasSubstr("restartable sequences are unavailable"));
  snapshot.mode = PoolMode::kPassThrough;
  EXPECT_THAT(advice_for(snapshot), HasSubstr("BUFPOOL_DISABLE"));
  EXPECT_THAT(advice_for(snapshot), Not(HasSubstr("BUFPOOL_CPU_CACHE")));
}

TEST(Advice, TheLargestNumbersFit) {
  Snapshot snapshot = largest_snapshot();
  for (auto& row : snapshot.classes) row.hits = 0;
  EXPECT_THAT(advice_for(snapshot), HasSubstr("BUFPOOL_CPU_CACHE"));
  snapshot.mode = PoolMode::kLocked;
  EXPECT_THAT(advice_for(snapshot), HasSubstr("mode locked"));
}

}  // namespace
}  // namespace bufpool
