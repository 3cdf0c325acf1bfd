// SPDX-License-Identifier: MIT
// Adds the figures of several processes up.
#pragma once

#include "pool/telemetry/snapshot.h"

namespace bufpool {

// Adds `other` to `sum`, class by class. Of peaks and states it keeps the highest: processes do not
// reach their peaks at the same time.
void add_to(Snapshot& sum, const Snapshot& other);

}  // namespace bufpool
