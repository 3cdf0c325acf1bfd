// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "report/forms.h"
#include "tests/unit/sample_snapshots.h"

namespace bufpool {
namespace {

using testing::IsNotSubstring;
using testing::IsSubstring;

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
  EXPECT_PRED_FORMAT2(IsSubstring, "BUFPOOL_CPU_CACHE=64M (now 32M)",
                      advice_for(with_misses(10000, 1001, 1)));
  EXPECT_EQ(advice_for(with_misses(10000, 1000, 1)), "");
  EXPECT_EQ(advice_for(with_misses(20000, 1001, 1)), "");
  // Never full, so not too small.
  EXPECT_EQ(advice_for(with_misses(10000, 5000, 0)), "");
}

TEST(Advice, NoCacheIsLargeEnoughForAnyBurst) {
  const std::uint64_t fit = 4 * 32 * kMiB / (64 * kKiB + 64);
  Snapshot snapshot = with_misses(10000, 5000, 5000);
  snapshot.classes[0].in_use_peak = fit;
  EXPECT_PRED_FORMAT2(IsSubstring, "BUFPOOL_CPU_CACHE=64M", advice_for(snapshot));
  snapshot.classes[0].in_use_peak = fit + 1;
  EXPECT_EQ(advice_for(snapshot), "");
}

// One CPU gets what another puts: the one's cache is empty and the other's full at any size.
TEST(Advice, BuffersThatPassFromCpuToCpuNeedNoLargerCache) {
  const std::uint64_t fit = 32 * kMiB / (64 * kKiB + 64);
  Snapshot snapshot = with_misses(10000, 5000, 5000);
  snapshot.classes[0].in_use_peak = fit;
  EXPECT_EQ(advice_for(snapshot), "");
  snapshot.classes[0].in_use_peak = fit + 1;
  EXPECT_PRED_FORMAT2(IsSubstring, "BUFPOOL_CPU_CACHE=64M", advice_for(snapshot));
  // Unless other classes want the room as well.
  snapshot.classes[0].in_use_peak = fit;
  snapshot.classes[1] = sample_class(256 * kKiB, 100, 0);
  EXPECT_PRED_FORMAT2(IsSubstring, "class 64K", advice_for(snapshot));
}

TEST(Advice, NamesTheClassThatMissesMost) {
  Snapshot snapshot = with_misses(10000, 5000, 1);
  snapshot.classes[1] = sample_class(256 * kKiB, 10000, 7500);
  snapshot.classes[1].overflows = 1;
  snapshot.classes[1].in_use_peak = 500;
  EXPECT_PRED_FORMAT2(IsSubstring,
                      "class 256K: hit rate 25.00% with 7500 misses "
                      "(under 90% in 1 more)",
                      advice_for(snapshot));
}

TEST(Advice, ACacheSizeIsOneTheVariableTakes) {
  Snapshot snapshot = with_misses(10000, 5000, 1);
  EXPECT_PRED_FORMAT2(IsSubstring, "BUFPOOL_CPU_CACHE=33794K (now 16897K)",
                      advice_for(snapshot, with_cpu_cache(16897 * kKiB)));
  snapshot.classes[0].in_use_peak = 500000;
  EXPECT_PRED_FORMAT2(IsSubstring, "BUFPOOL_CPU_CACHE=16G (now 10G)",
                      advice_for(snapshot, with_cpu_cache(10240 * kMiB)));
  EXPECT_EQ(advice_for(snapshot, with_cpu_cache(16384 * kMiB)), "");
  EXPECT_EQ(advice_for(snapshot, with_cpu_cache(kMost)), "");
  EXPECT_EQ(advice_for(snapshot, with_cpu_cache(0)), "");
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
  EXPECT_PRED_FORMAT2(IsSubstring,
                      "100.0 MiB (33.33% of what was faulted) had been given back shortly "
                      "before: set BUFPOOL_RETAIN_MAX=128M (now 64M)",
                      advice_for(with_regret(100 * kMiB, 300 * kMiB, 64 * kMiB)));
  EXPECT_EQ(advice_for(with_regret(100 * kMiB, 400 * kMiB, 64 * kMiB)), "");
  EXPECT_EQ(advice_for(with_regret(64 * kMiB, 100 * kMiB, 64 * kMiB)), "");
  EXPECT_PRED_FORMAT2(IsSubstring, "BUFPOOL_RETAIN_MAX=128M",
                      advice_for(with_regret(64 * kMiB + 1, 100 * kMiB, 64 * kMiB)));
}

TEST(Advice, ABudgetThatCanRiseIsLeftAlone) {
  Snapshot snapshot = with_regret(100 * kMiB, 300 * kMiB, 64 * kMiB);
  snapshot.budget -= 1;
  EXPECT_EQ(advice_for(snapshot), "");
}

TEST(Advice, ABudgetIsOneTheVariableTakes) {
  constexpr std::uint64_t kTiB = kMiB << 20;
  auto advice = [](std::uint64_t budget) {
    return advice_for(with_regret(100 * kMiB, 300 * kMiB, budget));
  };
  EXPECT_PRED_FORMAT2(IsSubstring, "BUFPOOL_RETAIN_MAX=3074K (now 1537K)", advice(1537 * kKiB));
  EXPECT_PRED_FORMAT2(IsSubstring, "BUFPOOL_RETAIN_MAX=16384G (now 9216G)", advice(9 * kTiB));
  EXPECT_EQ(advice(16 * kTiB), "");
  EXPECT_EQ(advice(1), "");  // RETAIN_MAX=0
}

TEST(Advice, SaysThatTheTrimmerWasRefused) {
  Snapshot snapshot = with_misses(100, 0, 0);
  for (const std::uint64_t state : {0, 1, 2, 4}) {
    snapshot.trimmer = state;
    EXPECT_EQ(advice_for(snapshot), "");
  }
  snapshot.trimmer = 3;
  EXPECT_PRED_FORMAT2(IsSubstring, "refused a thread", advice_for(snapshot));
}

TEST(Advice, RequestsAboveTheRange) {
  Snapshot snapshot = with_misses(100, 0, 0);
  snapshot.passed_above = 1000;
  EXPECT_EQ(advice_for(snapshot), "");
  snapshot.passed_above = 1001;
  EXPECT_PRED_FORMAT2(IsSubstring, "largest class is 64K: set BUFPOOL_MAX_SIZE=16M",
                      advice_for(snapshot));
  snapshot.classes[1].buffer_bytes = 16 * kMiB + 64;
  EXPECT_PRED_FORMAT2(IsNotSubstring, "BUFPOOL_MAX_SIZE=16M", advice_for(snapshot));
  EXPECT_PRED_FORMAT2(IsSubstring, "which ends at 16M", advice_for(snapshot));
}

TEST(Advice, FallbacksAndWhy) {
  Snapshot snapshot = with_misses(100, 0, 0);
  snapshot.classes[0].fallbacks = 1;
  EXPECT_PRED_FORMAT2(IsSubstring, "or the system refused memory", advice_for(snapshot));
  snapshot.reserved = 0;
  EXPECT_PRED_FORMAT2(IsSubstring, "no address space could be reserved", advice_for(snapshot));
}

TEST(Advice, Modes) {
  Snapshot snapshot = with_misses(10000, 5000, 1);
  snapshot.mode = PoolMode::kLocked;
  EXPECT_PRED_FORMAT2(IsSubstring, "restartable sequences are unavailable", advice_for(snapshot));
  snapshot.mode = PoolMode::kPassThrough;
  EXPECT_PRED_FORMAT2(IsSubstring, "BUFPOOL_DISABLE", advice_for(snapshot));
  EXPECT_PRED_FORMAT2(IsNotSubstring, "BUFPOOL_CPU_CACHE", advice_for(snapshot));
}

TEST(Advice, TheLargestNumbersFit) {
  Snapshot snapshot = largest_snapshot();
  for (auto& row : snapshot.classes) {
    row.hits = 0;
    row.in_use_peak = 0;
  }
  snapshot.classes.back().in_use_peak = kMost;
  snapshot.budget = snapshot.budget_max = (std::uint64_t{16} << 40) - 1;
  EXPECT_PRED_FORMAT2(IsSubstring, "(under 90% in 62 more)",
                      advice_for(snapshot, with_cpu_cache((std::uint64_t{16} << 30) - 1)));
  EXPECT_PRED_FORMAT2(IsSubstring, "BUFPOOL_RETAIN_MAX=16384G (now 17592186044415)",
                      advice_for(snapshot));
  snapshot.mode = PoolMode::kLocked;
  EXPECT_PRED_FORMAT2(IsSubstring, "mode locked", advice_for(snapshot));
}

}  // namespace
}  // namespace bufpool
