// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "report/escape.h"
#include "report/figures.h"
#include "report/fixed_text.h"
#include "report/forms.h"
#include "report/units.h"

namespace bufpool {
namespace {

// Sends lines that each start with the process's name, so that the reports of a server and of its
// children can be told apart.
class TextLines {
 public:
  TextLines(std::uint32_t pid, std::string_view command, LineSink sink) noexcept : sink_(sink) {
    constexpr std::size_t kShownCommand = 24;
    prefix_.add("bufpool[{} {}]: ", pid, escaped(command, Escape::kTerminal, kShownCommand).view());
  }

  template <typename... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) const noexcept {
    sink_(begin().add(format, std::forward<Args>(args)...).view());
  }

  [[nodiscard]] Line begin() const noexcept { return Line{}.append(prefix_.view()); }
  void put(const Line& line) const noexcept { sink_(line.view()); }

 private:
  FixedText<48> prefix_;
  LineSink sink_;
};

// Tells whether it is the row that totals_of() makes.
bool is_total(const ClassSnapshot& row) noexcept { return row.buffer_bytes == 0; }

Cell size_cell(const ClassSnapshot& row) noexcept {
  return is_total(row) ? Cell{}.append("all") : class_name(row.buffer_bytes);
}

Cell hit_rate_cell(const ClassSnapshot& row) noexcept {
  return row.gets == 0 ? Cell{}.append("-") : percent(basis_points(row.hits, row.gets));
}

Cell peak_cell(const ClassSnapshot& row) noexcept {
  return is_total(row) ? Cell{}.append("-") : human_count(row.in_use_peak);
}

template <auto kValue>
Cell count_cell(const ClassSnapshot& row) noexcept {
  return human_count(row.*kValue);
}

template <auto kValue>
Cell bytes_cell(const ClassSnapshot& row) noexcept {
  return human_bytes(row.*kValue);
}

// It is a column of the table. Without `shown_if` it is always shown.
struct Column {
  std::string_view heading;
  Cell (*cell)(const ClassSnapshot&) noexcept;
  std::uint64_t ClassSnapshot::*shown_if = nullptr;  // The total that is 0 if it is left out.
};

constexpr auto kColumns = std::to_array<Column>({
    {"size", size_cell},
    {"gets", count_cell<&ClassSnapshot::gets>},
    {"hits", count_cell<&ClassSnapshot::hits>},
    {"misses", count_cell<&ClassSnapshot::misses>},
    {"hit%", hit_rate_cell},
    {"in use", count_cell<&ClassSnapshot::in_use>},
    {"peak", peak_cell},
    {"retained", bytes_cell<&ClassSnapshot::retained>},
    {"purged", bytes_cell<&ClassSnapshot::purged>, &ClassSnapshot::purged},
    {"overflows", count_cell<&ClassSnapshot::overflows>, &ClassSnapshot::overflows},
    {"fallbacks", count_cell<&ClassSnapshot::fallbacks>, &ClassSnapshot::fallbacks},
});

using Widths = std::array<std::size_t, kColumns.size()>;  // 0: the column is not shown

std::size_t column_width(const Column& column, const Snapshot& snapshot,
                         const ClassSnapshot& totals) noexcept {
  if (column.shown_if != nullptr && totals.*column.shown_if == 0) return 0;
  std::size_t width = std::max(column.heading.size(), column.cell(totals).view().size());
  for (const auto& row : snapshot.classes) {
    if (is_live(row)) width = std::max(width, column.cell(row).view().size());
  }
  return width;
}

void put_headings(const TextLines& lines, const Widths& widths) noexcept {
  Line line = lines.begin();
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    if (widths[i] != 0) line.add("{:>{}}", kColumns[i].heading, widths[i] + 2);
  }
  lines.put(line);
}

void put_row(const TextLines& lines, const Widths& widths, const ClassSnapshot& row) noexcept {
  Line line = lines.begin();
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    if (widths[i] != 0) line.add("{:>{}}", kColumns[i].cell(row).view(), widths[i] + 2);
  }
  lines.put(line);
}

