// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "pool/addresses/size_classes.h"
#include "report/forms.h"
#include "tests/unit/sample_snapshots.h"

namespace bufpool {
namespace {

using testing::IsNotSubstring;
using testing::IsSubstring;

// Returns the lines, each with a newline.
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

// Returns a snapshot with one 64K class, of which at most 1000 buffers (62.5 MiB) were in use at
// once.
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
  // It was never full, so it is not too small.
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

// One CPU gets what another CPU puts. The cache of the one is empty and that of the other is full,
// at any size.
TEST(Advice, BuffersThatPassFromCpuToCpuNeedNoLargerCache) {
  const std::uint64_t fit = 32 * kMiB / (64 * kKiB + 64);
  Snapshot snapshot = with_misses(10000, 5000, 5000);
  snapshot.classes[0].in_use_peak = fit;
  EXPECT_EQ(advice_for(snapshot), "");
  snapshot.classes[0].in_use_peak = fit + 1;
  EXPECT_PRED_FORMAT2(IsSubstring, "BUFPOOL_CPU_CACHE=64M", advice_for(snapshot));
  // It is different if other classes want the room as well.
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

// Returns a snapshot in which `regretted` of `faulted` bytes had been given back, and the budget
// can rise no more.
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

TEST(Advice, WhereTheSystemRefusedMemoryTheBudgetIsNotToBlame) {
  Snapshot snapshot = with_regret(100 * kMiB, 300 * kMiB, 64 * kMiB);
  snapshot.shortages = 7;
  EXPECT_EQ(advice_for(snapshot).find("RETAIN_MAX"), std::string::npos);
  EXPECT_PRED_FORMAT2(IsSubstring, "given back 7 times, as the system refused more: raise ulimit",
                      advice_for(snapshot));
  snapshot.classes[0].fallbacks = 1;
  EXPECT_EQ(advice_for(snapshot).find("7 times"), std::string::npos);
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
  EXPECT_PRED_FORMAT2(IsSubstring, "largest class is 64K: set BUFPOOL_MAX_SIZE=1G",
                      advice_for(snapshot));
  snapshot.classes[1].buffer_bytes = 16 * kMiB + 64;
  EXPECT_PRED_FORMAT2(IsSubstring, "largest class is 16M: set BUFPOOL_MAX_SIZE=1G",
                      advice_for(snapshot));
  snapshot.classes[1].buffer_bytes = buffer_bytes(kLastClass);
  EXPECT_PRED_FORMAT2(IsNotSubstring, "BUFPOOL_MAX_SIZE=1G", advice_for(snapshot));
  EXPECT_PRED_FORMAT2(IsSubstring, "which ends at 1G", advice_for(snapshot));
}

TEST(Advice, FallbacksAndWhy) {
  Snapshot snapshot = with_misses(100, 0, 0);
  snapshot.classes[0].fallbacks = 1;
  EXPECT_PRED_FORMAT2(IsSubstring, "the system refused memory", advice_for(snapshot));
  const std::string advice = advice_for(snapshot);
  snapshot.reserved = 0;  // all that was mapped went back meanwhile
  EXPECT_EQ(advice_for(snapshot), advice);
}

TEST(Advice, ReasonsForFallbacksAreToldApart) {
  Snapshot snapshot = with_misses(100, 0, 0);
  snapshot.classes[1] = sample_class(256 * kKiB, 100, 0);
  snapshot.classes[0].fallbacks = snapshot.classes[0].over_limit = 30;
  snapshot.classes[1].fallbacks = snapshot.classes[1].over_limit = 150;
  EXPECT_EQ(advice_for(snapshot),
            "180 requests, most of class 256K, went to mimalloc as BUFPOOL_MAX_BUFFERS were in use"
            ": set BUFPOOL_MAX_BUFFERS=0 for no limit, or to more\n");
  snapshot.classes[0].locked_out = 7;
  snapshot.classes[0].fallbacks += 7;
  EXPECT_PRED_FORMAT2(IsSubstring,
                      "7 requests in the pooled range went to mimalloc, as a lock was held: they "
                      "came while the process forked",
                      advice_for(snapshot));
  EXPECT_PRED_FORMAT2(IsNotSubstring, "used up", advice_for(snapshot));
  snapshot.classes[1].fallbacks += 11;
  EXPECT_PRED_FORMAT2(IsSubstring, "11 requests in the pooled range went to mimalloc: the system",
                      advice_for(snapshot));
}

// Returns a snapshot with `mean` bytes asked of each of `gets` buffers of 1M, beside classes of 4K
// and 512K.
Snapshot with_few_classes(std::uint64_t gets, std::uint64_t mean) {
  Snapshot snapshot = empty_snapshot();
  snapshot.reserved = 1;
  snapshot.classes[0].buffer_bytes = 4 * kKiB + 64;
  snapshot.classes[1].buffer_bytes = 512 * kKiB + 64;
  snapshot.classes[2] = sample_class(1024 * kKiB, gets, 0);
  snapshot.classes[2].asked = gets * mean;
  return snapshot;
}

TEST(Advice, MuchWasteAsksForAClassBetween) {
  EXPECT_EQ(advice_for(with_few_classes(100, 8192)),
            "class 1M: 99.21% of what was granted was waste, as 8.0 KiB were asked for on average: "
            "set BUFPOOL_CLASSES=4K,8K,512K,1M\n");
  EXPECT_EQ(advice_for(with_few_classes(99, 8192)), "");
  EXPECT_EQ(advice_for(with_few_classes(100, 512 * kKiB + 65)), "");
  const auto classes_for = [](std::uint64_t mean) {
    const std::string advice = advice_for(with_few_classes(1000, mean));
    return advice.substr(advice.find("BUFPOOL_CLASSES"));
  };
  EXPECT_EQ(classes_for(1), "BUFPOOL_CLASSES=512,4K,512K,1M\n");
  EXPECT_EQ(classes_for(577), "BUFPOOL_CLASSES=640,4K,512K,1M\n");
  EXPECT_EQ(classes_for(1089), "BUFPOOL_CLASSES=1280,4K,512K,1M\n");
  EXPECT_EQ(classes_for(8 * kKiB + 64), "BUFPOOL_CLASSES=4K,8K,512K,1M\n");
  EXPECT_EQ(classes_for(8 * kKiB + 65), "BUFPOOL_CLASSES=4K,10K,512K,1M\n");
  EXPECT_EQ(classes_for(400 * kKiB), "BUFPOOL_CLASSES=4K,448K,512K,1M\n");
}

// Sizes that missed show what classes would serve, and what they would save. Others are left out of
// account that have a class.
TEST(Advice, TheSizesSeenNameTheClasses) {
  Snapshot snapshot = with_few_classes(1000, 8192);
  snapshot.classes[1].buffer_bytes = 0;
  snapshot.sizes[17] = 90;   // up to 8K
  snapshot.sizes[13] = 500;  // 4K
  EXPECT_EQ(advice_for(snapshot),
            "class 1M: 99.21% of 1000.0 MiB granted was waste, and 992.1 MiB less serve the sizes "
            "seen: set BUFPOOL_CLASSES=4K,8K,1M\n");
  snapshot.sizes[33] = 10;  // up to 128K
  snapshot.classes[2].asked = 1000 * (20 * kKiB);
  EXPECT_PRED_FORMAT2(IsSubstring, "set BUFPOOL_CLASSES=4K,8K,1M", advice_for(snapshot));
  // They are not the sizes of those that hit.
  snapshot.classes[2].asked = 1000 * (100 * kKiB);
  EXPECT_PRED_FORMAT2(IsSubstring,
                      "as 100.0 KiB were asked for on average: ", advice_for(snapshot));
}

TEST(Advice, AClassIsNamedWithItsReason) {
  Snapshot snapshot = with_misses(10000, 2000, 0);
  snapshot.budget_max = 64 * kMiB;
  ClassSnapshot& row = snapshot.classes[0];
  row.elsewhere_misses = 1500;
  row.cold_misses = 400;
  EXPECT_EQ(advice_for(snapshot),
            "class 64K: hit rate 80.00% with 2000 misses, 75.00% of them as the buffers came back "
            "on other CPUs; no variable changes that\n");
  row.overflows = 5000;  // on the other CPUs
  EXPECT_PRED_FORMAT2(IsSubstring, "came back on other CPUs", advice_for(snapshot));
  row.overflows = row.elsewhere_misses = 0;
  row.cold_misses = 1900;
  EXPECT_PRED_FORMAT2(IsSubstring,
                      "95.00% of them as so many buffers were not in use before: set "
                      "BUFPOOL_WARMUP=64K:1000 to have them ready",
                      advice_for(snapshot));
  snapshot.budget_max = 62 * kMiB;  // they take more
  EXPECT_PRED_FORMAT2(IsNotSubstring, "WARMUP", advice_for(snapshot));
  row.cold_misses = 0;
  row.returned_misses = 1100;
  EXPECT_PRED_FORMAT2(IsSubstring, "55.00% of them as the memory had been given back",
                      advice_for(snapshot));
  row.returned_misses = 0;
  row.drained_misses = 1100;
  EXPECT_PRED_FORMAT2(IsSubstring, "as other classes needed the room: set BUFPOOL_CPU_CACHE=64M",
                      advice_for(snapshot));
  snapshot.cpu_drains = 1;
  EXPECT_PRED_FORMAT2(IsSubstring, "which lay idle or was over its budget", advice_for(snapshot));
  row.drained_misses = 100;
  EXPECT_PRED_FORMAT2(IsSubstring, "95.00% of them as the CPUs' caches had been full by bursts",
                      advice_for(snapshot));
  row.hits = 9500;  // it is good enough
  EXPECT_EQ(advice_for(snapshot), "");
}

TEST(Advice, ClassesOfAnySizeAreAdvised) {
  Snapshot snapshot = with_few_classes(100, 0);
  snapshot.classes[2] = sample_class(nominal_bytes(kLastClass), 100, 0);
  snapshot.classes[2].asked = 100 * (100 * kMiB);
  EXPECT_PRED_FORMAT2(IsSubstring, "set BUFPOOL_CLASSES=4K,512K,112M,1G", advice_for(snapshot));
}

// Alignments and room to grow also waste, and the right class is there already.
TEST(Advice, WasteOfAClassThatIsThereIsLeftAlone) {
  EXPECT_EQ(advice_for(with_few_classes(1000, 4000)), "");
}

TEST(Advice, ManyClassesAreNotListed) {
  Snapshot snapshot = with_few_classes(1000, 8192);
  for (std::uint64_t i = 3; i < 30; ++i) {
    snapshot.classes[i].buffer_bytes = built_in_bytes(45 + i - 2);
  }
  EXPECT_PRED_FORMAT2(IsSubstring, "on average: add 8K to BUFPOOL_CLASSES", advice_for(snapshot));
}

Snapshot with_passed(std::uint64_t below, std::uint64_t above, std::uint64_t gets) {
  Snapshot snapshot = empty_snapshot();
  snapshot.reserved = 1;
  snapshot.passed_below = below;
  snapshot.passed_above = above;
  snapshot.classes[0] = sample_class(512, gets, 0);
  snapshot.classes[1].buffer_bytes = buffer_bytes(kLastClass);
  return snapshot;
}

TEST(Advice, APoolThatServesNothingIsTold) {
  EXPECT_EQ(advice_for(with_passed(100'000, 3, 99)),
            "bufpool does nothing for this program: 100000 requests were below its range, 3 above "
            "and 99 within: take it out of LD_PRELOAD\n");
  EXPECT_PRED_FORMAT2(IsSubstring, "100 above", advice_for(with_passed(5, 100, 0)));
  EXPECT_EQ(advice_for(with_passed(99'999, 99, 99)), "");
  EXPECT_EQ(advice_for(with_passed(100'000, 100, 100)), "");
}

TEST(Advice, ARangeThatBeginsTooLateIsTold) {
  Snapshot snapshot = with_passed(kMost, kMost, 0);
  snapshot.classes[0].buffer_bytes = 64 * kKiB + 64;
  EXPECT_PRED_FORMAT2(IsSubstring, "set BUFPOOL_MIN_SIZE=512, or take it out of LD_PRELOAD",
                      advice_for(snapshot));
}

TEST(Advice, ARangeThatEndsTooSoonIsToldInstead) {
  Snapshot snapshot = with_passed(100'000, 100, 0);
  snapshot.classes[1].buffer_bytes = 0;
  EXPECT_EQ(advice_for(snapshot),
            "100 requests were above the pooled range, whose largest class is 512: set "
            "BUFPOOL_MAX_SIZE=1G, and BUFPOOL_CLASSES to match\n");
  snapshot.passed_above = 0;
  EXPECT_PRED_FORMAT2(IsSubstring, "does nothing for this program", advice_for(snapshot));
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
    row.elsewhere_misses = 0;
  }
  snapshot.classes.back().in_use_peak = kMost;
  snapshot.budget = snapshot.budget_max = (std::uint64_t{16} << 40) - 1;
  EXPECT_PRED_FORMAT2(IsSubstring, "(under 90% in 86 more)",
                      advice_for(snapshot, with_cpu_cache((std::uint64_t{16} << 30) - 1)));
  snapshot.shortages = 0;
  EXPECT_PRED_FORMAT2(IsSubstring, "BUFPOOL_RETAIN_MAX=16384G (now 17592186044415)",
                      advice_for(snapshot));
  snapshot.mode = PoolMode::kLocked;
  EXPECT_PRED_FORMAT2(IsSubstring, "mode locked", advice_for(snapshot));
}

}  // namespace
}  // namespace bufpool
