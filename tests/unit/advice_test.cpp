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

// One 64K class, of which at most 1000 buffers (62.5 MiB) were in use at once.
Snapshot with_misses(std::uint64_t gets, std::uint64_t misses, std::uint64_t overflows) {
  Snapshot snapshot = empty_snapshot();
  snapshot.reserved = 1;
  snapshot.classes[0] = sample_class(64 * kKiB, gets, misses);
  snapshot.classes[0].overflows = overflows;
  snapshot.classes[0].in_use_peak = 1000;
  return snapshot;
}

ReportContext with_cpu_cache(std::uint64_t bytes) {
  ReportContext context = kContext;
  context.cpu_cache_bytes = bytes;
  return context;
}

TEST(Advice, ALowHitRateAsksForALargerCache) {
  EXPECT_THAT(advice_for(with_misses(10000, 1001, 1)),
              HasSubstr("BUFPOOL_CPU_CACHE=64M (now 32M)"));
  EXPECT_THAT(advice_for(with_misses(10000, 1000, 1)), IsEmpty());
  EXPECT_THAT(advice_for(with_misses(20000, 1001, 1)), IsEmpty());
  // Never full, so not too small.
  EXPECT_THAT(advice_for(with_misses(10000, 5000, 0)), IsEmpty());
}

TEST(Advice, NoCacheIsLargeEnoughForAnyBurst) {
  const std::uint64_t fit = 4 * 32 * kMiB / (64 * kKiB + 64);
  Snapshot snapshot = with_misses(10000, 5000, 5000);
  snapshot.classes[0].in_use_peak = fit;
  EXPECT_THAT(advice_for(snapshot), HasSubstr("BUFPOOL_CPU_CACHE=64M"));
  snapshot.classes[0].in_use_peak = fit + 1;
  EXPECT_THAT(advice_for(snapshot), IsEmpty());
}

// One CPU gets what another puts: the one's cache is empty and the other's full at any size.
TEST(Advice, BuffersThatPassFromCpuToCpuNeedNoLargerCache) {
  const std::uint64_t fit = 32 * kMiB / (64 * kKiB + 64);
  Snapshot snapshot = with_misses(10000, 5000, 5000);
  snapshot.classes[0].in_use_peak = fit;
  EXPECT_THAT(advice_for(snapshot), IsEmpty());
  snapshot.classes[0].in_use_peak = fit + 1;
  EXPECT_THAT(advice_for(snapshot), HasSubstr("BUFPOOL_CPU_CACHE=64M"));
  // Unless other classes want the room as well.
  snapshot.classes[0].in_use_peak = fit;
  snapshot.classes[1] = sample_class(256 * kKiB, 100, 0);
  EXPECT_THAT(advice_for(snapshot), HasSubstr("class 64K"));
}

TEST(Advice, NamesTheClassThatMissesMost) {
  Snapshot snapshot = with_misses(10000, 5000, 1);
  snapshot.classes[1] = sample_class(256 * kKiB, 10000, 7500);
  snapshot.classes[1].overflows = 1;
  snapshot.classes[1].in_use_peak = 500;
  EXPECT_THAT(advice_for(snapshot), HasSubstr("class 256K: hit rate 25.00% with 7500 misses "
                                              "(under 90% in 1 more)"));
}

TEST(Advice, ACacheSizeIsOneTheVariableTakes) {
  Snapshot snapshot = with_misses(10000, 5000, 1);
  EXPECT_THAT(advice_for(snapshot, with_cpu_cache(16897 * kKiB)),
              HasSubstr("BUFPOOL_CPU_CACHE=33794K (now 16897K)"));
  snapshot.classes[0].in_use_peak = 500000;
  EXPECT_THAT(advice_for(snapshot, with_cpu_cache(10240 * kMiB)),
              HasSubstr("BUFPOOL_CPU_CACHE=16G (now 10G)"));
  EXPECT_THAT(advice_for(snapshot, with_cpu_cache(16384 * kMiB)), IsEmpty());
  EXPECT_THAT(advice_for(snapshot, with_cpu_cache(kMost)), IsEmpty());
  EXPECT_THAT(advice_for(snapshot, with_cpu_cache(0)), IsEmpty());
}

