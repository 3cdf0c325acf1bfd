// SPDX-License-Identifier: MIT
// Writes Prometheus text format 0.0.4, which node_exporter's textfile collector reads.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "report/escape.h"
#include "report/figures.h"
#include "report/fixed_text.h"
#include "report/forms.h"

namespace bufpool {
namespace {

using MetricName = FixedText<56>;
using Labels = FixedText<128>;

constexpr std::string_view kProcessPrefix = "bufpool_";
constexpr std::string_view kClassPrefix = "bufpool_class_";

// Returns the name of the figure's metric: prefix, name, unit, and _total if it is a counter. A
// counter whose name is the plural of what it counts (gets, hits) has no unit, unless that is
// bytes.
template <typename Row>
MetricName metric_name(std::string_view prefix, const Figure<Row>& figure) noexcept {
  const bool counter = figure.kind == FigureKind::kCounter;
  const bool names_its_unit = counter && figure.unit != "bytes" && figure.name.ends_with('s');
  MetricName name;
  name.append(prefix).append(figure.name);
  if (!names_its_unit) name.append("_").append(figure.unit);
  if (counter) name.append("_total");
  return name;
}

// Tells whether all names and all lines of HELP fit, and no HELP has a character that needs
// escaping.
template <typename Figures>
consteval bool can_be_metrics(std::string_view prefix, const Figures& figures) {
  constexpr std::size_t kMarks = std::string_view("# HELP  ").size();
  return std::all_of(figures.begin(), figures.end(), [prefix](const auto& figure) {
    const std::size_t name = prefix.size() + figure.name.size() + figure.unit.size() +
                             std::string_view("__total").size();
    return name <= MetricName::kCapacity &&
           kMarks + name + figure.sentence.size() <= kLongestLine &&
           figure.sentence.find_first_of("\\\n") == std::string_view::npos;
  });
}
static_assert(can_be_metrics(kProcessPrefix, kProcessFigures));
static_assert(can_be_metrics(kClassPrefix, kClassFigures));

template <typename Row>
void put_head(LineSink sink, std::string_view name, const Figure<Row>& figure) noexcept {
  const bool counter = figure.kind == FigureKind::kCounter;
  sink(Line{}.add("# HELP {} {}", name, figure.sentence).view());
  sink(Line{}.add("# TYPE {} {}", name, counter ? "counter" : "gauge").view());
}

void put_info(LineSink sink, std::string_view labels, const Snapshot& snapshot,
              const ReportContext& context) noexcept {
  constexpr std::size_t kShownVersion = 32;
  sink("# HELP bufpool_process_info The bufpool in the process; always 1.");
  sink("# TYPE bufpool_process_info gauge");
  sink(Line{}
           .add("bufpool_process_info{{{},version=\"{}\",mode=\"{}\"}} 1", labels,
                escaped(context.version, Escape::kPrometheus, kShownVersion).view(),
                mode_word(snapshot.mode))
           .view());
}

void put_process_figure(LineSink sink, std::string_view labels, const Snapshot& snapshot,
                        const Figure<Snapshot>& figure) noexcept {
  const MetricName name = metric_name(kProcessPrefix, figure);
  put_head(sink, name.view(), figure);
  sink(Line{}.add("{}{{{}}} {}", name.view(), labels, snapshot.*figure.value).view());
}

void put_class_figure(LineSink sink, std::string_view labels, const Snapshot& snapshot,
                      const Figure<ClassSnapshot>& figure) noexcept {
  const MetricName name = metric_name(kClassPrefix, figure);
  put_head(sink, name.view(), figure);
  for (const auto& row : snapshot.classes) {
    if (!is_live(row)) continue;
    sink(Line{}
             .add("{}{{{},class_bytes=\"{}\"}} {}", name.view(), labels, row.buffer_bytes,
                  row.*figure.value)
             .view());
  }
}

}  // namespace

void render_prometheus(const Snapshot& snapshot, const ReportContext& context,
                       LineSink sink) noexcept {
  const Labels labels = Labels{}.add("pid=\"{}\",comm=\"{}\"", snapshot.pid,
                                     escaped(context.command, Escape::kPrometheus).view());
  put_info(sink, labels.view(), snapshot, context);
  for (const auto& figure : kProcessFigures) {
    put_process_figure(sink, labels.view(), snapshot, figure);
  }
  if (!any_live(snapshot)) return;
  for (const auto& figure : kClassFigures) {
    put_class_figure(sink, labels.view(), snapshot, figure);
  }
}

}  // namespace bufpool
