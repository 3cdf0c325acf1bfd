// SPDX-License-Identifier: MIT
#include "interpose/confinement.h"

#include "pool/platform/filter_notice.h"
#include "pool/platform/memory_limits.h"

namespace bufpool {

bool has_locked_itself_in() noexcept { return platform::safe_calls() == platform::SafeCalls::kFew; }

void note_privileges_given_up() noexcept { platform::expect_filter(); }

bool may_have_locked_itself_in() noexcept { return platform::expects_filter(); }

}  // namespace bufpool
