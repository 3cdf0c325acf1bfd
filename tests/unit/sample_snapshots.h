// SPDX-License-Identifier: MIT
// Has snapshots that are written by hand, and renders a report as one string.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "pool/telemetry/snapshot.h"
#include "report/report.h"

namespace bufpool {

inline constexpr std::uint64_t kKiB = 1024;
inline constexpr std::uint64_t kMiB = kKiB * 1024;
inline constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

inline constexpr ReportContext kContext{"redis-server", "1.2.3", 12345, 32 * kMiB};

// Returns a snapshot without a class in which nothing was asked for.
inline Snapshot empty_snapshot() {
  Snapshot snapshot{};
  snapshot.size = sizeof(Snapshot);
  snapshot.version = kSnapshotVersion;
  snapshot.mode = PoolMode::kRseq;
  snapshot.pid = 4711;
  return snapshot;
}

// Returns a class of whose `gets` so many were `misses`, and of whose buffers half are still in
// use.
inline ClassSnapshot sample_class(std::uint64_t nominal, std::uint64_t gets, std::uint64_t misses) {
  ClassSnapshot row{};
  row.buffer_bytes = nominal + 64;
  row.gets = gets;
  row.hits = gets - misses;
  row.misses = misses;
  row.puts = gets - gets / 2;
  row.in_use = gets / 2;
  row.in_use_peak = gets / 2 + 1;
  row.cached = 3;
  row.idle = 3 * row.buffer_bytes;
  row.retained = 3 * nominal;
  row.carved = 64 * nominal;
  row.asked = gets * nominal;
  row.granted = gets * row.buffer_bytes;
  return row;
}

// Returns the snapshot of a server that can be advised on something.
inline Snapshot sample_snapshot() {
  Snapshot snapshot = empty_snapshot();
  snapshot.passed_below = 1234567;
  snapshot.passed_above = 4321;
  snapshot.cpu_drains = 2;
  snapshot.trims = 34;
  snapshot.pressure_events = 3;
  snapshot.budget = 64 * kMiB;
  snapshot.budget_max = 64 * kMiB;
  snapshot.trimmer = 2;
  snapshot.reserved = 96 * kMiB;
  snapshot.resident = 50 * kMiB;
  snapshot.resident_peak = 75 * kMiB;
  snapshot.cpu_time = 4567;
  snapshot.classes[0] = sample_class(640, 100, 0);
  snapshot.classes[1].buffer_bytes = 1024 + 64;  // nothing asked of it
  snapshot.classes[2] = sample_class(16 * kKiB, 1000000, 370);
  snapshot.classes[2].purged = 1000 * kMiB;
  snapshot.classes[2].faulted = 400 * kMiB;
  snapshot.classes[2].regretted = 130 * kMiB;
  snapshot.classes[3] = sample_class(1280 * kKiB, 5000, 2500);
  snapshot.classes[3].puts = 4960;
  snapshot.classes[3].in_use = 40;
  snapshot.classes[3].in_use_peak = 60;
  snapshot.classes[3].overflows = 1200;
  snapshot.classes[3].purged = 96 * kMiB;
  snapshot.classes[3].faulted = 128 * kMiB;
  snapshot.classes[3].regretted = 40 * kMiB;
  snapshot.classes[4] = sample_class(16 * kMiB, 7, 7);
  snapshot.classes[4].fallbacks = 5;
  snapshot.sizes[21] = 370;  // up to 16K
  return snapshot;
}

// Returns a snapshot in which every number is the largest and every class is live.
inline Snapshot largest_snapshot() {
  Snapshot snapshot = empty_snapshot();
  snapshot.pid = std::numeric_limits<std::uint32_t>::max();
#define BUFPOOL_PROCESS_COUNTER(name, unit, kind, sentence) snapshot.name = kMost;
#include "pool/telemetry/counters.def"
  std::uint64_t buffer_bytes = kMost - kSnapshotClasses;
  for (auto& row : snapshot.classes) {
    row.buffer_bytes = ++buffer_bytes;
#define BUFPOOL_CLASS_COUNTER(name, unit, kind, sentence) row.name = kMost;
#include "pool/telemetry/counters.def"
  }
  return snapshot;
}

// Returns the lines, each with a newline.
inline std::string rendered(const Snapshot& snapshot, const ReportContext& context,
                            ReportForm form) {
  std::string report;
  auto add = [&report](std::string_view line) { report.append(line).append("\n"); };
  render(snapshot, context, form, add);
  return report;
}

}  // namespace bufpool
