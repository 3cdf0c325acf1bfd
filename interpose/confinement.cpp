// SPDX-License-Identifier: MIT
#include "interpose/confinement.h"

#include <atomic>

#include "pool/platform_memory.h"

namespace bufpool {
namespace {

constinit int filters_at_start = platform::kNotTold;
constinit std::atomic<bool> gave_up_privileges{false};

}  // namespace

void remember_confinement() noexcept { filters_at_start = platform::call_filters(); }

bool has_locked_itself_in() noexcept {
  const int filters = platform::call_filters();
  return filters == platform::kNotTold || filters != filters_at_start;
}

void note_privileges_given_up() noexcept {
  gave_up_privileges.store(true, std::memory_order_relaxed);
}

bool may_have_locked_itself_in() noexcept {
  return gave_up_privileges.load(std::memory_order_relaxed);
}

}  // namespace bufpool
