// SPDX-License-Identifier: MIT
#include <algorithm>
#include <optional>

#include "cli/formatted.h"
#include "cli/html/charts.h"
#include "cli/html/markup.h"

namespace bufpool {
namespace {

// A curve is drawn on a square of so many units, which is stretched to the width that there is.
constexpr double kUnits = 1000;
// More stretches than there are pixels would not be seen.
constexpr std::uint64_t kStretches = 600;

struct Window {
  std::uint64_t begin_ms = 0;
  std::uint64_t end_ms = 1;
  double most = 1;

  [[nodiscard]] double x(std::uint64_t time_ms) const {
    return static_cast<double>(time_ms - begin_ms) / static_cast<double>(end_ms - begin_ms) *
           kUnits;
  }
  [[nodiscard]] double y(double value) const { return kUnits - value / most * kUnits; }
};

std::uint64_t highest(const std::vector<Curve>& curves) {
  std::uint64_t most = 0;
  for (const Curve& curve : curves) {
    for (const Point& point : curve.points) most = std::max(most, point.value);
  }
  return most;
}

Window window_of(const std::vector<Curve>& curves) {
  std::optional<Window> window;
  for (const Curve& curve : curves) {
    if (curve.points.empty()) continue;
    const std::uint64_t begin = curve.points.front().time_ms;
    const std::uint64_t end = curve.points.back().time_ms;
    if (!window) window = Window{begin, end, 1};
    window->begin_ms = std::min(window->begin_ms, begin);
    window->end_ms = std::max(window->end_ms, end);
  }
  if (!window) return {};
  window->end_ms = std::max(window->end_ms, window->begin_ms + 1);
  return *window;
}

// Returns the points, and of very many the lowest and the highest of each stretch.
std::vector<Point> thinned(const std::vector<Point>& points, const Window& window) {
  if (points.size() <= 2 * kStretches) return points;
  std::vector<Point> few;
  const std::uint64_t length = (window.end_ms - window.begin_ms) / kStretches + 1;
  for (std::size_t i = 0; i < points.size();) {
    const std::uint64_t stretch = (points[i].time_ms - window.begin_ms) / length;
    Point low = points[i];
    Point high = points[i];
    for (; i < points.size() && (points[i].time_ms - window.begin_ms) / length == stretch; ++i) {
      if (points[i].value < low.value) low = points[i];
      if (points[i].value > high.value) high = points[i];
    }
    if (high.time_ms < low.time_ms) std::swap(low, high);
    few.push_back(low);
    if (high.time_ms != low.time_ms) few.push_back(high);
  }
  return few;
}

std::string path_of(const Curve& curve, const Window& window) {
  std::string line;
  const std::vector<Point> points = thinned(curve.points, window);
  for (const Point& point : points) {
    line += formatted("{}{} {}", line.empty() ? "M" : "L", decimal(window.x(point.time_ms)),
                      decimal(window.y(static_cast<double>(point.value))));
  }
  std::string drawn;
  if (curve.is_filled) {
    drawn = formatted("<path class=\"area {}\" d=\"{}L{} {}L{} {}Z\"/>", curve.colour, line,
                      decimal(window.x(points.back().time_ms)), kUnits,
                      decimal(window.x(points.front().time_ms)), kUnits);
  }
  return drawn + formatted("<path class=\"line {}\" d=\"{}\"/>\n", curve.colour, line);
}

std::string grid(const Axis& values, const Axis& times) {
  std::string drawn;
  for (const Tick& tick : values.ticks) {
    const std::string y = decimal(100 - tick.at / values.most * 100);
    drawn += formatted("<line class=\"grid\" x2=\"100%\" y1=\"{}%\" y2=\"{}%\"/>", y, y);
    drawn += formatted("<text class=\"tick y\" x=\"-8\" y=\"{}%\" dy=\".32em\">{}</text>\n", y,
                       tick.label);
  }
  for (const Tick& tick : times.ticks) {
    drawn += formatted("<text class=\"tick x\" x=\"{}%\" y=\"100%\" dy=\"1.6em\">{}</text>\n",
                       decimal(tick.at / times.most * 100), tick.label);
  }
  return drawn;
}

std::string mark_line(const Mark& mark, double most) {
  if (mark.value == 0 || static_cast<double>(mark.value) > most) return {};
  const double y = 100 - static_cast<double>(mark.value) / most * 100;
  return formatted(
      "<line class=\"mark\" x2=\"100%\" y1=\"{}%\" y2=\"{}%\"/>"
      "<text class=\"tick y mark\" x=\"100%\" y=\"{}%\" dy=\"-.5em\">{}</text>\n",
      decimal(y), decimal(y), decimal(y), mark.label);
}

}  // namespace

std::string line_chart(std::string_view title, const std::vector<Curve>& curves, Scale scale,
                       const Mark& mark) {
  const std::uint64_t most = std::max(highest(curves), mark.value);
  const Axis values = axis_for(static_cast<double>(most), scale);
  Window window = window_of(curves);
  window.most = values.most;
  const Axis times = axis_for(static_cast<double>(window.end_ms - window.begin_ms), Scale::kTime);
  std::vector<Key> keys;
  std::string paths;
  for (const Curve& curve : curves) {
    if (curve.points.empty()) continue;
    keys.push_back({curve.name, curve.colour, curve.last});
    paths += path_of(curve, window);
  }
  return legend(keys) +
         formatted(
             "<div class=\"plot\"><svg class=\"frame\" role=\"img\" aria-label=\"{}\">\n"
             "{}<svg width=\"100%\" height=\"100%\" viewBox=\"0 0 {} {}\" "
             "preserveAspectRatio=\"none\">\n{}</svg>\n{}</svg></div>\n",
             in_html(title), grid(values, times), kUnits, kUnits, paths,
             mark_line(mark, values.most));
}

}  // namespace bufpool
