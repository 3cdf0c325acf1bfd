// SPDX-License-Identifier: MIT
// What the samples of a page are taken for.
#include "cli/profile/profile.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/profile/profile_forms.h"

namespace bufpool {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kEvery = 64 << 10;
constexpr std::uint64_t kSmall = 1 << 10;
constexpr std::uint64_t kLarge = 16 << 20;
constexpr std::uint64_t kNsInMs = 1'000'000;

// Returns how many buffers one of so many bytes stands for.
double weight_of(std::uint64_t bytes) {
  return 1 / (1 - std::exp(-static_cast<double>(bytes) / static_cast<double>(kEvery)));
}

// A stack that got two small buffers and a large one. All are held.
PageSamples mixed() {
  PageSamples samples;
  samples.every = kEvery;
  samples.stacks.resize(2);
  samples.stacks[1].frames = {0x1000};
  samples.stacks[1].gets = 3;
  samples.stacks[1].bytes = 2 * kSmall + kLarge;
  samples.buffers = {{0x10000, kSmall, 0, 1}, {0x20000, kSmall, 0, 1}, {0x30000, kLarge, 0, 1}};
  return samples;
}

Json stack_of(const PageSamples& samples, std::uint64_t age_ms) {
  AddressNames names;
  const Profile profile = profile_of(samples, {age_ms * kNsInMs, age_ms}, names);
  return Json::parse(profile_json(profile))["stacks"][1];
}

void expect_near(const Json& value, double expected) {
  EXPECT_NEAR(value.get<double>(), expected, 1);
}

TEST(Profile, EachHeldBufferCountsByItsOwnSize) {
  const Json stack = stack_of(mixed(), 2000);
  const double buffers = 2 * weight_of(kSmall) + weight_of(kLarge);
  const double bytes = 2 * weight_of(kSmall) * kSmall + weight_of(kLarge) * kLarge;
  expect_near(stack["held_buffers"], buffers);
  expect_near(stack["held_bytes"], bytes);
  expect_near(stack["got_buffers"], buffers);
  expect_near(stack["got_bytes"], bytes);
  expect_near(stack["byte_seconds"], bytes * 2);
  EXPECT_EQ(stack["held_samples"], 3);
}

TEST(Profile, BuffersThatCameBackCountByTheirMeanSize) {
  PageSamples samples = mixed();
  samples.stacks[1].gets += 10;
  samples.stacks[1].bytes += 10 * kSmall;
  samples.stacks[1].puts = 10;
  samples.stacks[1].put_bytes = 10 * kSmall;
  const Json stack = stack_of(samples, 0);
  expect_near(stack["got_buffers"], 12 * weight_of(kSmall) + weight_of(kLarge));
}

// A page that is read while it changes may have a buffer that its stack does not count yet.
TEST(Profile, MoreBuffersMayBeHeldThanWereCounted) {
  PageSamples samples = mixed();
  samples.stacks[1].gets = 0;
  samples.stacks[1].bytes = 0;
  const Json stack = stack_of(samples, 0);
  EXPECT_EQ(stack["got_buffers"], stack["held_buffers"]);
}

TEST(Profile, LargeBuffersMayBeHeldForLong) {
  constexpr std::uint64_t kYearMs = std::uint64_t{365} * 24 * 3600 * 1000;
  PageSamples samples = mixed();
  for (SampledBuffer& buffer : samples.buffers) buffer.asked = std::uint64_t{1} << 30;
  const Json stack = stack_of(samples, kYearMs);
  EXPECT_EQ(stack["held_byte_ms"], ~std::uint64_t{0});
  const double expected = 3.0 * (1 << 30) * static_cast<double>(kYearMs) / 1000;
  EXPECT_NEAR(stack["byte_seconds"].get<double>() / expected, 1, 0.001);
}

TEST(Profile, AnyNameIsTextInJson) {
  const std::string path(200, '/');
  Profile profile;
  profile.places = {{.function = "a\"b\\c\n\x01\xff", .module = path}};
  const Json place = Json::parse(profile_json(profile))["frames"][0];
  EXPECT_EQ(place["function"], "a\"b\\c\n\x01?");
  EXPECT_EQ(place["module"], path);
}

}  // namespace
}  // namespace bufpool
