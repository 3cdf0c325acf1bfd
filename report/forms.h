// SPDX-License-Identifier: MIT
// Declares the three forms of the report, and the advice that all of them contain. The functions
// promise what render() promises.
#pragma once

#include "pool/telemetry/snapshot.h"
#include "report/report.h"

namespace bufpool {

// Writes the report as lines for people: a table with a row for each class, and sums below it.
void render_text(const Snapshot& snapshot, const ReportContext& context, LineSink sink) noexcept;

// Writes the report as one JSON object, class by class. A line ends between two values only.
void render_json(const Snapshot& snapshot, const ReportContext& context, LineSink sink) noexcept;

// Writes the report in Prometheus text format 0.0.4, figure by figure. It has no advice.
void render_prometheus(const Snapshot& snapshot, const ReportContext& context,
                       LineSink sink) noexcept;

// No line of advice has more bytes, so that a prefix still fits in front of it.
inline constexpr std::size_t kLongestAdvice = 180;

// Tells `sink` what a user could change. Each line is one sentence that follows from figures of the
// snapshot. There is no line where nothing applies. The lines are plain ASCII without quotes or
// backslashes, so that they fit into every form as they are.
void advise(const Snapshot& snapshot, const ReportContext& context, LineSink sink) noexcept;

}  // namespace bufpool
