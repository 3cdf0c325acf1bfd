// SPDX-License-Identifier: MIT
// Decides how much the caches may hold. It has the budget of a CPU, the limits of stacks within it,
// and draining, which takes both limits and blocks back.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "pool/options/policy.h"
#include "pool/percpu/cpu_slabs.h"
#include "pool/slabs/slab.h"
#include "pool/spans/shared_spans.h"

namespace bufpool {

// Tells how many idle bytes one CPU's cache may hold: a figure of the user's, or the CPU's part of
// what all caches may hold together. Any thread may call anything but open() at any time.
class CacheBudget {
 public:
  // Sets the budget. `fixed` is the bytes of each cache; 0 means its part of what is shared out.
  // `expected` is the number of caches that there will be.
  void open(std::uint64_t fixed, std::uint32_t expected) noexcept {
    fixed_ = fixed;
    expected_ = expected;
  }

  // Lets all caches together hold `bytes` from now on.
  void share_out(std::uint64_t bytes) noexcept {
    shared_.store(std::max<std::uint64_t>(bytes, 1), std::memory_order_relaxed);
  }

  // Returns the bytes of each cache where `caches` are in use. A process may come to run on more
  // CPUs than it could at first, so the result may become less at any time.
  std::uint64_t bytes(std::uint32_t caches) const noexcept {
    if (fixed_ != 0) return fixed_;
    const std::uint64_t parts = std::max({expected_, caches, std::uint32_t{1}});
    const std::uint64_t shared = shared_.load(std::memory_order_relaxed);
    const std::uint64_t part = (shared != 0 ? shared : policy::kRetainMostByDefault) / parts;
    return std::max(part - part % policy::kCpuCacheUnit, policy::kCpuCacheLeast);
  }

 private:
  std::uint64_t fixed_ = 0;
  std::uint32_t expected_ = 0;
  std::atomic<std::uint64_t> shared_{0};  // 0 until it is known
};

// Sets the limit of each stack, within the budget of its CPU. Any thread may call anything but
// open() at any time, for any slab. Nothing here makes a system
// call, but to wait for the lock of a class.
class CacheCapacity {
 public:
  // Connects the parts. `cpu_budget` is the most bytes of each CPU's cache; 0 means its part of
  // what share_out() says. Pre: it is called once; `slabs` is open; both outlive this; `spans` has
  // kClassSlots elements.
  void open(CpuSlabs* slabs, SharedSpans* spans, std::uint64_t cpu_budget) noexcept;

  // Lets all caches together hold `bytes`, if they have no figure of their own. The next
  // CacheDrainer::drain_quiet() takes away what they hold beyond that.
  void share_out(std::uint64_t bytes) noexcept { budget_.share_out(bytes); }

  // Returns the most bytes of each CPU's cache, as it is in force.
  std::uint64_t cpu_budget() const noexcept {
    return budget_.bytes(slabs_ == nullptr ? 0 : slabs_->installed());
  }

  // Notes that the class's stack has run empty or full. Raises its limit if that is 0, or if the
  // stack ran full last and now runs empty, or the other way round. Returns whether it had been
  // drained. If the CPU's budget is spent, classes that lie idle lose their limits and their
  // blocks, for which their spans' locks are taken. Nothing happens if the budget is spent all the
  // same.
  bool move_limit(std::uintptr_t slab, ClassIndex c, StackEvent event) noexcept;

  // Sets the limit of the class's stack to 0, and gives its bytes back to the CPU's budget. The
  // blocks stay. It takes no lock.
  void give_back_limit(std::uintptr_t slab, ClassIndex c) noexcept;

  // Keeps a forked child for a while from emptying a stack in favour of another. To move blocks
  // would copy pages for a process that may live no longer than to its exec.
  void spare_stacks_in_child() noexcept;

 private:
  void raise_limit(std::uintptr_t slab, ClassIndex c, std::uint32_t step) noexcept;
  bool spares_stacks() noexcept;
  bool grant(std::uintptr_t slab, ClassIndex c, std::uint64_t bytes) noexcept;
  void take_from_idle(std::uintptr_t slab, ClassIndex except, std::uint64_t most) noexcept;

  CpuSlabs* slabs_ = nullptr;
  SharedSpans* spans_ = nullptr;
  CacheBudget budget_;
};

// Drains the stacks of all CPUs, of which there are none before open(): their limits go back to the
// CPUs' budgets, and their blocks to the spans, under the spans' locks. Any thread that holds no
// lock may call it. Draining a CPU makes system calls (membarrier).
class CacheDrainer {
 public:
  // Connects the parts. Pre: it is called once; all three are open and outlive this.
  void open(CpuSlabs* slabs, SharedSpans* spans, CacheCapacity* capacity) noexcept;

  // Drains every stack. Returns how many CPUs or shards had any.
  std::uint32_t drain_all() noexcept;

  // Drains the stacks that nothing was pushed to or popped from for `quiet_ms`, and all stacks of a
  // CPU whose budget became less than it has granted. `now_ms` is the time on the clock of
  // platform::now_ms(). Returns how many CPUs or shards had any.
  std::uint32_t drain_quiet(std::uint32_t now_ms, std::uint32_t quiet_ms) noexcept;

 private:
  template <typename Which>
  std::uint32_t drain_where(Which which) noexcept;

  CpuSlabs* slabs_ = nullptr;
  SharedSpans* spans_ = nullptr;
  CacheCapacity* capacity_ = nullptr;
};

}  // namespace bufpool
