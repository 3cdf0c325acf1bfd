// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>

#include "cli/formatted.h"
#include "cli/html/charts.h"
#include "cli/html/markup.h"
#include "cli/texts/sizes.h"

namespace bufpool {
namespace {

constexpr double kMostSteps = 5;

double bytes_step(double most) {
  double step = 1;
  while (most / step > kMostSteps) step *= 2;
  return step;
}

double count_step(double most) {
  for (double power = 1;; power *= 10) {
    for (const double factor : {1, 2, 5}) {
      if (most / (power * factor) <= kMostSteps) return power * factor;
    }
  }
}

double time_step(double most) {
  constexpr std::array<double, 25> kSteps = {
      1,     2,      5,      10,     20,         50,         100,        200,   500,
      1e3,   2e3,    5e3,    10e3,   15e3,       30e3,       60e3,       120e3, 300e3,
      600e3, 1800e3, 3600e3, 7200e3, 3 * 3600e3, 6 * 3600e3, 12 * 3600e3};
  for (const double step : kSteps) {
    if (most / step <= kMostSteps) return step;
  }
  constexpr double kDay = 24 * 3600e3;
  return kDay * count_step(most / kDay);
}

std::string bytes_label(double bytes) {
  constexpr std::array<std::string_view, 7> kUnits = {"B",   "KiB", "MiB", "GiB",
                                                      "TiB", "PiB", "EiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  return formatted("{} {}", decimal(bytes), kUnits[unit]);
}

std::string count_label(double count) {
  constexpr std::array<std::string_view, 7> kUnits = {"", "k", "M", "G", "T", "P", "E"};
  std::size_t unit = 0;
  for (; count >= 1000 && unit + 1 < kUnits.size(); ++unit) count /= 1000;
  return decimal(count) + std::string(kUnits[unit]);
}

std::string time_label(double milliseconds, double step) {
  constexpr double kSecond = 1000;
  if (step < kSecond / 10) return decimal(milliseconds) + "ms";
  if (step < kSecond) return decimal(milliseconds / kSecond) + "s";
  return short_time(static_cast<std::uint64_t>(milliseconds));
}

std::string label_of(double value, double step, Scale scale) {
  if (value == 0) return "0";
  if (scale == Scale::kBytes) return bytes_label(value);
  return scale == Scale::kCount ? count_label(value) : time_label(value, step);
}

double step_for(double most, Scale scale) {
  if (scale == Scale::kBytes) return bytes_step(most);
  return scale == Scale::kCount ? count_step(most) : time_step(most);
}

}  // namespace

Axis axis_for(double most, Scale scale) {
  most = std::max(most, 1.0);
  const double step = step_for(most, scale);
  Axis axis;
  axis.most = scale == Scale::kTime ? most : std::ceil(most / step) * step;
  const auto steps = static_cast<std::size_t>(axis.most / step);
  for (std::size_t i = 0; i <= steps; ++i) {
    const double at = static_cast<double>(i) * step;
    axis.ticks.push_back({at, label_of(at, step, scale)});
  }
  return axis;
}

}  // namespace bufpool
