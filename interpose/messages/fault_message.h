// SPDX-License-Identifier: MIT
// Puts a program's mistake with a buffer into words.
#pragma once

#include "pool/telemetry/fault.h"

namespace bufpool {

// Writes a line on stderr that says what is wrong, and aborts. Any thread and any signal handler
// may call it.
[[noreturn]] void abort_on_fault(const Fault& fault);

}  // namespace bufpool