void put_table(const TextLines& lines, const Snapshot& snapshot,
               const ClassSnapshot& totals) noexcept {
  Widths widths;
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    widths[i] = column_width(kColumns[i], snapshot, totals);
  }
  put_headings(lines, widths);
  for (const auto& row : snapshot.classes) {
    if (is_live(row)) put_row(lines, widths, row);
  }
  put_row(lines, widths, totals);
}

void put_totals(const TextLines& lines, const Snapshot& snapshot,
                const ClassSnapshot& totals) noexcept {
  const std::uint64_t wasted = totals.granted - std::min(totals.asked, totals.granted);
  lines.put("asked for {}, granted {} (waste {}%)", human_bytes(totals.asked).view(),
            human_bytes(totals.granted).view(),
            percent(basis_points(wasted, totals.granted)).view());
  Line passed = lines.begin();
  passed.add("passed to mimalloc: {} below the range, {} above it, {} fallbacks",
             human_count(snapshot.passed_below).view(), human_count(snapshot.passed_above).view(),
             human_count(totals.fallbacks).view());
  if (snapshot.passed_within > 0) {
    passed.add("; {} in the range without a pool", human_count(snapshot.passed_within).view());
  }
  lines.put(passed);
  const Cell resident = human_bytes(snapshot.resident);
  lines.put("resident {}, reserved {}, idle buffers {}",
            snapshot.resident == 0 ? "unknown" : resident.view(),
            human_bytes(snapshot.reserved).view(), human_bytes(totals.idle).view());
}

std::string_view trimmer_words(TrimmerState state) noexcept {
  switch (state) {
    case TrimmerState::kNone:
      return "none";
    case TrimmerState::kStarting:
      return "starting";
    case TrimmerState::kRunning:
      return "running";
    case TrimmerState::kRefused:
      return "refused by the system (the program's own calls do its work)";
  }
  return "unknown";  // a snapshot of a later version
}

void put_memory(const TextLines& lines, const Snapshot& snapshot,
                const ClassSnapshot& totals) noexcept {
  lines.put(
      "memory: retained {} of a budget of {} (at most {}); given back {} in {} trims, faulted {}, "
      "needed again soon {}",
      human_bytes(totals.retained).view(), human_bytes(snapshot.budget).view(),
      human_bytes(snapshot.budget_max).view(), human_bytes(totals.purged).view(),
      human_count(snapshot.trims).view(), human_bytes(totals.faulted).view(),
      human_bytes(totals.regretted).view());
  Line line = lines.begin();
  line.add("trimmer: {}", trimmer_words(trimmer_state(snapshot)));
  if (snapshot.pressure_events > 0) {
    line.add("; pressure events: {}", human_count(snapshot.pressure_events).view());
  }
  if (snapshot.cpu_drains > 0) {
    line.add("; CPU caches drained: {}", human_count(snapshot.cpu_drains).view());
  }
  lines.put(line);
}

void put_advice(const TextLines& lines, const Snapshot& snapshot,
                const ReportContext& context) noexcept {
  bool any = false;
  auto put_line = [&](std::string_view advice) noexcept {
    if (!any) lines.put("what to change:");
    any = true;
    lines.put("  - {}", advice);
  };
  advise(snapshot, context, put_line);
  if (!any) lines.put("what to change: nothing");
}

}  // namespace

void render_text(const Snapshot& snapshot, const ReportContext& context, LineSink sink) noexcept {
  const TextLines lines(snapshot.pid, context.command, sink);
  const ClassSnapshot totals = totals_of(snapshot);
  lines.put("bufpool {}, mode {}, up {}.{:03} s",
            escaped(context.version, Escape::kTerminal).view(), mode_word(snapshot.mode),
            context.uptime_ms / 1000, context.uptime_ms % 1000);
  if (any_live(snapshot)) {
    put_table(lines, snapshot, totals);
  } else {
    lines.put("no buffers were asked for");
  }
  put_totals(lines, snapshot, totals);
  if (snapshot.mode != PoolMode::kPassThrough) put_memory(lines, snapshot, totals);
  put_advice(lines, snapshot, context);
}

}  // namespace bufpool
