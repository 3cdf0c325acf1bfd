// SPDX-License-Identifier: MIT
// The restartable sequences of this architecture; where none are tested, pops and pushes that
// always miss, so that every request takes the locked way.
#pragma once

#if defined(__x86_64__)
#include "pool/percpu/rseq_x86_64.h"

namespace bufpool {
inline constexpr bool kHaveSequences = true;
}
#else
#include "pool/percpu/rseq_none.h"

namespace bufpool {
inline constexpr bool kHaveSequences = false;
}
#endif
