// SPDX-License-Identifier: MIT
// The table of the text form: a row for each size class, and their sums.
#pragma once

#include <array>
#include <cstddef>

#include "pool/options/choices.h"
#include "pool/telemetry/snapshot.h"
#include "report/text_lines.h"

namespace bufpool {

// Says of each class of a snapshot whether it has a row.
struct ShownClasses {
  std::array<bool, kSnapshotClasses> shown{};
  std::size_t count = 0;  // of those that are shown
  std::size_t live = 0;   // of those that have a figure to report
};

// Returns the classes that have a figure to report. If they are more than `most`, it returns those
// of them that cost the most time: a miss or a fallback counts as a hundred hits. A signal handler
// may call it.
[[nodiscard]] ShownClasses dearest_classes(const Snapshot& snapshot, std::size_t most) noexcept;

// Writes the headings, the rows and the sums. The short form has fewer columns. A column for what
// rarely happens is left out if it did not. A signal handler may call it.
void put_class_table(const TextLines& lines, const Snapshot& snapshot, const ClassSnapshot& totals,
                     const ShownClasses& rows, ReportDetail detail) noexcept;

}  // namespace bufpool
