// SPDX-License-Identifier: MIT
#include "report/period_watch.h"

#include <cstddef>

#include "report/figures.h"
#include "report/fixed_text.h"
#include "report/text_lines.h"
#include "report/units.h"

namespace bufpool {
namespace {

constexpr std::uint64_t kManyMissesOfAPeriod = 1000;
constexpr std::uint64_t kGoodHitRateOfAPeriod = 9500;  // in hundredths of a percent

// Returns what came since. A counter that fell has begun anew: a child may have its parent's number
// in another namespace.
std::uint64_t since(std::uint64_t before, std::uint64_t now) noexcept {
  return now < before ? now : now - before;
}

}  // namespace

void PeriodWatch::look(const Snapshot& snapshot, const ReportContext& context, ReportForm form,
                       LineSink sink) noexcept {
  if (snapshot.pid != pid_) *this = {};
  pid_ = snapshot.pid;
  const TextLines lines(snapshot.pid, context.command, sink);
  const Cell period = seconds(since(before_ms_, context.uptime_ms));
  before_ms_ = context.uptime_ms;
  for (std::size_t c = 0; c < snapshot.classes.size(); ++c) {
    const ClassSnapshot& row = snapshot.classes[c];
    const std::uint64_t gets = since(before_[c].gets, row.gets);
    const std::uint64_t misses = since(before_[c].misses, row.misses);
    before_[c] = {row.gets, row.misses};
    const std::uint64_t hit_rate = basis_points(gets - misses, gets);
    if (misses > gets || misses <= kManyMissesOfAPeriod || hit_rate >= kGoodHitRateOfAPeriod)
      continue;
    FixedText<120> warning;
    warning.add("class {}: hit rate {}% with {} misses in the last {}",
                class_name(row.buffer_bytes).view(), percent(hit_rate).view(),
                human_count(misses).view(), period.view());
    if (form == ReportForm::kJson) {
      sink(Line{}.add("{{\"pid\": {}, \"warning\": \"{}\"}}", snapshot.pid, warning.view()).view());
    } else {
      lines.put("warning: {}", warning.view());
    }
  }
}

}  // namespace bufpool
