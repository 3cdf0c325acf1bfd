// SPDX-License-Identifier: MIT
// The three forms of the report. Each walks the lists of report/figures.h in the order its readers
// need: text and JSON class by class, Prometheus figure by figure.
#pragma once

#include "pool/telemetry/snapshot.h"
#include "report/report.h"

namespace bufpool {

void render_text(const Snapshot& snapshot, const ReportContext& context, LineSink sink) noexcept;
void render_json(const Snapshot& snapshot, const ReportContext& context, LineSink sink) noexcept;
void render_prometheus(const Snapshot& snapshot, const ReportContext& context,
                       LineSink sink) noexcept;

// The longest line of advice, so that a prefix still fits in front of it.
inline constexpr std::size_t kLongestAdvice = 180;

// Advice on what to change, one sentence a line, each following from figures of the snapshot; no
// line where nothing applies. Plain ASCII without quotes or backslashes fits into every form as it
// is.
void advise(const Snapshot& snapshot, const ReportContext& context, LineSink sink) noexcept;

}  // namespace bufpool
