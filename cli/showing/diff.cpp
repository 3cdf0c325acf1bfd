// SPDX-License-Identifier: MIT
// `bufpool diff`: two recordings, reports or processes side by side.

#include <algorithm>
#include <map>
#include <memory>

#include "cli/figures/rates.h"
#include "cli/figures/target.h"
#include "cli/formatted.h"
#include "cli/texts/sizes.h"
#include "cli/texts/table.h"
#include "cli/verbs.h"
#include "report/figures.h"
#include "report/units.h"

namespace bufpool {
namespace {

struct Options {
  std::string first;
  std::string second;
};

std::string change(std::uint64_t before, std::uint64_t now) {
  if (before == now) return "=";
  if (before == 0) return "new";
  const double ratio = static_cast<double>(now) / static_cast<double>(before);
  constexpr double kMuch = 10;
  return ratio < kMuch ? formatted("{:+.1f}%", (ratio - 1) * 100) : formatted("x{:.0f}", ratio);
}

// The difference of two shares, which are in hundredths of a percent.
std::string difference(std::uint64_t before, std::uint64_t now) {
  if (before == now) return "=";
  return formatted("{:+.1f}", (static_cast<double>(now) - static_cast<double>(before)) / 100);
}

using Form = std::string (*)(std::uint64_t);

std::string percent_form(std::uint64_t points) { return std::string(percent(points).view()); }

class Rows {
 public:
  void add(const char* name, std::uint64_t first, std::uint64_t second, Form form) {
    table_.add({name, form(first), form(second), change(first, second)});
  }
  void add_share(const char* name, std::uint64_t first, std::uint64_t second) {
    table_.add({name, percent_form(first), percent_form(second), difference(first, second)});
  }
  void print() const { table_.print(); }

 private:
  Table table_{{{"figure", Align::kLeft}, {"A"}, {"B"}, {"change"}}};
};

std::uint64_t waste_of(const ClassSnapshot& totals) {
  return basis_points(totals.granted - std::min(totals.asked, totals.granted), totals.granted);
}

void show_sums(const Sample& first, const Sample& second) {
  const ClassSnapshot a = totals_of(first.snapshot);
  const ClassSnapshot b = totals_of(second.snapshot);
  const Sums sums_a = sums_of(first.snapshot);
  const Sums sums_b = sums_of(second.snapshot);
  Rows rows;
  rows.add("up", first.uptime_ms, second.uptime_ms, short_time);
  rows.add("gets", a.gets, b.gets, short_count);
  rows.add("gets a second", per_second(a.gets, first.uptime_ms),
           per_second(b.gets, second.uptime_ms), short_count);
  rows.add_share("hit %", basis_points(a.hits, a.gets), basis_points(b.hits, b.gets));
  rows.add("misses", a.misses, b.misses, short_count);
  rows.add("fallbacks", a.fallbacks, b.fallbacks, short_count);
  rows.add("in use", sums_a.in_use_bytes, sums_b.in_use_bytes, short_bytes);
  rows.add("idle", a.idle, b.idle, short_bytes);
  rows.add("retained", a.retained, b.retained, short_bytes);
  rows.add("resident", first.snapshot.resident, second.snapshot.resident, short_bytes);
  rows.add("given back", a.purged, b.purged, short_bytes);
  rows.add("faulted", a.faulted, b.faulted, short_bytes);
  rows.add("needed again soon", a.regretted, b.regretted, short_bytes);
  rows.add("asked for", a.asked, b.asked, short_bytes);
  rows.add_share("waste %", waste_of(a), waste_of(b));
  rows.print();
}

void show_classes(const Snapshot& first, const Snapshot& second) {
  std::map<std::uint64_t, std::pair<ClassSnapshot, ClassSnapshot>> rows;  // by buffer_bytes
  for (const ClassSnapshot& row : first.classes) {
    if (is_live(row)) rows[row.buffer_bytes].first = row;
  }
  for (const ClassSnapshot& row : second.classes) {
    if (is_live(row)) rows[row.buffer_bytes].second = row;
  }
  Table table({{"class"},
               {"gets A"},
               {"gets B"},
               {"change"},
               {"hit% A"},
               {"hit% B"},
               {"peak A"},
               {"peak B"},
               {"retained A"},
               {"retained B"}});
  for (const auto& [bytes, both] : rows) {
    const auto& [a, b] = both;
    table.add({std::string(class_name(bytes).view()), short_count(a.gets), short_count(b.gets),
               change(a.gets, b.gets), percent_text(a.hits, a.gets), percent_text(b.hits, b.gets),
               short_count(a.in_use_peak), short_count(b.in_use_peak), short_bytes(a.retained),
               short_bytes(b.retained)});
  }
  table.print();
}

ExitCode show_both(const Options& options) {
  const Sample first = sample_named(options.first, "");
  const Sample second = sample_named(options.second, "");
  print_out("A: {} ({} {})\nB: {} ({} {})\n\n", options.first, first.command, first.snapshot.pid,
            options.second, second.command, second.snapshot.pid);
  show_sums(first, second);
  print_out("\n");
  show_classes(first.snapshot, second.snapshot);
  return ExitCode::kGood;
}

Action prepare(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  arguments.required("A", options->first, "a recording, a JSON report, a page, or a process");
  arguments.required("B", options->second, "the one to compare it with");
  return [options] { return show_both(*options); };
}

}  // namespace

extern const Verb kDiffVerb{"diff", "two recordings or reports side by side",
                            "bufpool diff $FILE $PID\nbufpool diff $FILE $FILE", prepare};

}  // namespace bufpool
