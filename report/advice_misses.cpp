// SPDX-License-Identifier: MIT
// Advice on gets that miss.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "report/figures.h"
#include "report/findings.h"
#include "report/units.h"

namespace bufpool {
namespace {

constexpr std::uint64_t kManyMisses = 1000;
// In hundredths of a percent. Larger caches are worth their memory where less than the first hits.
// A class is named where less than the second does.
constexpr std::uint64_t kGoodHitRate = 9000;
constexpr std::uint64_t kBestHitRate = 9500;

bool misses_much(const ClassSnapshot& row, std::uint64_t good_rate) noexcept {
  return row.misses > kManyMisses && basis_points(row.hits, row.gets) < good_rate;
}

// Tells whether twice the room would serve the class better. A cache that no put found full is not
// too small, however often gets find it empty: its buffers are still in use, or come back on other
// CPUs. Twice the room does not help either where most come back on other CPUs, or against bursts
// that are many times as large.
bool is_in_reach(const ClassSnapshot& row, std::uint64_t cache_bytes) noexcept {
  constexpr std::uint64_t kWithinReach = 4;
  return row.overflows > 0 && row.elsewhere_misses <= row.misses / 2 &&
         row.in_use_peak <= kWithinReach * cache_bytes / row.buffer_bytes;
}

bool cache_too_small(const ClassSnapshot& row, std::uint64_t cache_bytes) noexcept {
  return misses_much(row, kGoodHitRate) && is_in_reach(row, cache_bytes);
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

Sentence begin_with_class(const ClassSnapshot& row) noexcept {
  return Sentence{}.add(
      "class {}: hit rate {}% with {} misses", class_name(row.buffer_bytes).view(),
      percent(basis_points(row.hits, row.gets)).view(), human_count(row.misses).view());
}

void add_cpu_cache(Sentence& line, std::uint64_t now) noexcept {
  line.add(": set BUFPOOL_CPU_CACHE={} (now {})", option_bytes(doubled(now, kMostCpuCache)).view(),
           option_bytes(now).view());
}

std::uint64_t explained_misses(const ClassSnapshot& row) noexcept {
  return row.cold_misses + row.returned_misses + row.drained_misses + row.elsewhere_misses;
}

// Buffers that were never there before can be made ready. More than is worth to be kept cannot.
void add_cold(Sentence& line, const Snapshot& snapshot, const ClassSnapshot& row) noexcept {
  line.append("as so many buffers were not in use before");
  if (row.in_use_peak == 0 || row.in_use_peak > snapshot.budget_max / row.buffer_bytes) return;
  line.add(": set BUFPOOL_WARMUP={}:{} to have them ready",
           option_bytes(row.buffer_bytes - kHeaderRoom).view(), row.in_use_peak);
}

void add_full(Sentence& line, const Snapshot& snapshot, const ClassSnapshot& row,
              std::uint64_t cache_bytes) noexcept {
  line.append("as the CPUs' caches had been full");
  if (cache_bytes >= kMostCpuCache || cache_holds_all(snapshot, cache_bytes)) return;
  if (is_in_reach(row, cache_bytes)) return add_cpu_cache(line, cache_bytes);
  line.append(" by bursts that none holds");
}

// If no CPU was emptied from outside, other classes needed the room.
void add_drained(Sentence& line, const Snapshot& snapshot, std::uint64_t cache_bytes) noexcept {
  line.append("as the CPU's cache had been emptied, ");
  if (snapshot.cpu_drains > 0 || cache_bytes == 0 || cache_bytes >= kMostCpuCache) {
    line.append("which lay idle or was over its budget");
    return;
  }
  line.append("as other classes needed the room");
  add_cpu_cache(line, cache_bytes);
}

// Names the reason that most misses have.
void add_reason(Sentence& line, const Snapshot& snapshot, const ClassSnapshot& row,
                std::uint64_t cache_bytes) noexcept {
  const std::uint64_t explained = explained_misses(row);
  const std::uint64_t full = row.misses - std::min(row.misses, explained);
  const std::uint64_t most = std::max(
      {row.cold_misses, row.returned_misses, row.drained_misses, row.elsewhere_misses, full});
  line.add(", {}% of them ", percent(basis_points(most, row.misses)).view());
  if (most == row.cold_misses) return add_cold(line, snapshot, row);
  if (most == full) return add_full(line, snapshot, row, cache_bytes);
  if (most == row.drained_misses) return add_drained(line, snapshot, cache_bytes);
  line.append(most == row.returned_misses
                  ? "as the memory had been given back (BUFPOOL_RETAIN_MAX and _TIME, a limit)"
                  : "as the buffers came back on other CPUs; no variable changes that");
}

}  // namespace

void advise_cpu_cache(const Snapshot& snapshot, const ReportContext& context,
                      LineSink sink) noexcept {
  const std::uint64_t now = context.cpu_cache_bytes;
  const SmallCaches found = small_caches(snapshot, now);
  if (found.worst == nullptr) return;
  Sentence line = begin_with_class(*found.worst);
  if (found.count > 1) line.add(" (under 90% in {} more)", found.count - 1);
  line.append("; CPUs' caches were full");
  add_cpu_cache(line, now);
  sink(line.view());
}

// Figures of an older version have no reasons. What larger caches would serve is told already.
void advise_misses(const Snapshot& snapshot, const ReportContext& context, LineSink sink) noexcept {
  const std::uint64_t cache_bytes = context.cpu_cache_bytes;
  const bool told = small_caches(snapshot, cache_bytes).worst != nullptr;
  const ClassSnapshot* worst = nullptr;
  std::size_t count = 0;
  for (const auto& row : snapshot.classes) {
    if (!is_live(row) || !misses_much(row, kBestHitRate) || explained_misses(row) == 0) continue;
    if (told && cache_too_small(row, cache_bytes)) continue;
    if (worst == nullptr || row.misses > worst->misses) worst = &row;
    ++count;
  }
  if (worst == nullptr) return;
  Sentence line = begin_with_class(*worst);
  if (count > 1) line.add(" (under 95% in {} more)", count - 1);
  add_reason(line, snapshot, *worst, cache_bytes);
  sink(line.view());
}

}  // namespace bufpool
