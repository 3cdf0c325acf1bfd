// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>

#include "report/figures.h"
#include "report/fixed_text.h"
#include "report/forms.h"
#include "report/units.h"

namespace bufpool {
namespace {

using Sentence = FixedText<kLongestAdvice>;

constexpr std::uint64_t kManyMisses = 1000;
constexpr std::uint64_t kManyRequests = 1000;
constexpr std::uint64_t kGoodHitRate = 9000;  // in hundredths of a percent

constexpr std::uint64_t kMuchRegret = std::uint64_t{64} << 20;
constexpr std::uint64_t kRegretShare = 2500;  // of what was faulted, in hundredths of a percent

// Where BUFPOOL_CPU_CACHE, BUFPOOL_RETAIN_MAX and BUFPOOL_MAX_SIZE end. Who sets the second below
// its least here wants next to nothing kept.
constexpr std::uint64_t kLargestCpuCache = std::uint64_t{16} << 30;
constexpr std::uint64_t kLargestRetainMax = std::uint64_t{16} << 40;
constexpr std::uint64_t kLeastRetainMax = std::uint64_t{1} << 20;
constexpr std::uint64_t kLargestClass = (std::uint64_t{16} << 20) + 64;

std::uint64_t doubled(std::uint64_t now, std::uint64_t most) noexcept {
  return now > most / 2 ? most : now * 2;
}

// A cache that no put found full is not too small, however often gets find it empty: its buffers
// are still held, or come back on other CPUs. Nor does twice the room help against bursts that are
// many times as large.
bool cache_too_small(const ClassSnapshot& row, std::uint64_t cache_bytes) noexcept {
  constexpr std::uint64_t kWithinReach = 4;
  return row.misses > kManyMisses && row.overflows > 0 &&
         basis_points(row.hits, row.gets) < kGoodHitRate &&
         row.in_use_peak <= kWithinReach * cache_bytes / row.buffer_bytes;
}

// Whether one CPU's cache has room for all that was ever in use. It then runs empty or full because
// some CPUs mostly get and others mostly put, and more room would only fill up in turn.
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
  if (cache_bytes >= kLargestCpuCache || cache_holds_all(snapshot, cache_bytes)) return found;
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

void advise_mode(const Snapshot& snapshot, LineSink sink) noexcept {
  if (snapshot.mode == PoolMode::kPassThrough) {
    sink(
        "mode pass-through: mimalloc serves everything; BUFPOOL_DISABLE is set, or no address "
        "space could be reserved (ulimit -v, vm.overcommit_memory)");
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
           option_bytes(doubled(now, kLargestCpuCache)).view(), option_bytes(now).view());
  sink(line.view());
}

// A budget below its most can still rise by itself.
void advise_retain_max(const Snapshot& snapshot, LineSink sink) noexcept {
  const ClassSnapshot totals = totals_of(snapshot);
  const std::uint64_t now = snapshot.budget_max;
  const std::uint64_t share = basis_points(totals.regretted, totals.faulted);
  if (totals.regretted <= kMuchRegret || share <= kRegretShare || snapshot.budget != now) return;
  if (now < kLeastRetainMax || now >= kLargestRetainMax) return;
  Sentence line;
  line.add("{} ({}% of what was faulted) had been given back shortly before: ",
           human_bytes(totals.regretted).view(), percent(share).view());
  line.add("set BUFPOOL_RETAIN_MAX={} (now {})",
           option_bytes(doubled(now, kLargestRetainMax)).view(), option_bytes(now).view());
  sink(line.view());
}

void advise_trimmer(const Snapshot& snapshot, LineSink sink) noexcept {
  if (snapshot.trimmer != kTrimmerRefused) return;
  sink(
      "the system refused a thread to give idle memory back (a limit on threads, or a sandbox): "
      "it goes back during the program's own calls only");
}

void advise_above(const Snapshot& snapshot, LineSink sink) noexcept {
  if (snapshot.passed_above <= kManyRequests) return;
  const std::uint64_t largest = largest_class(snapshot);
  Sentence line;
  line.add("{} requests were above the pooled range", human_count(snapshot.passed_above).view());
  if (largest >= kLargestClass) {
    line.append(", which ends at 16M or at a smaller BUFPOOL_MAX_SIZE");
  } else if (largest != 0) {
    line.add(", whose largest class is {}: set BUFPOOL_MAX_SIZE=16M, and BUFPOOL_CLASSES to match",
             class_name(largest).view());
  }
  sink(line.view());
}

void advise_fallbacks(const Snapshot& snapshot, LineSink sink) noexcept {
  const std::uint64_t fallbacks = totals_of(snapshot).fallbacks;
  if (fallbacks == 0) return;
  Sentence line;
  line.add("{} requests in the pooled range went to mimalloc: ", human_count(fallbacks).view());
  if (snapshot.reserved == 0) {
    line.append("no address space could be reserved (ulimit -v, vm.overcommit_memory)");
  } else {
    line.add("their class's part of the {} reserved was used up, or the system refused memory",
             human_bytes(snapshot.reserved).view());
  }
  sink(line.view());
}

}  // namespace

void advise(const Snapshot& snapshot, const ReportContext& context, LineSink sink) noexcept {
  advise_mode(snapshot, sink);
  if (snapshot.mode == PoolMode::kPassThrough) return;
  advise_cpu_cache(snapshot, context, sink);
  advise_retain_max(snapshot, sink);
  advise_trimmer(snapshot, sink);
  advise_above(snapshot, sink);
  advise_fallbacks(snapshot, sink);
}

}  // namespace bufpool
