// SPDX-License-Identifier: MIT
// Looks at a class's youngest run of small pages, to decide whether its next run has huge ones.
#pragma once

#include "pool/runs/huge_growth.h"
#include "pool/state/span_state.h"

namespace bufpool {

// Decides what pages the next run of a class has. It is called once for each run. It takes the lock
// of the class, and asks the kernel outside it. It chooses small pages if the lock is refused.
[[nodiscard]] HugeGrowth::Next pages_for_next_run(SpanState& state) noexcept
    BUFPOOL_EXCLUDES(state.lock);

}  // namespace bufpool
