// SPDX-License-Identifier: MIT
// Obeys BUFPOOL_WARMUP.
#pragma once

#include "pool/options/options.h"

namespace bufpool {

// Makes buffers ready as BUFPOOL_WARMUP asks for them, and says on stderr which could not be had
// and which sizes the pool does not serve, unless the options ask for silence. Pre: called once, at
// start, once the pool is open.
void warm_up(const Options& options) noexcept;

}  // namespace bufpool
