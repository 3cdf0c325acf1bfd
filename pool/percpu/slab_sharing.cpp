// SPDX-License-Identifier: MIT
#include <algorithm>

#include "pool/percpu/cpu_slabs.h"
#include "pool/platform/shared_memory.h"

namespace bufpool {

void SlabSharing::tell(StatsPageWriter* stats) noexcept {
  slabs_->records_.tell(stats);
  if (slabs_->mode_ == PoolMode::kLocked) slabs_->shards_.hide();
  stats->open(slabs_->sequenced_.visible().stats_word());
}

std::uint32_t SlabSharing::most() noexcept {
  return slabs_->mode_ == PoolMode::kLocked ? slabs_->shards_.count() : platform::possible_cpus();
}

bool SlabSharing::hide_in_children() noexcept {
  if (slabs_->records_.are_hidden_in_children() || !slabs_->records_.make_room(most()))
    return false;
  if (!slabs_->sequenced_.visible().forget_in_children()) return false;
  slabs_->records_.hide_in_children();
  return true;
}

bool SlabSharing::is_in_interrupted_fork() const noexcept {
  return slabs_->records_.is_in_interrupted_fork();
}

void SlabSharing::prepare_all() noexcept {
  if (slabs_->mode_ != PoolMode::kRseq || !slabs_->records_.are_placed()) return;
  const std::uint32_t most = std::min(platform::possible_cpus(), kMaxCpus);
  for (std::uint32_t cpu = 0; cpu < most; ++cpu) {
    if (platform::may_use_cpu(cpu)) slabs_->sequenced_.prepare(cpu);
  }
}

void SlabSharing::note_placed() noexcept {
  slabs_->records_.note_placed();
  if (slabs_->mode_ == PoolMode::kLocked) return slabs_->shards_.show();
  slabs_->sequenced_.show_all();
}

void SlabSharing::place_records(bool in_child) noexcept {
  if (in_child) slabs_->records_.begin_placing();
  slabs_->for_each_mapped([&](auto& slabs, std::uint32_t number, std::uintptr_t slab) {
    if (in_child) slabs_->records_.keep(slab, number);
    if (!slabs_->records_.place(slab, number, !in_child)) {
      slabs.give_up(number);
    } else if (in_child) {
      slabs_->records_.fill_in_child(slab, number);
    } else {
      open_slab(slab);
    }
  });
  slabs_->records_.end_placing();
}

void SlabSharing::balance_moved(ClassIndex c, std::uint64_t moved) noexcept {
  Stack* first = nullptr;
  slabs_->for_each_mapped([&](auto&, std::uint32_t, std::uintptr_t slab) {
    if (!head_of(slab).open.load()) return;
    Stack& stack = stack_of(slab, c);
    moved -= stack.moved.load(std::memory_order_relaxed);
    if (first == nullptr) first = &stack;
  });
  if (first != nullptr) first->moved.fetch_add(moved, std::memory_order_relaxed);
}

void SlabSharing::before_fork() noexcept {
  if (slabs_ == nullptr) return;
  slabs_->shards_.await_owners();
  if (!slabs_->records_.begin_copies()) return;
  StackCopies& copies = slabs_->records_.copies();
  const bool still = slabs_->with([&](auto& slabs) { return slabs.hide_for_fork(copies); });
  if (!still) return slabs_->records_.drop_copies();
  copies.clear();
  slabs_->for_each([&](auto& slabs, std::uint32_t number) {
    if (copies.has(number)) copies.add(number, slabs.slab(number));
  });
  // In a child that a signal handler forked meanwhile nothing was copied.
  if (!slabs_->records_.are_placed()) return slabs_->records_.drop_copies();
  slabs_->records_.keep_copies();
}

void SlabSharing::after_fork_in_parent() noexcept {
  if (slabs_ == nullptr) return;
  if (!slabs_->records_.end_copies()) return;
  const StackCopies& copies = slabs_->records_.copies();
  slabs_->with([&](auto& slabs) { slabs.show_after_fork(copies); });
}

void SlabSharing::repair_in_child() noexcept {
  if (slabs_ == nullptr) return;
  slabs_->shards_.repair_in_child();
  slabs_->records_.note_fork();
  slabs_->sequenced_.let_open_again();
  if (!slabs_->records_.are_hidden_in_children()) return slabs_->sequenced_.show_all();
  slabs_->sequenced_.visible().begin_in_child();
}

}  // namespace bufpool
