// SPDX-License-Identifier: MIT
#include "interpose/confinement.h"

#include "pool/platform_memory.h"

namespace bufpool {
namespace {

constinit int filters_at_start = platform::kNotTold;

}  // namespace

void remember_confinement() noexcept { filters_at_start = platform::call_filters(); }

bool has_locked_itself_in() noexcept {
  const int filters = platform::call_filters();
  return filters == platform::kNotTold || filters != filters_at_start;
}

}  // namespace bufpool
