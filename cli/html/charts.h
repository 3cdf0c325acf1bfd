// SPDX-License-Identifier: MIT
// Draws pictures as inline SVG. Colours are names of the page's style. A picture takes the width
// that there is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bufpool {

// What an axis measures.
enum class Scale : std::uint8_t { kBytes, kCount, kTime };

struct Tick {
  double at = 0;  // a value of the axis
  std::string label;
};

// An axis that begins at 0.
struct Axis {
  double most = 1;  // where it ends
  std::vector<Tick> ticks;
};

// Returns an axis with at most five steps that are round for the scale. Bytes and counts end on a
// step. Times are milliseconds, and end where they end.
[[nodiscard]] Axis axis_for(double most, Scale scale);

struct Point {
  std::uint64_t time_ms = 0;
  std::uint64_t value = 0;
};

// A curve. It has a gap where a point is missing that another curve has.
struct Curve {
  std::string name;
  std::string_view colour;
  std::string last;           // its last value, for the legend
  std::vector<Point> points;  // in the order of their times
  bool is_filled = false;
};

// A horizontal line with a name.
struct Mark {
  std::string label;
  std::uint64_t value = 0;  // 0: there is none
};

// Returns a picture of the curves over time, with a legend. Of very many points the lowest and the
// highest of each stretch of time are drawn.
[[nodiscard]] std::string line_chart(std::string_view title, const std::vector<Curve>& curves,
                                     Scale scale, const Mark& mark);

struct BarPart {
  std::string_view colour;
  double percent = 0;  // of the whole width
};

struct Bar {
  std::string name;
  std::vector<BarPart> parts;  // from the left, without gaps
  std::string value;
  std::string hint;  // shown where the pointer rests
};

// Returns horizontal bars, one below the other.
[[nodiscard]] std::string bar_rows(std::string_view title, const std::vector<Bar>& bars);

struct Column {
  std::size_t place = 0;  // among the columns, some of which may be empty
  double lower = 0;
  double upper = 0;  // stands on the lower part
  std::string hint;
};

struct ColumnChart {
  std::string_view title;
  std::string_view lower_colour;
  std::string_view upper_colour;
  std::size_t places = 0;
  std::vector<Column> columns;
  std::vector<Tick> borders;  // right edges of columns, as their number from 1
};

// Returns columns over a row of places.
[[nodiscard]] std::string column_chart(const ColumnChart& chart, Scale scale);

struct Key {
  std::string name;
  std::string_view colour;
  std::string value;
};

// Returns the legend of a picture: names with their colours.
[[nodiscard]] std::string legend(const std::vector<Key>& keys);

}  // namespace bufpool
