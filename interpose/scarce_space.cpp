// SPDX-License-Identifier: MIT
#include "interpose/scarce_space.h"

#include <cstdint>

#include "interpose/heap.h"
#include "interpose/pass_counter.h"
#include "pool/backing/backing.h"
#include "pool/options/policy.h"
#include "pool/platform/process.h"
#include "pool/sync/refusal.h"

namespace bufpool::scarce_space {
namespace {

constinit std::size_t limit{0};     // of the address space; 0: none
constinit Refusal space_refused;    // a thread was not worth what mimalloc sets aside
constinit Refusal backing_refused;  // mimalloc had no memory for a thread

// How much is used is read from a file.
bool is_short() noexcept {
  if (space_refused.stands()) return true;
  if (limit == 0 || PassCounter::total() == 0) return false;
  constexpr std::size_t kNeeded = policy::kThreadSpaceShare * backing::kThreadBytes;
  if (platform::address_space_used() + kNeeded <= limit) return false;
  space_refused.note();
  return true;
}

}  // namespace

void learn_limit() noexcept {
  const std::size_t told = platform::address_space_limit();
  if (told != SIZE_MAX) limit = told;
}

// The smallest class may be a large one (BUFPOOL_CLASSES). Then a few small requests take more than
// mimalloc sets aside, and the class is the last resort.
bool is_better_pooled(std::size_t size) noexcept {
  if (size >= kMinSize || PassCounter::began() || !the_pool.sizes().serves(kMinSize)) return false;
  if (backing_refused.stands()) return true;
  constexpr std::size_t kMostGranted = backing::kThreadBytes / policy::kThreadRequests;
  return the_pool.sizes().granted(kMinSize) <= kMostGranted && is_short();
}

void note_backing_refused() noexcept { backing_refused.note(); }

}  // namespace bufpool::scarce_space
