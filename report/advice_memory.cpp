// SPDX-License-Identifier: MIT
// Advice on the memory of the pool: what it keeps, and what the system or an option refused.
#include <algorithm>
#include <cstdint>

#include "report/figures.h"
#include "report/findings.h"
#include "report/units.h"

namespace bufpool {
namespace {

constexpr std::uint64_t kMuchRegret = std::uint64_t{64} << 20;
constexpr std::uint64_t kRegretShare = 2500;  // of what was faulted, in hundredths of a percent

// A user who sets BUFPOOL_RETAIN_MAX below this wants next to nothing to be kept.
constexpr std::uint64_t kLeastRetainMax = std::uint64_t{1} << 20;

void advise_shortage(const Snapshot& snapshot, LineSink sink) noexcept {
  if (snapshot.shortages == 0) return;
  Sentence line;
  line.add("idle memory was given back {} times, as the system refused more: raise ulimit -v or ",
           human_count(snapshot.shortages).view());
  line.append("-d, or vm.max_map_count, unless the program asked for what cannot be");
  sink(line.view());
}

}  // namespace

// There is no advice for a budget below its maximum, because it can still rise by itself. There is
// none either where the system refused memory: memory then went back to make room for other.
void advise_retain_max(const Snapshot& snapshot, LineSink sink) noexcept {
  const ClassSnapshot totals = totals_of(snapshot);
  const std::uint64_t now = snapshot.budget_max;
  const std::uint64_t share = basis_points(totals.regretted, totals.faulted);
  if (totals.regretted <= kMuchRegret || share <= kRegretShare || snapshot.budget != now) return;
  if (now < kLeastRetainMax || now >= kMostRetained || snapshot.shortages > 0) return;
  Sentence line;
  line.add("{} ({}% of what was faulted) had been given back shortly before: ",
           human_bytes(totals.regretted).view(), percent(share).view());
  line.add("set BUFPOOL_RETAIN_MAX={} (now {})", option_bytes(doubled(now, kMostRetained)).view(),
           option_bytes(now).view());
  sink(line.view());
}

void advise_trimmer(const Snapshot& snapshot, LineSink sink) noexcept {
  if (trimmer_state(snapshot) != TrimmerState::kRefused) return;
  sink(
      "the system refused a thread to give idle memory back (a limit on threads, or a sandbox): "
      "it goes back during the program's own calls only");
}

void advise_max_buffers(const Snapshot& snapshot, LineSink sink) noexcept {
  const auto& worst =
      *std::max_element(snapshot.classes.begin(), snapshot.classes.end(),
                        [](const auto& a, const auto& b) { return a.over_limit < b.over_limit; });
  if (worst.over_limit == 0) return;
  Sentence line;
  line.add("{} requests, most of class {}, went to mimalloc as BUFPOOL_MAX_BUFFERS were in use: ",
           human_count(totals_of(snapshot).over_limit).view(),
           class_name(worst.buffer_bytes).view());
  line.append("set BUFPOOL_MAX_BUFFERS=0 for no limit, or to more");
  sink(line.view());
}

void advise_fallbacks(const Snapshot& snapshot, LineSink sink) noexcept {
  const ClassSnapshot totals = totals_of(snapshot);
  std::uint64_t refused = totals.fallbacks - std::min(totals.fallbacks, totals.over_limit);
  refused -= std::min(refused, totals.locked_out);
  if (totals.locked_out > 0) {
    Sentence line;
    line.add(
        "{} requests in the pooled range went to mimalloc, as a lock was held: they came while ",
        human_count(totals.locked_out).view());
    line.append("the process forked, in signal handlers, or after _Fork; no variable changes that");
    sink(line.view());
  }
  if (refused == 0) return advise_shortage(snapshot, sink);
  Sentence line;
  line.add("{} requests in the pooled range went to mimalloc: ", human_count(refused).view());
  line.append("the system refused memory (ulimit -v or -d, vm.overcommit_memory, ");
  line.append("vm.max_map_count), or their class's addresses were used up");
  sink(line.view());
}

}  // namespace bufpool
