// SPDX-License-Identifier: MIT
#include "interpose/scarce_space.h"

#include <cstddef>

#include "interpose/heap.h"
#include "interpose/pass_counter.h"
#include "pool/backing/backing.h"
#include "pool/options/policy.h"
#include "pool/sync/refusal.h"

namespace bufpool::scarce_space {
namespace {

constinit Refusal backing_refused;  // mimalloc had no memory for a thread

}  // namespace

bool pool_serves_small() noexcept { return the_pool.sizes().serves(kMinSize); }

// The smallest class may be a large one (BUFPOOL_CLASSES). Then a few small requests take more than
// mimalloc sets aside, and the class is the last resort.
bool is_better_pooled(ThreadSpace::Share& share) noexcept {
  if (!pool_serves_small()) return false;
  if (backing_refused.stands()) return true;
  if (PassCounter::was_served()) return false;
  constexpr std::size_t kMostGranted = backing::kThreadBytes / policy::kThreadRequests;
  return the_pool.sizes().granted(kMinSize) <= kMostGranted && !share.take();
}

void note_backing_refused() noexcept { backing_refused.note(); }

}  // namespace bufpool::scarce_space
