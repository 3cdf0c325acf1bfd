// SPDX-License-Identifier: MIT
// Gives spans pages before they are asked for: at start for BUFPOOL_WARMUP, and later.
#pragma once

#include <cstdint>

#include "pool/state/span_state.h"

namespace bufpool {

// Faults in the pages of spans that have none, and leaves the spans idle, until `blocks` blocks
// have pages. It returns how many blocks got some: more than asked for by less than a span, or
// fewer if memory or the lock is refused. It takes the lock, and touches the pages outside it. It
// does nothing if the class is not open.
std::uint64_t warm_up(SpanState& state, std::uint64_t blocks) noexcept BUFPOOL_EXCLUDES(state.lock);

}  // namespace bufpool
