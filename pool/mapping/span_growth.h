// SPDX-License-Identifier: MIT
// Where a class's spans come from: the rest of its runs, which is mapped step by step, and new
// runs.
#pragma once

#include <cstdint>

#include "pool/state/span_state.h"

namespace bufpool {

// Cuts the next span from pages that are mapped, and files it: all free, and without memory. It
// returns nullptr if there are no such pages.
[[nodiscard]] Span* carve_span(SpanState& state) noexcept BUFPOOL_REQUIRES(state.lock);

// A step of growth: the pages that are to be mapped next.
struct GrowthStep {
  Run* run;             // nullptr: a new run is to be made
  std::uint32_t spans;  // how many of the run's next spans are to be mapped
};

// Decides what is to be mapped next. If it names a run, it has set `committing` in it, and the
// caller must call grow(). No other thread maps pages of that run meanwhile: it takes the next run,
// as it must not wait.
[[nodiscard]] GrowthStep choose_growth(SpanState& state) noexcept BUFPOOL_REQUIRES(state.lock);

// Maps what choose_growth() has decided. It returns false if the kernel refuses memory, or refused
// some less than policy::kRefusalMs ago. It returns true if there may be a span to carve now. It
// takes the lock, and the locks of the region and of the records.
[[nodiscard]] bool grow(SpanState& state, const GrowthStep& step) noexcept
    BUFPOOL_EXCLUDES(state.lock);

}  // namespace bufpool
