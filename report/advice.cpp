// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "pool/options/limits.h"
#include "report/activity.h"
#include "report/figures.h"
#include "report/fixed_text.h"
#include "report/forms.h"
#include "report/units.h"

namespace bufpool {
namespace {

using Sentence = FixedText<kLongestAdvice>;
using ClassList = FixedText<64>;

constexpr std::uint64_t kManyMisses = 1000;
constexpr std::uint64_t kGoodHitRate = 9000;  // in hundredths of a percent

constexpr std::uint64_t kMuchRegret = std::uint64_t{64} << 20;
constexpr std::uint64_t kRegretShare = 2500;  // of what was faulted, in hundredths of a percent

// A user who sets BUFPOOL_RETAIN_MAX below this wants next to nothing to be kept.
constexpr std::uint64_t kLeastRetainMax = std::uint64_t{1} << 20;

// These are the buffers of the smallest and the largest built-in class.
constexpr std::uint64_t kSmallestClass = kMinSize + kHeaderRoom;
constexpr std::uint64_t kLargestClass = kMaxSize + kHeaderRoom;

std::uint64_t doubled(std::uint64_t now, std::uint64_t most) noexcept {
  return now > most / 2 ? most : now * 2;
}

// Tells whether twice the room would serve the class better. A cache that no put found full is not
// too small, however often gets find it empty: its buffers are still in use, or come back on other
// CPUs. Twice the room does not help either against bursts that are many times as large.
bool cache_too_small(const ClassSnapshot& row, std::uint64_t cache_bytes) noexcept {
  constexpr std::uint64_t kWithinReach = 4;
  return row.misses > kManyMisses && row.overflows > 0 &&
         basis_points(row.hits, row.gets) < kGoodHitRate &&
         row.in_use_peak <= kWithinReach * cache_bytes / row.buffer_bytes;
}

// Tells whether one CPU's cache has room for all buffers that were ever in use at once. If so, it
// runs empty or full because some CPUs mostly get and others mostly put. More room would fill up as
// well.
bool cache_holds_all(const Snapshot& snapshot, std::uint64_t cache_bytes) noexcept {
  for (const auto& row : snapshot.classes) {
    if (row.buffer_bytes == 0) continue;
    if (row.in_use_peak > cache_bytes / row.buffer_bytes) return false;
    cache_bytes -= row.in_use_peak * row.buffer_bytes;
  }
  return true;
}

struct SmallCaches {
  const ClassSnapshot* worst = nullptr;  // by misses
  std::size_t count = 0;
};

SmallCaches small_caches(const Snapshot& snapshot, std::uint64_t cache_bytes) noexcept {
  SmallCaches found;
  if (cache_bytes >= kMostCpuCache || cache_holds_all(snapshot, cache_bytes)) return found;
  for (const auto& row : snapshot.classes) {
    if (!is_live(row) || !cache_too_small(row, cache_bytes)) continue;
    if (found.worst == nullptr || row.misses > found.worst->misses) found.worst = &row;
    ++found.count;
  }
  return found;
}

std::uint64_t largest_class(const Snapshot& snapshot) noexcept {
  std::uint64_t largest = 0;
  for (const auto& row : snapshot.classes) {
    if (row.buffer_bytes > largest) largest = row.buffer_bytes;
  }
  return largest;
}

std::uint64_t smallest_class(const Snapshot& snapshot) noexcept {
  for (const auto& row : snapshot.classes) {
    if (row.buffer_bytes != 0) return row.buffer_bytes;
  }
  return 0;
}

void advise_mode(const Snapshot& snapshot, LineSink sink) noexcept {
  if (snapshot.mode == PoolMode::kPassThrough) {
    sink(
        "mode pass-through: mimalloc serves everything; BUFPOOL_DISABLE is set, or BUFPOOL_ONLY or "
        "_SKIP leave the command out, or there was no memory for the pool (ulimit -v)");
  }
  if (snapshot.mode == PoolMode::kLocked) {
    sink(
        "mode locked: restartable sequences are unavailable (or BUFPOOL_MODE=locked is set), so "
        "every get and put takes a lock");
  }
}

void advise_cpu_cache(const Snapshot& snapshot, const ReportContext& context,
                      LineSink sink) noexcept {
  const std::uint64_t now = context.cpu_cache_bytes;
  const SmallCaches found = small_caches(snapshot, now);
  if (found.worst == nullptr) return;
  Sentence line;
  line.add("class {}: hit rate {}% with {} misses", class_name(found.worst->buffer_bytes).view(),
           percent(basis_points(found.worst->hits, found.worst->gets)).view(),
           human_count(found.worst->misses).view());
  if (found.count > 1) line.add(" (under 90% in {} more)", found.count - 1);
  line.add("; CPUs' caches were full: set BUFPOOL_CPU_CACHE={} (now {})",
           option_bytes(doubled(now, kMostCpuCache)).view(), option_bytes(now).view());
  sink(line.view());
}

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

void advise_above(const Snapshot& snapshot, LineSink sink) noexcept {
  const std::uint64_t largest = largest_class(snapshot);
  Sentence line;
  line.add("{} requests were above the pooled range", human_count(snapshot.passed_above).view());
  if (largest >= kLargestClass) {
    line.append(", which ends at 1G or at a smaller BUFPOOL_MAX_SIZE");
  } else if (largest != 0) {
    line.add(", whose largest class is {}: set BUFPOOL_MAX_SIZE=1G, and BUFPOOL_CLASSES to match",
             class_name(largest).view());
  }
  sink(line.view());
}

void advise_range(const Snapshot& snapshot, LineSink sink) noexcept {
  const Activity activity{totals_of(snapshot).gets, snapshot.passed_below, snapshot.passed_above};
  if (!range_advice_is_due(activity)) return;
  if (pool_is_idle(activity) &&
      (largest_class(snapshot) >= kLargestClass || snapshot.passed_above == 0)) {
    Sentence line;
    line.add("bufpool does nothing for this program: {} requests were below its range, {} above ",
             human_count(snapshot.passed_below).view(), human_count(snapshot.passed_above).view());
    line.add("and {} within: {}take it out of LD_PRELOAD", activity.gets,
             smallest_class(snapshot) > kSmallestClass ? "set BUFPOOL_MIN_SIZE=512, or " : "");
    sink(line.view());
  } else {
    advise_above(snapshot, sink);
  }
}

// Returns the round size of the built-in class for requests of `size` bytes. A doubling has four
// classes.
std::uint64_t built_in_class(std::uint64_t size) noexcept {
  std::uint64_t round = kMinSize;
  for (std::uint64_t step = 128; round + kHeaderRoom < size && round < kLargestClass;
       round += step) {
    if (round == 8 * step) step *= 2;
  }
  return round;
}

// Returns the list for BUFPOOL_CLASSES that makes `wanted` a class as well. It is empty where the
// list would be too long to show.
ClassList classes_with(const Snapshot& snapshot, std::uint64_t wanted) noexcept {
  ClassList list;
  std::uint64_t before = 0;
  for (const auto& row : snapshot.classes) {
    if (row.buffer_bytes == 0) continue;
    const std::uint64_t round = row.buffer_bytes - kHeaderRoom;
    if (before < wanted && wanted < round) list.add("{},", option_bytes(wanted).view());
    list.add("{},", option_bytes(round).view());
    before = round;
  }
  return list.room() == 0 ? ClassList{} : list;
}

bool is_class(const Snapshot& snapshot, std::uint64_t round) noexcept {
  return std::any_of(snapshot.classes.begin(), snapshot.classes.end(),
                     [&](const auto& row) { return row.buffer_bytes == round + kHeaderRoom; });
}

// If the user chose few classes, much larger ones may serve many requests. A class for the mean of
// the sizes asked for serves some of them, and wastes less.
void advise_classes(const Snapshot& snapshot, LineSink sink) noexcept {
  constexpr std::uint64_t kMuchWaste = 5000;  // in hundredths of a percent
  constexpr std::uint64_t kManyGetsOfAClass = 100;
  const ClassSnapshot* worst = nullptr;
  for (const auto& row : snapshot.classes) {
    if (row.gets < kManyGetsOfAClass || row.asked > row.granted) continue;
    if (basis_points(row.granted - row.asked, row.granted) < kMuchWaste) continue;
    if (is_class(snapshot, built_in_class(row.asked / row.gets))) continue;
    if (worst == nullptr || row.granted - row.asked > worst->granted - worst->asked) worst = &row;
  }
  if (worst == nullptr) return;
  const std::uint64_t mean = worst->asked / worst->gets;
  const std::uint64_t wanted = built_in_class(mean);
  const ClassList list = classes_with(snapshot, wanted);
  Sentence line;
  line.add("class {}: {}% of what was granted was waste, as {} were asked for on average: ",
           class_name(worst->buffer_bytes).view(),
           percent(basis_points(worst->granted - worst->asked, worst->granted)).view(),
           human_bytes(mean).view());
  if (list.view().empty()) {
    line.add("add {} to BUFPOOL_CLASSES", option_bytes(wanted).view());
  } else {
    line.add("set BUFPOOL_CLASSES={}", list.view().substr(0, list.view().size() - 1));
  }
  sink(line.view());
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
  line.append("set BUFPOOL_MAX_BUFFERS to more, or to 0 for no limit");
  sink(line.view());
}

void advise_shortage(const Snapshot& snapshot, LineSink sink) noexcept {
  if (snapshot.shortages == 0) return;
  Sentence line;
  line.add("idle memory was given back {} times, as the system refused more: raise ulimit -v or ",
           human_count(snapshot.shortages).view());
  line.append("-d, or vm.max_map_count, unless the program asked for what cannot be");
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

}  // namespace

void advise(const Snapshot& snapshot, const ReportContext& context, LineSink sink) noexcept {
  advise_mode(snapshot, sink);
  if (snapshot.mode == PoolMode::kPassThrough) return;
  advise_cpu_cache(snapshot, context, sink);
  advise_retain_max(snapshot, sink);
  advise_trimmer(snapshot, sink);
  advise_range(snapshot, sink);
  advise_classes(snapshot, sink);
  advise_max_buffers(snapshot, sink);
  advise_fallbacks(snapshot, sink);
}

}  // namespace bufpool
