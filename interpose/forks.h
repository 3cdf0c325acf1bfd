// SPDX-License-Identifier: MIT
// Our own fork, which ends in that of whoever comes after us.
#pragma once

namespace bufpool {

// At start: later, the loader's locks may be held.
void find_next_fork() noexcept;

}  // namespace bufpool
