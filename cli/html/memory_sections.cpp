// SPDX-License-Identifier: MIT
#include <algorithm>

#include "cli/figures/rates.h"
#include "cli/formatted.h"
#include "cli/html/charts.h"
#include "cli/html/markup.h"
#include "cli/html/sections.h"
#include "report/figures.h"
#include "report/units.h"

namespace bufpool {
namespace {

// Returns when each sample was taken, in milliseconds since the process started. Where a file has
// no times of the day, the process's own age says it. Time does not go back.
std::vector<std::uint64_t> times_of(const std::vector<Sample>& samples) {
  const Sample& first = samples.front();
  std::vector<std::uint64_t> times;
  for (const Sample& sample : samples) {
    const bool has_time = first.time_ms != 0 && sample.time_ms >= first.time_ms;
    const std::uint64_t time =
        has_time ? sample.time_ms - first.time_ms + first.uptime_ms : sample.uptime_ms;
    times.push_back(times.empty() ? time : std::max(time, times.back()));
  }
  return times;
}

Curve curve_of(const char* name, std::string_view colour, std::uint64_t last) {
  Curve curve;
  curve.name = name;
  curve.colour = colour;
  curve.last = bytes_text(last);
  return curve;
}

std::string memory_over_time(const std::vector<Sample>& samples) {
  const Sums last = sums_of(samples.back().snapshot);
  Curve resident = curve_of("resident", "resident", last.resident_bytes);
  Curve in_use = curve_of("in use", "in-use", last.in_use_bytes);
  Curve idle = curve_of("idle, retained", "idle", last.retained_bytes);
  in_use.is_filled = true;
  idle.is_filled = true;
  const std::vector<std::uint64_t> times = times_of(samples);
  std::uint64_t peak = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Sums sums = sums_of(samples[i].snapshot);
    peak = std::max(peak, samples[i].snapshot.resident_peak);
    if (sums.resident_bytes != 0) resident.points.push_back({times[i], sums.resident_bytes});
    in_use.points.push_back({times[i], sums.in_use_bytes});
    idle.points.push_back({times[i], sums.retained_bytes});
  }
  return line_chart("resident, in use and idle bytes over time", {resident, in_use, idle},
                    Scale::kBytes, {"peak of resident " + bytes_text(peak), peak});
}

std::string memory_now(const Sample& sample) {
  const Snapshot& snapshot = sample.snapshot;
  const Sums sums = sums_of(snapshot);
  struct Amount {
    const char* name;
    std::string_view colour;
    std::uint64_t bytes;
  };
  const Amount amounts[] = {{"peak", "peak", snapshot.resident_peak},
                            {"resident", "resident", sums.resident_bytes},
                            {"in use", "in-use", sums.in_use_bytes},
                            {"idle", "idle", sums.retained_bytes},
                            {"budget", "budget", snapshot.budget}};
  std::uint64_t most = 1;
  for (const Amount& amount : amounts) most = std::max(most, amount.bytes);
  std::vector<Bar> bars;
  for (const auto& [name, colour, bytes] : amounts) {
    const bool is_unknown = bytes == 0 && (colour == "peak" || colour == "resident");
    if (is_unknown) continue;
    const double percent = static_cast<double>(bytes) / static_cast<double>(most) * 100;
    bars.push_back({name, {{colour, percent}}, bytes_text(bytes), count_text(bytes) + " bytes"});
  }
  return bar_rows("memory", bars);
}

// The first point is about the whole time before it.
Curve rate_curve(const char* name, std::string_view colour, const std::vector<Sample>& samples,
                 std::uint64_t Sums::*sum) {
  Curve curve;
  curve.name = name;
  curve.colour = colour;
  curve.is_filled = true;
  const std::vector<std::uint64_t> times = times_of(samples);
  std::uint64_t before = 0;
  std::uint64_t time = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::uint64_t now = sums_of(samples[i].snapshot).*sum;
    const std::uint64_t elapsed = times[i] - time;
    if (elapsed != 0 || i == 0) {
      curve.points.push_back({times[i], per_second(growth(before, now), elapsed)});
    }
    before = now;
    time = times[i];
  }
  curve.last = count_text(before) + " in all";
  return curve;
}

std::string fact(std::string_view name, std::string_view value, std::string_view sentence) {
  return formatted("<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>\n", in_html(name),
                   in_html(value), in_html(sentence));
}

}  // namespace

std::string memory_section(const std::vector<Sample>& samples) {
  constexpr std::string_view kSentence =
      "Resident is the whole process. In use are the buffers that the program holds. Idle ones are "
      "kept for the next request, and go back to the system when they are not needed.";
  const bool is_series = times_of(samples).front() != times_of(samples).back();
  return card(Width::kWhole, "Memory", kSentence,
              is_series ? memory_over_time(samples) : memory_now(samples.back()));
}

std::string traffic_section(const std::vector<Sample>& samples) {
  const Curve misses = rate_curve("misses", "misses", samples, &Sums::misses);
  if (misses.points.size() < 2) return {};
  std::vector<Curve> curves{misses};
  if (sums_of(samples.back().snapshot).fallbacks != 0) {
    curves.push_back(rate_curve("fallbacks to mimalloc", "low", samples, &Sums::fallbacks));
  }
  return card(Width::kWhole, "Misses a second",
              "A miss is a get that found the CPU's cache empty. It takes about a hundred times as "
              "long as a hit.",
              line_chart("misses a second over time", curves, Scale::kCount, {}));
}

std::string facts_section(const Sample& sample) {
  const Snapshot& snapshot = sample.snapshot;
  const ClassSnapshot totals = totals_of(snapshot);
  std::string facts;
  facts += fact("Given back", bytes_text(totals.purged),
                formatted("in {} trims", count_text(snapshot.trims)));
  facts +=
      fact("Faulted", bytes_text(totals.faulted),
           formatted("{} of it had been given back shortly before", bytes_text(totals.regretted)));
  facts += fact("Budget for idle buffers", bytes_text(snapshot.budget),
                formatted("{} at most", bytes_text(snapshot.budget_max)));
  facts += fact("Idle buffers", bytes_text(totals.idle),
                formatted("{} of it resident", bytes_text(totals.retained)));
  facts += fact("Address space", bytes_text(snapshot.reserved), "mapped for buffers");
  facts += fact("Below the range", count_text(snapshot.passed_below), "requests for mimalloc");
  facts += fact("Above the range", count_text(snapshot.passed_above), "requests for mimalloc");
  facts += fact("Fallbacks", count_text(totals.fallbacks),
                "requests in the range that went to mimalloc");
  facts += fact("Pressure events", count_text(snapshot.pressure_events),
                formatted("and {} shortages", count_text(snapshot.shortages)));
  facts += fact("Caches drained", count_text(snapshot.cpu_drains), "of another CPU");
  return card(Width::kWhole, "Memory that moved, and requests that passed by", "",
              "<dl class=\"facts\">\n" + facts + "</dl>\n");
}

}  // namespace bufpool
