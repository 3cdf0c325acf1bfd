// SPDX-License-Identifier: MIT
#include "pool/pool_control.h"

#include <algorithm>

#include "pool/mapping/span_warmup.h"
#include "pool/sync/owner_lock.h"

namespace bufpool {
namespace {

// No process has more bytes than this.
constexpr std::uint64_t kMostToWarm = std::uint64_t{1} << 52;

}  // namespace

std::uint64_t PoolControl::warm_up(std::size_t size, std::uint64_t count) noexcept {
  if (!parts_.sizes.serves(size)) return 0;
  const ClassIndex c = parts_.sizes.class_for(size);
  const std::uint64_t stride = stride_bytes(c);
  const std::uint64_t wanted = std::min(count, kMostToWarm / stride) * stride;
  LimitedBudget& budget = parts_.retention.budget();
  // The bytes are reserved first. Otherwise threads that warm up at a time would share one room.
  const std::uint64_t reserved = budget.reserve_to_warm(wanted);
  const std::uint64_t warmed = bufpool::warm_up(parts_.spans.opened(c).state(), reserved / stride);
  budget.without_look().settle_warmed(reserved, warmed * stride);
  return warmed;
}

std::uint64_t PoolControl::give_back(std::uint64_t keep) noexcept {
  if (!is_open()) return 0;
  parts_.retention.budget().without_look().keep_warmed(keep);
  return parts_.retention.trim(keep);
}

void PoolControl::before_fork() noexcept {
  parts_.retention.before_fork();
  OwnerLock::begin_fork();
  parts_.returns.wake();
  parts_.spans.await_opening();
  parts_.spans.await_owners();
  parts_.space.await_owners();
  // It comes last: until the fork has ended, all requests of other threads miss.
  parts_.cache.slabs().sharing().before_fork();
}

void PoolControl::after_fork_in_parent() noexcept {
  parts_.cache.slabs().sharing().after_fork_in_parent();
  OwnerLock::end_fork();
}

void PoolControl::after_fork_in_child() noexcept {
  parts_.trimmer.forget_in_child();
  parts_.retention.repair_in_child();
  parts_.returns.forget_in_child();
  parts_.space.repair_in_child();
  parts_.spans.repair_in_child();
  parts_.cache.slabs().sharing().repair_in_child();
  parts_.cache.capacity().spare_stacks_in_child();
  if (is_open()) parts_.figures.note_fork();
  OwnerLock::enter_process();
}

}  // namespace bufpool
