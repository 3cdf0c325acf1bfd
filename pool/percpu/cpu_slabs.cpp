// SPDX-License-Identifier: MIT
#include "pool/percpu/cpu_slabs.h"

#include <algorithm>

#include "pool/options/policy.h"
#include "pool/platform/memory.h"
#include "pool/platform/process.h"
#include "pool/platform/sequences.h"
#include "pool/platform/waiting.h"

namespace bufpool {

OwnedSlab::OwnedSlab(SlabDistance& visible, SlabDistance distance, std::uint32_t cpu,
                     const SlabRecords& records) noexcept
    : records_(records),
      visible_(visible),
      distance_(distance),
      swung_(std::atomic_ref(visible).exchange(0) != 0),
      owned_(swung_ && platform::restart_sequences(cpu)) {}

// A child that a signal handler forked meanwhile does not see its parent's slab.
OwnedSlab::~OwnedSlab() {
  if (!swung_ || !records_.are_placed()) return;
  std::atomic_ref(visible_).store(distance_, std::memory_order_release);
}

bool SequencedSlabs::open(SlabRecords* records) noexcept {
  records_ = records;
  void* const memory = kHaveSequences ? platform::map(kSlabLayout.bytes) : nullptr;
  if (memory == nullptr) return false;
  const auto slab = reinterpret_cast<std::uintptr_t>(memory);
  constexpr Block kBlock{64};
  for (int tries = 0; tries < 4; ++tries) {  // more than one, as the thread may be moved
    const std::uint32_t cpu = attach();
    if (cpu == kMaxCpus) break;
    open_slab(slab);
    stack_of(slab, kFirstClass).limit.store(bottom_of(kFirstClass) + 1);
    visible_.show(cpu, slab - empty_slab_address());
    const bool pushed = push<kUncountedPush>(kFirstClass, kBlock);
    const Block popped = pop<kUncountedPop>(kFirstClass, 0);
    visible_.show(cpu, 0);
    if (!pushed || popped != kBlock) continue;
    head_of(slab).open.store(false);
    spare_.store(slab);
    return true;
  }
  platform::unreserve(memory, kSlabLayout.bytes);
  return false;
}

// Returns the CPU that this thread runs on, or kMaxCpus if it has to do without sequences.
std::uint32_t SequencedSlabs::attach() noexcept {
  if (has_left_sequences()) return kMaxCpus;
  auto* area = static_cast<RseqArea*>(platform::rseq_area());
  if (area == nullptr) return kMaxCpus;
  // libc writes a negative number if the kernel refused to serve this thread.
  const std::uint32_t cpu = *const_cast<volatile std::uint32_t*>(&area->cpu_id);
  if (cpu >= kMaxCpus) return kMaxCpus;
  thread_area = area;
  return cpu;
}

bool SequencedSlabs::attach_thread() noexcept {
  const std::uint32_t cpu = attach();
  if (cpu == kMaxCpus) return false;
  install(cpu);
  return true;
}

void SequencedSlabs::install(std::uint32_t cpu) noexcept {
  if (!records_->are_placed()) return;
  SlabDistance distance = slabs_[cpu].load(std::memory_order_relaxed);
  if (distance == 0) distance = map(cpu);
  if (distance == 0) return;
  const std::uintptr_t slab = empty_slab_address() + distance;
  SlabHead& head = head_of(slab);
  if (head.open.load(std::memory_order_relaxed) || head.claimed.exchange(true)) return;
  open_slab(slab);
  installed_.fetch_add(1, std::memory_order_relaxed);
  visible_.show(cpu, distance);
}

// Maps a slab for the CPU. Returns its distance, or that of the slab that another thread has made
// meanwhile, or 0.
SlabDistance SequencedSlabs::map(std::uint32_t cpu) noexcept {
  if (slab_refused_.stands()) return 0;
  std::uintptr_t slab = spare_.exchange(0);
  if (slab == 0) slab = reinterpret_cast<std::uintptr_t>(platform::map(kSlabLayout.bytes));
  if (slab == 0 || !records_->place(slab, cpu, true)) {
    if (slab != 0)
      platform::unreserve(reinterpret_cast<void*>(slab + kNotesAt), kSlabLayout.bytes - kNotesAt);
    slab_refused_.note();
    return 0;
  }
  SlabDistance none = 0;
  if (!slabs_[cpu].compare_exchange_strong(none, slab - empty_slab_address())) {
    platform::unreserve(reinterpret_cast<void*>(slab), kSlabLayout.bytes);
    return none;
  }
  std::uint32_t seen = cpus_seen_.load();
  while (seen <= cpu && !cpus_seen_.compare_exchange_weak(seen, cpu + 1)) {
  }
  return slab - empty_slab_address();
}

std::uintptr_t SequencedSlabs::here() const noexcept {
  const std::uint32_t cpu = *const_cast<volatile std::uint32_t*>(&thread_area->cpu_id);
  if (cpu >= kMaxCpus) return 0;
  const SlabDistance distance = visible_.at(cpu);
  return distance == 0 ? 0 : empty_slab_address() + distance;
}

// The thread that was opening a slab is not in a forked child.
void SequencedSlabs::let_open_again() noexcept {
  const std::uint32_t cpus = count();
  for (std::uint32_t cpu = 0; cpu < cpus; ++cpu) {
    const std::uintptr_t slab = mapped(cpu);
    if (slab != 0 && !head_of(slab).open.load()) head_of(slab).claimed.store(false);
  }
}

void SequencedSlabs::show_all() noexcept {
  const std::uint32_t cpus = count();
  for (std::uint32_t cpu = 0; cpu < cpus; ++cpu) {
    const std::uintptr_t slab = mapped(cpu);
    if (slab != 0 && head_of(slab).open.load()) visible_.show(cpu, slab - empty_slab_address());
  }
}

// Waits a little for a thread that drains the slab. It cannot wait for long: a signal handler that
// forks may have interrupted that thread.
bool SequencedSlabs::hide(std::uint32_t cpu) noexcept {
  for (std::uint32_t spins = 0; spins < policy::kSpinsForDrain; ++spins) {
    if (visible_.hide(cpu)) return true;
    platform::relax();
  }
  return false;
}

bool SequencedSlabs::hide_for_fork(StackCopies& copies) noexcept {
  const std::uint32_t cpus = count();
  for (std::uint32_t cpu = 0; cpu < cpus; ++cpu) {
    const std::uintptr_t slab = mapped(cpu);
    if (slab != 0 && is_used(slab) && copies.has_room(cpu)) copies.choose(cpu, hide(cpu));
  }
  if (platform::restart_all_sequences()) return true;
  show_after_fork(copies);
  return false;
}

// In a child that a signal handler forked meanwhile the slabs are its parent's.
void SequencedSlabs::show_after_fork(const StackCopies& copies) noexcept {
  if (!records_->are_placed()) return;
  const std::uint32_t cpus = count();
  for (std::uint32_t cpu = 0; cpu < cpus; ++cpu) {
    const std::uintptr_t slab = mapped(cpu);
    if (slab != 0 && copies.has(cpu)) visible_.show(cpu, slab - empty_slab_address());
  }
}

PoolMode CpuSlabs::open(PoolMode wanted) noexcept {
  sharing_.open(this);
  records_.open(sequenced_.visible().placed());
  if (wanted != PoolMode::kLocked && sequenced_.open(&records_)) {
    platform::prepare_restarts();
    expected_ = platform::usable_cpus();
    return mode_ = PoolMode::kRseq;
  }
  detach_thread();
  if (!shards_.open(&sequenced_.visible().of(0))) return PoolMode::kPassThrough;
  expected_ = shards_.count();
  return mode_ = PoolMode::kLocked;
}

}  // namespace bufpool
