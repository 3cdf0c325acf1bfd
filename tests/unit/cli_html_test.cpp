// SPDX-License-Identifier: MIT
// How the page of HTML writes texts and numbers, and what its axes show.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "cli/html/charts.h"
#include "cli/html/markup.h"

namespace bufpool {
namespace {

std::string labels(double most, Scale scale) {
  std::string all;
  for (const Tick& tick : axis_for(most, scale).ticks) all += tick.label + " ";
  return all;
}

TEST(Html, TextOfOthersIsText) {
  EXPECT_EQ(in_html("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
  EXPECT_EQ(name_in_html("\x1b[1m<\xff\n"), "?[1m&lt;??");
  EXPECT_LE(name_in_html(std::string(10'000, 'x')).size(), 96U);
}

TEST(Html, NumbersAreForPeople) {
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(1000), "1,000");
  EXPECT_EQ(count_text(1'234'567), "1,234,567");
  EXPECT_EQ(share_text(1, 3), "33.33%");
  EXPECT_EQ(share_text(0, 0), "–");
  EXPECT_EQ(decimal(100), "100");
  EXPECT_EQ(decimal(33.3333), "33.33");
  EXPECT_EQ(decimal(-0.001), "0");
  EXPECT_EQ(decimal(std::numeric_limits<double>::infinity()), "0");
}

TEST(Html, TheVariableOfAnAdviceIsMarked) {
  EXPECT_EQ(marked_advice("set BUFPOOL_CPU_CACHE=64M (now 32M)"),
            "set <code>BUFPOOL_CPU_CACHE=64M</code> (now 32M)");
  EXPECT_EQ(marked_advice("set BUFPOOL_MAX_SIZE=1G, and BUFPOOL_CLASSES=1K,4K"),
            "set <code>BUFPOOL_MAX_SIZE=1G</code>, and <code>BUFPOOL_CLASSES=1K,4K</code>");
  EXPECT_EQ(marked_advice("nothing <to> set"), "nothing &lt;to&gt; set");
}

TEST(Html, AxesHaveRoundSteps) {
  EXPECT_EQ(labels(300.0 * (1 << 20), Scale::kBytes), "0 64 MiB 128 MiB 192 MiB 256 MiB 320 MiB ");
  EXPECT_EQ(labels(1.2 * (1 << 30), Scale::kBytes), "0 256 MiB 512 MiB 768 MiB 1 GiB 1.25 GiB ");
  EXPECT_EQ(labels(0, Scale::kBytes), "0 1 B ");
  EXPECT_EQ(labels(7900, Scale::kCount), "0 2k 4k 6k 8k ");
  EXPECT_EQ(labels(11'000, Scale::kTime), "0 5s 10s ");
  EXPECT_EQ(labels(22, Scale::kTime), "0 5ms 10ms 15ms 20ms ");
  EXPECT_EQ(labels(100 * 60'000, Scale::kTime), "0 30m00s 1h00m 1h30m ");
}

TEST(Html, AnAxisHoldsWhateverThereIs) {
  const double most = static_cast<double>(std::numeric_limits<std::uint64_t>::max());
  for (const Scale scale : {Scale::kBytes, Scale::kCount, Scale::kTime}) {
    for (const double value : {0.0, 1.0, 4096.0, most}) {
      const Axis axis = axis_for(value, scale);
      EXPECT_GE(axis.most, value);
      EXPECT_LE(axis.ticks.size(), 6U);
      EXPECT_LE(axis.ticks.back().at, axis.most);
    }
  }
}

TEST(Html, ACurveKeepsItsHighestPointAmongVeryMany) {
  Curve curve;
  curve.colour = "resident";
  for (std::uint64_t i = 0; i < 50'000; ++i) curve.points.push_back({i, i == 31'415 ? 1000U : 10U});
  const std::string drawn = line_chart("test", {curve}, Scale::kCount, {});
  EXPECT_NE(drawn.find(" 0L"), std::string::npos);
  EXPECT_LT(drawn.size(), 40'000U);
}

}  // namespace
}  // namespace bufpool
