// SPDX-License-Identifier: MIT
// Declares the kinds of findings that advise() tells, and what they share. Each function sends its
// sentences to the sink, or none where nothing applies. It takes no lock and allocates nothing, so
// a signal handler may call it. A sentence that names a value has it as "set BUFPOOL_NAME=VALUE".
#pragma once

#include <cstdint>

#include "pool/options/limits.h"
#include "pool/telemetry/snapshot.h"
#include "report/fixed_text.h"
#include "report/forms.h"
#include "report/report.h"

namespace bufpool {

using Sentence = FixedText<kLongestAdvice>;

// Returns twice as much, but no more than `most`.
constexpr std::uint64_t doubled(std::uint64_t now, std::uint64_t most) noexcept {
  return now > most / 2 ? most : now * 2;
}

// Tell why gets miss: caches that are too small, and the class that misses most for other reasons.
void advise_cpu_cache(const Snapshot& snapshot, const ReportContext& context,
                      LineSink sink) noexcept;
void advise_misses(const Snapshot& snapshot, const ReportContext& context, LineSink sink) noexcept;

// Tell which sizes should be served, and by which classes.
void advise_range(const Snapshot& snapshot, LineSink sink) noexcept;
void advise_classes(const Snapshot& snapshot, LineSink sink) noexcept;

// Tell what limits the memory of the pool.
void advise_retain_max(const Snapshot& snapshot, LineSink sink) noexcept;
void advise_trimmer(const Snapshot& snapshot, LineSink sink) noexcept;
void advise_max_buffers(const Snapshot& snapshot, LineSink sink) noexcept;
void advise_fallbacks(const Snapshot& snapshot, LineSink sink) noexcept;

}  // namespace bufpool
