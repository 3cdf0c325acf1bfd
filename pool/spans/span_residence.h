// SPDX-License-Identifier: MIT
// Counts how much of what is free in a class's spans is resident.
#pragma once

#include <cstdint>

#include "pool/state/span_state.h"

namespace bufpool {

class Residence;

// Returns the bytes of a class's free blocks that lie in resident pages, as `look` finds them. It
// copies the records of the spans under the lock, and asks the kernel outside it. If the lock is
// refused at the start of a run, it returns the bytes that are counted as having pages.
[[nodiscard]] std::uint64_t resident_bytes(SpanState& state, Residence& look) noexcept
    BUFPOOL_EXCLUDES(state.lock);

}  // namespace bufpool
