// SPDX-License-Identifier: MIT
// What went wrong in a period between two reports of a process that goes on.
#pragma once

#include <array>
#include <cstdint>

#include "pool/options/choices.h"
#include "pool/telemetry/snapshot.h"
#include "report/report.h"

namespace bufpool {

// Remembers the gets and misses of each class at its last look. One thread at a time uses it. It
// never allocates, locks or fails.
class PeriodWatch {
 public:
  // Sends a line for each class that missed more than 1000 times since the last look, and in more
  // than 5% of its gets: in the text form a line as the others of the report, in JSON an object.
  // The first look in a forked child counts from zero.
  void look(const Snapshot& snapshot, const ReportContext& context, ReportForm form,
            LineSink sink) noexcept;

 private:
  struct Counts {
    std::uint64_t gets;
    std::uint64_t misses;
  };

  std::array<Counts, kSnapshotClasses> before_{};
  std::uint64_t before_ms_ = 0;  // the uptime
  std::uint32_t pid_ = 0;        // of the process that is watched
};

}  // namespace bufpool
