// SPDX-License-Identifier: MIT
#include "interpose/confinement.h"

#include <atomic>

#include "pool/platform/safe_calls.h"

namespace bufpool {
namespace {

constinit std::atomic<bool> gave_up_privileges{false};

}  // namespace

bool has_locked_itself_in() noexcept { return platform::safe_calls() == platform::SafeCalls::kFew; }

void note_privileges_given_up() noexcept {
  gave_up_privileges.store(true, std::memory_order_relaxed);
}

bool may_have_locked_itself_in() noexcept {
  return gave_up_privileges.load(std::memory_order_relaxed);
}

}  // namespace bufpool
