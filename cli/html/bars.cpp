// SPDX-License-Identifier: MIT
#include <algorithm>

#include "cli/formatted.h"
#include "cli/html/charts.h"
#include "cli/html/markup.h"

namespace bufpool {
namespace {

std::string bar_row(const Bar& bar) {
  std::string parts;
  double at = 0;
  for (const BarPart& part : bar.parts) {
    const double width = std::clamp(part.percent, 0.0, 100 - at);
    if (width <= 0) continue;
    parts += formatted("<rect class=\"fill {}\" x=\"{}%\" width=\"{}%\" height=\"100%\"/>",
                       part.colour, decimal(at), decimal(width));
    at += width;
  }
  return formatted(
      "<div class=\"bar\"><span class=\"name\">{}</span><svg class=\"track\">"
      "<title>{}</title><rect class=\"rest\" width=\"100%\" height=\"100%\"/>{}</svg>"
      "<span class=\"value\">{}</span></div>\n",
      in_html(bar.name), in_html(bar.hint), parts, in_html(bar.value));
}

std::string column(const Column& column, const ColumnChart& chart, double most) {
  const double width = 100 / static_cast<double>(chart.places);
  const double lower = column.lower / most * 100;
  const double upper = column.upper / most * 100;
  const double x = static_cast<double>(column.place) * width;
  const auto rect = [&](std::string_view colour, double y, double height) {
    return formatted(
        "<rect class=\"fill column {}\" x=\"{}%\" y=\"{}%\" width=\"{}%\" "
        "height=\"{}%\"/>",
        colour, decimal(x), decimal(y), decimal(width), decimal(height));
  };
  return formatted("<g><title>{}</title>{}{}</g>\n", in_html(column.hint),
                   rect(chart.lower_colour, 100 - lower, lower),
                   rect(chart.upper_colour, 100 - lower - upper, upper));
}

std::string column_grid(const ColumnChart& chart, const Axis& values) {
  std::string drawn;
  for (const Tick& tick : values.ticks) {
    const std::string y = decimal(100 - tick.at / values.most * 100);
    drawn += formatted(
        "<line class=\"grid\" x2=\"100%\" y1=\"{}%\" y2=\"{}%\"/>"
        "<text class=\"tick y\" x=\"-8\" y=\"{}%\" dy=\".32em\">{}</text>\n",
        y, y, y, tick.label);
  }
  for (const Tick& border : chart.borders) {
    const std::string x = decimal(border.at / static_cast<double>(chart.places) * 100);
    drawn += formatted(
        "<line class=\"grid border\" x1=\"{}%\" x2=\"{}%\" y2=\"100%\"/>"
        "<text class=\"tick x\" x=\"{}%\" y=\"100%\" dy=\"1.6em\">{}</text>\n",
        x, x, x, border.label);
  }
  return drawn;
}

}  // namespace

std::string bar_rows(std::string_view title, const std::vector<Bar>& bars) {
  std::string rows;
  for (const Bar& bar : bars) rows += bar_row(bar);
  return formatted("<div class=\"bars\" role=\"group\" aria-label=\"{}\">\n{}</div>\n",
                   in_html(title), rows);
}

std::string column_chart(const ColumnChart& chart, Scale scale) {
  double most = 0;
  for (const Column& one : chart.columns) most = std::max(most, one.lower + one.upper);
  const Axis values = axis_for(most, scale);
  std::string columns;
  for (const Column& one : chart.columns) columns += column(one, chart, values.most);
  return formatted(
      "<div class=\"plot\"><svg class=\"frame\" role=\"img\" aria-label=\"{}\">\n"
      "{}{}</svg></div>\n",
      in_html(chart.title), column_grid(chart, values), columns);
}

std::string legend(const std::vector<Key>& keys) {
  std::string list;
  for (const Key& key : keys) {
    list += formatted(
        "<li><svg class=\"swatch\"><rect class=\"fill {}\" width=\"100%\" "
        "height=\"100%\"/></svg>{} <b>{}</b></li>",
        key.colour, in_html(key.name), in_html(key.value));
  }
  return "<ul class=\"legend\">" + list + "</ul>\n";
}

}  // namespace bufpool
