// SPDX-License-Identifier: MIT
#include "report/class_table.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>

#include "report/figures.h"
#include "report/fixed_text.h"
#include "report/units.h"

namespace bufpool {
namespace {

// Whether it is the row that totals_of() makes.
bool is_total(const ClassSnapshot& row) noexcept { return row.buffer_bytes == 0; }

Cell size_cell(const ClassSnapshot& row) noexcept { return class_name(row.buffer_bytes); }

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

// A column of the table. Without `shown_if` it is always shown.
struct Column {
  std::string_view heading;
  Cell (*cell)(const ClassSnapshot&) noexcept;
  bool in_short = false;
  std::uint64_t ClassSnapshot::*shown_if = nullptr;  // The total that is 0 if it is left out.
};

// The first column names the row.
constexpr auto kColumns = std::to_array<Column>({
    {"size", size_cell, true},
    {"gets", count_cell<&ClassSnapshot::gets>, true},
    {"hits", count_cell<&ClassSnapshot::hits>},
    {"misses", count_cell<&ClassSnapshot::misses>, true},
    {"hit%", hit_rate_cell, true},
    {"in use", count_cell<&ClassSnapshot::in_use>, true},
    {"peak", peak_cell, true},
    {"retained", bytes_cell<&ClassSnapshot::retained>, true},
    {"purged", bytes_cell<&ClassSnapshot::purged>, false, &ClassSnapshot::purged},
    {"overflows", count_cell<&ClassSnapshot::overflows>, false, &ClassSnapshot::overflows},
    {"fallbacks", count_cell<&ClassSnapshot::fallbacks>, false, &ClassSnapshot::fallbacks},
});

// A table that is being written.
class Table {
 public:
  Table(const TextLines& lines, const Snapshot& snapshot, const ClassSnapshot& totals,
        const ShownClasses& rows, ReportDetail detail) noexcept
      : lines_(lines) {
    totals_name_.append("all");
    if (rows.count < rows.live) totals_name_.add(" {}", rows.live);
    for (std::size_t i = 0; i < kColumns.size(); ++i) {
      const Column& column = kColumns[i];
      const bool happened = column.shown_if == nullptr || totals.*column.shown_if != 0;
      if (!happened || (detail == ReportDetail::kShort && !column.in_short)) continue;
      widths_[i] = std::max(column.heading.size(), cell(column, totals).view().size());
      for (std::size_t c = 0; c < snapshot.classes.size(); ++c) {
        if (rows.shown[c]) widen(i, snapshot.classes[c]);
      }
    }
  }

  void put_headings() const noexcept {
    put([](const Column& column) noexcept { return Cell{}.append(column.heading); });
  }

  void put_row(const ClassSnapshot& row) const noexcept {
    put([this, &row](const Column& column) noexcept { return cell(column, row); });
  }

 private:
  [[nodiscard]] Cell cell(const Column& column, const ClassSnapshot& row) const noexcept {
    const bool names = &column == kColumns.data();
    return names && is_total(row) ? totals_name_ : column.cell(row);
  }

  void widen(std::size_t column, const ClassSnapshot& row) noexcept {
    widths_[column] = std::max(widths_[column], cell(kColumns[column], row).view().size());
  }

  template <typename CellOf>
  void put(CellOf cell_of) const noexcept {
    Line line = lines_.begin();
    for (std::size_t i = 0; i < kColumns.size(); ++i) {
      if (widths_[i] != 0) line.add("{:>{}}", cell_of(kColumns[i]).view(), widths_[i] + 2);
    }
    lines_.put(line);
  }

  const TextLines& lines_;
  Cell totals_name_;
  std::array<std::size_t, kColumns.size()> widths_{};  // 0: the column is not shown
};

// Returns the time that the class took, in hits.
std::uint64_t cost(const ClassSnapshot& row) noexcept {
  constexpr std::uint64_t kMiss = 100;
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max() / (4 * kMiss);
  const std::uint64_t slow = std::min(row.misses, kMost) + std::min(row.fallbacks, kMost);
  return std::min(row.hits, kMost) + kMiss * slow;
}

}  // namespace

ShownClasses dearest_classes(const Snapshot& snapshot, std::size_t most) noexcept {
  ShownClasses rows;
  const auto& classes = snapshot.classes;
  rows.live = static_cast<std::size_t>(std::count_if(classes.begin(), classes.end(), is_live));
  while (rows.count < std::min(rows.live, most)) {
    std::size_t dearest = classes.size();
    for (std::size_t c = 0; c < classes.size(); ++c) {
      if (rows.shown[c] || !is_live(classes[c])) continue;
      if (dearest == classes.size() || cost(classes[c]) > cost(classes[dearest])) dearest = c;
    }
    rows.shown[dearest] = true;
    ++rows.count;
  }
  return rows;
}

void put_class_table(const TextLines& lines, const Snapshot& snapshot, const ClassSnapshot& totals,
                     const ShownClasses& rows, ReportDetail detail) noexcept {
  const Table table(lines, snapshot, totals, rows, detail);
  table.put_headings();
  for (std::size_t c = 0; c < snapshot.classes.size(); ++c) {
    if (rows.shown[c]) table.put_row(snapshot.classes[c]);
  }
  table.put_row(totals);
}

}  // namespace bufpool
