// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "report/class_table.h"
#include "report/escape.h"
#include "report/figures.h"
#include "report/fixed_text.h"
#include "report/forms.h"
#include "report/text_lines.h"
#include "report/units.h"

namespace bufpool {
namespace {

Cell resident_cell(std::uint64_t bytes) noexcept {
  return bytes == 0 ? Cell{}.append("unknown") : human_bytes(bytes);
}

void put_head(const TextLines& lines, const Snapshot& snapshot,
              const ReportContext& context) noexcept {
  lines.put("bufpool {}, mode {}, up {}, CPU {}",
            escaped(context.version, Escape::kTerminal).view(), mode_word(snapshot.mode),
            seconds(context.uptime_ms).view(), seconds(snapshot.cpu_time).view());
}

void put_classes(const TextLines& lines, const Snapshot& snapshot, const ClassSnapshot& totals,
                 const ShownClasses& rows, ReportDetail detail) noexcept {
  if (rows.count == 0) return lines.put("no buffers were asked for");
  put_class_table(lines, snapshot, totals, rows, detail);
}

void put_passed(const TextLines& lines, const Snapshot& snapshot,
                const ClassSnapshot& totals) noexcept {
  Line passed = lines.begin();
  passed.add("passed to mimalloc: {} below the range, {} above it, {} fallbacks",
             human_count(snapshot.passed_below).view(), human_count(snapshot.passed_above).view(),
             human_count(totals.fallbacks).view());
  if (snapshot.passed_within > 0) {
    passed.add("; {} in the range without a pool", human_count(snapshot.passed_within).view());
  }
  lines.put(passed);
}

void put_totals(const TextLines& lines, const Snapshot& snapshot,
                const ClassSnapshot& totals) noexcept {
  const std::uint64_t wasted = totals.granted - std::min(totals.asked, totals.granted);
  lines.put("asked for {}, granted {} (waste {}%)", human_bytes(totals.asked).view(),
            human_bytes(totals.granted).view(),
            percent(basis_points(wasted, totals.granted)).view());
  put_passed(lines, snapshot, totals);
  lines.put("resident {} (peak {}), reserved {}, idle buffers {}",
            resident_cell(snapshot.resident).view(), resident_cell(snapshot.resident_peak).view(),
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
  if (snapshot.shortages > 0) {
    line.add("; shortages: {}", human_count(snapshot.shortages).view());
  }
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

void put_short_memory(const TextLines& lines, const Snapshot& snapshot,
                      const ClassSnapshot& totals) noexcept {
  Line line = lines.begin();
  line.add("memory: resident {} (peak {})", resident_cell(snapshot.resident).view(),
           resident_cell(snapshot.resident_peak).view());
  if (snapshot.mode != PoolMode::kPassThrough) {
    line.add(", retained {} of a budget of {} (at most {}), given back {}",
             human_bytes(totals.retained).view(), human_bytes(snapshot.budget).view(),
             human_bytes(snapshot.budget_max).view(), human_bytes(totals.purged).view());
  }
  lines.put(line);
}

// Writes `room` lines at most.
void put_short_advice(const TextLines& lines, const Snapshot& snapshot,
                      const ReportContext& context, std::size_t room) noexcept {
  std::size_t count = 0;
  auto count_line = [&](std::string_view) noexcept { ++count; };
  advise(snapshot, context, count_line);
  if (count == 0) return lines.put("what to change: nothing");
  const std::size_t shown = count <= room ? count : room - 1;
  std::size_t number = 0;
  auto put_line = [&](std::string_view advice) noexcept {
    if (number++ < shown) lines.put("what to change: {}", advice);
  };
  advise(snapshot, context, put_line);
  if (shown == count) return;
  lines.put("what to change: {} more, which BUFPOOL_REPORT_DETAIL=full shows", count - shown);
}

void render_short(const TextLines& lines, const Snapshot& snapshot,
                  const ReportContext& context) noexcept {
  constexpr std::size_t kMostLines = 12;
  constexpr std::size_t kMostClasses = 5;
  const ClassSnapshot totals = totals_of(snapshot);
  const ShownClasses rows = dearest_classes(snapshot, kMostClasses);
  const std::size_t table = rows.count == 0 ? 1 : rows.count + 2;  // with headings and sums
  put_head(lines, snapshot, context);
  put_classes(lines, snapshot, totals, rows, ReportDetail::kShort);
  put_passed(lines, snapshot, totals);
  put_short_memory(lines, snapshot, totals);
  put_short_advice(lines, snapshot, context, kMostLines - table - 3);
}

void render_full(const TextLines& lines, const Snapshot& snapshot,
                 const ReportContext& context) noexcept {
  const ClassSnapshot totals = totals_of(snapshot);
  put_head(lines, snapshot, context);
  put_classes(lines, snapshot, totals, dearest_classes(snapshot, kSnapshotClasses),
              ReportDetail::kFull);
  put_totals(lines, snapshot, totals);
  if (snapshot.mode != PoolMode::kPassThrough) put_memory(lines, snapshot, totals);
  put_advice(lines, snapshot, context);
}

}  // namespace

void render_text(const Snapshot& snapshot, const ReportContext& context, LineSink sink) noexcept {
  const TextLines lines(snapshot.pid, context.command, sink);
  if (context.detail == ReportDetail::kShort) return render_short(lines, snapshot, context);
  render_full(lines, snapshot, context);
}

}  // namespace bufpool