// `regretted` of `faulted`, and the budget can rise no more.
Snapshot with_regret(std::uint64_t regretted, std::uint64_t faulted, std::uint64_t budget) {
  Snapshot snapshot = with_misses(100, 0, 0);
  snapshot.classes[0].regretted = regretted / 2;
  snapshot.classes[1] = sample_class(256 * kKiB, 100, 0);
  snapshot.classes[1].regretted = regretted - regretted / 2;
  snapshot.classes[1].faulted = faulted;
  snapshot.budget = snapshot.budget_max = budget;
  return snapshot;
}

TEST(Advice, RegretAsksForALargerBudget) {
  EXPECT_THAT(advice_for(with_regret(100 * kMiB, 300 * kMiB, 64 * kMiB)),
              HasSubstr("100.0 MiB (33.33% of what was faulted) had been given back shortly "
                        "before: set BUFPOOL_RETAIN_MAX=128M (now 64M)"));
  EXPECT_THAT(advice_for(with_regret(100 * kMiB, 400 * kMiB, 64 * kMiB)), IsEmpty());
  EXPECT_THAT(advice_for(with_regret(64 * kMiB, 100 * kMiB, 64 * kMiB)), IsEmpty());
  EXPECT_THAT(advice_for(with_regret(64 * kMiB + 1, 100 * kMiB, 64 * kMiB)),
              HasSubstr("BUFPOOL_RETAIN_MAX=128M"));
}

TEST(Advice, ABudgetThatCanRiseIsLeftAlone) {
  Snapshot snapshot = with_regret(100 * kMiB, 300 * kMiB, 64 * kMiB);
  snapshot.budget -= 1;
  EXPECT_THAT(advice_for(snapshot), IsEmpty());
}

TEST(Advice, ABudgetIsOneTheVariableTakes) {
  constexpr std::uint64_t kTiB = kMiB << 20;
  auto advice = [](std::uint64_t budget) {
    return advice_for(with_regret(100 * kMiB, 300 * kMiB, budget));
  };
  EXPECT_THAT(advice(1537 * kKiB), HasSubstr("BUFPOOL_RETAIN_MAX=3074K (now 1537K)"));
  EXPECT_THAT(advice(9 * kTiB), HasSubstr("BUFPOOL_RETAIN_MAX=16384G (now 9216G)"));
  EXPECT_THAT(advice(16 * kTiB), IsEmpty());
  EXPECT_THAT(advice(1), IsEmpty());  // RETAIN_MAX=0
}

TEST(Advice, SaysThatTheTrimmerWasRefused) {
  Snapshot snapshot = with_misses(100, 0, 0);
  for (const std::uint64_t state : {0, 1, 2, 4}) {
    snapshot.trimmer = state;
    EXPECT_THAT(advice_for(snapshot), IsEmpty());
  }
  snapshot.trimmer = 3;
  EXPECT_THAT(advice_for(snapshot), HasSubstr("refused a thread"));
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
  for (auto& row : snapshot.classes) {
    row.hits = 0;
    row.in_use_peak = 0;
  }
  snapshot.classes.back().in_use_peak = kMost;
  snapshot.budget = snapshot.budget_max = (std::uint64_t{16} << 40) - 1;
  EXPECT_THAT(advice_for(snapshot, with_cpu_cache((std::uint64_t{16} << 30) - 1)),
              HasSubstr("(under 90% in 62 more)"));
  EXPECT_THAT(advice_for(snapshot), HasSubstr("BUFPOOL_RETAIN_MAX=16384G (now 17592186044415)"));
  snapshot.mode = PoolMode::kLocked;
  EXPECT_THAT(advice_for(snapshot), HasSubstr("mode locked"));
}

}  // namespace
}  // namespace bufpool
