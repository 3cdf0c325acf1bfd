// SPDX-License-Identifier: MIT
#include "pool/sampling/sample_countdown.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <thread>

namespace bufpool {
namespace {

constexpr std::uint64_t kMean = 512 << 10;

TEST(SampleCountdown, KnowsLogarithms) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 10000; ++i) {
    const std::uint64_t number = (random() >> random() % 60) | 1;
    const double log = 64 - std::log2(static_cast<double>(number));
    EXPECT_NEAR(static_cast<double>(negative_log2(number)) / (1 << 24), log, 1e-6) << number;
  }
}

TEST(SampleCountdown, DistancesAreAtLeastOne) {
  for (const std::uint64_t random : {~std::uint64_t{0}, ~std::uint64_t{1}, std::uint64_t{0}}) {
    EXPECT_GE(sample_distance(random, 4096), 1);
    EXPECT_LT(sample_distance(random, std::uint64_t{1} << 30), std::int64_t{45} << 30);
  }
}

TEST(SampleCountdown, DistancesAreExponential) {
  std::mt19937_64 random(2);
  constexpr int kDraws = 200000;
  double sum = 0;
  int beyond_mean = 0;
  for (int i = 0; i < kDraws; ++i) {
    const std::int64_t distance = sample_distance(random(), kMean);
    sum += static_cast<double>(distance);
    beyond_mean += distance > static_cast<std::int64_t>(kMean) ? 1 : 0;
  }
  EXPECT_NEAR(sum / kDraws / kMean, 1, 0.015);
  EXPECT_NEAR(beyond_mean / double{kDraws}, std::exp(-1), 0.007);
}

// Six standard deviations are 2% here.
TEST(SampleCountdown, SamplesByBytes) {
  for (const std::size_t size : {std::size_t{600}, std::size_t{4096}, std::size_t{kMean}}) {
    constexpr int kSamples = 100000;
    const double part = 1 - std::exp(-static_cast<double>(size) / kMean);
    const auto gets = static_cast<int>(kSamples / part);
    int samples = 0;
    for (int i = 0; i < gets; ++i) samples += SampleCountdown::passes(size, kMean) ? 1 : 0;
    EXPECT_NEAR(samples / double{kSamples}, 1, 0.02) << size;
  }
}

TEST(SampleCountdown, FirstGetsOfThreadsAreNotAllSamples) {
  int samples = 0;
  for (int i = 0; i < 200; ++i) {
    std::thread([&] { samples += SampleCountdown::passes(512, kMean) ? 1 : 0; }).join();
  }
  EXPECT_LT(samples, 20);
}

}  // namespace
}  // namespace bufpool
