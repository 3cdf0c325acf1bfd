// SPDX-License-Identifier: MIT
// Holds the slabs of a cache, and knows who has which: one for each CPU, reached by restartable
// sequences, or one for each shard behind locks.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/percpu/locked_shards.h"
#include "pool/percpu/rseq_abi.h"
#include "pool/percpu/slab.h"
#include "pool/sync/refusal.h"
#include "pool/telemetry/snapshot.h"

// This includes the restartable sequences of this architecture.
#if defined(__x86_64__)
#include "pool/percpu/rseq_x86_64.h"
#else
#include "pool/percpu/rseq_none.h"
#endif

namespace bufpool {

// Takes a CPU's slab out of the sequences' sight, so that this thread has it for itself. The
// constructor swings the CPU's visible slab to the empty one and has membarrier abort every
// sequence that runs there. The destructor swings it back. It is false if another thread has the
// slab, the CPU has none, or the kernel refuses membarrier. Then nothing can be done with it. No
// lock is held meanwhile.
class [[nodiscard]] OwnedSlab {
 public:
  // Takes the slab. `visible` is the CPU's entry among the visible slabs, and `distance` is that of
  // its slab.
  OwnedSlab(SlabDistance& visible, SlabDistance distance, std::uint32_t cpu) noexcept;
  ~OwnedSlab();
  OwnedSlab(const OwnedSlab&) = delete;
  OwnedSlab& operator=(const OwnedSlab&) = delete;

  explicit operator bool() const noexcept { return owned_; }

  // Takes a block off the class's stack without counting a hit. Returns kNoBlock if the stack is
  // empty. Pre: the owned slab is true.
  Block pop(ClassIndex c) const noexcept {
    return pop_owned(stack_of(empty_slab_address() + distance_, c));
  }

 private:
  SlabDistance& visible_;
  SlabDistance distance_;
  bool swung_;
  bool owned_;
};

// Holds the slab of each CPU, which restartable sequences reach.
//
// This is the contract for slabs: CpuSlabs::with() gives a caller either these or LockedShards. The
// functions that both have are attach_thread(), here(), pop(), push(), count(), slab(), read() and
// begin_drain(). They do the same in both, by a CPU's number here and by a shard's number there.
// Only attach_thread() differs: a thread without sequences still has a shard, so it returns nothing
// there.
class SequencedSlabs {
 public:
  // Returns the distances that sequences read, kMaxCpus + 1 of them.
  const SlabDistance* visible() const noexcept { return visible_slabs_.data(); }

  // Attaches this thread to its area, and makes a slab for the CPU it runs on. Returns false if the
  // thread has to do without sequences: it is in vfork, or the kernel does not serve it. It takes
  // no lock, and a signal handler may call it.
  bool attach_thread() noexcept;

  // Makes the slab of a CPU that has none yet. Does nothing for a while after the system has
  // refused the memory. Pre: cpu < kMaxCpus.
  void install(std::uint32_t cpu) noexcept;

  // Returns the slab of the CPU that this thread runs on, or 0 if it has none. The thread may be on
  // another CPU a moment later, and the caller must allow for that.
  std::uintptr_t here() const noexcept;

  // Pops or pushes on this CPU's stack of the class, twice at most, as a sequence that was aborted
  // looks like one that found nothing. The results are those of rseq_pop() and rseq_push().
  template <std::int64_t step>
  [[gnu::noinline]] Block pop(ClassIndex c, std::uint64_t asked) noexcept {
    const std::uintptr_t stack = empty_stack_address(c);
    const Block block = rseq_pop<step>(thread_area, visible(), stack, asked);
    return block != kNoBlock ? block : rseq_pop<step>(thread_area, visible(), stack, asked);
  }
  [[gnu::noinline]] bool push(ClassIndex c, Block block) noexcept {
    const std::uintptr_t stack = empty_stack_address(c);
    return rseq_push(thread_area, visible(), stack, block) ||
           rseq_push(thread_area, visible(), stack, block);
  }

  // Returns one more than the number of the highest CPU with a slab.
  std::uint32_t count() const noexcept { return cpus_seen_.load(std::memory_order_acquire); }
  // Returns how many CPUs have a slab.
  std::uint32_t installed() const noexcept { return installed_.load(std::memory_order_relaxed); }
  // Returns the slab of a CPU, visible or not, or 0 if it has none. Pre: cpu < kMaxCpus.
  std::uintptr_t slab(std::uint32_t cpu) const noexcept {
    const SlabDistance distance = slabs_[cpu].load(std::memory_order_relaxed);
    return distance == 0 ? 0 : empty_slab_address() + distance;
  }

  // Returns what look(slab) returns. Sequences go on meanwhile. Pre: the CPU has a slab.
  template <typename Look>
  auto read(std::uint32_t cpu, Look look) noexcept {
    return look(slab(cpu));
  }

  // Takes the slab of a CPU from its sequences. Pre: the CPU has a slab.
  OwnedSlab begin_drain(std::uint32_t cpu) noexcept {
    return {visible_slabs_[cpu], slabs_[cpu].load(std::memory_order_relaxed), cpu};
  }

  // Makes a slab visible again in the forked child that another thread of the parent had for
  // itself. It writes only what differs, as each page that is written is one to copy.
  void repair_in_child() noexcept;

 private:
  std::atomic<std::uint32_t> cpus_seen_{0};
  std::atomic<std::uint32_t> installed_{0};
  Refusal slab_refused_;
  // Sequences see the first. The second say where the slabs are. They differ while a slab has an
  // owner.
  alignas(64) std::array<SlabDistance, kMaxCpus + 1> visible_slabs_{};
  std::array<std::atomic<SlabDistance>, kMaxCpus> slabs_{};
};

// Chooses once between sequences and locks, and leads all slow paths to the one in force. Any
// thread may call anything but open() at any time.
class CpuSlabs {
 public:
  // Opens the slabs and returns the mode in force: `wanted`, kLocked if sequences do not work, or
  // kPassThrough if there is no memory for shards either. Pre: it is called once, while no other
  // thread uses the slabs.
  PoolMode open(PoolMode wanted) noexcept;

  // Returns the distances that the hit path's sequences read. The hit path needs no branch on the
  // mode: in locked mode each thread's area names the CPU kMaxCpus, whose distance is 0 for good,
  // so that every sequence finds the empty slab and misses. The distance of another CPU may lead to
  // a slab, if sequences were tested at the start and did not work.
  [[gnu::always_inline]] const SlabDistance* visible() const noexcept {
    return sequenced_.visible();
  }

  // Returns what act(slabs) returns, for the LockedShards or the SequencedSlabs in force. This is
  // the only place that looks at the mode.
  template <typename Act>
  [[gnu::always_inline]] auto with(Act act) noexcept {
    return mode_ == PoolMode::kLocked ? act(shards_) : act(sequenced_);
  }

  // Returns the slab of this thread's CPU or shard, or 0 if there is none. See
  // SequencedSlabs::here().
  std::uintptr_t here() noexcept {
    return with([](auto& slabs) { return slabs.here(); });
  }
  // Takes a block off this CPU's or shard's stack without counting a hit. Returns kNoBlock if there
  // is none.
  Block pop_uncounted(ClassIndex c) noexcept {
    return with([c](auto& slabs) { return slabs.template pop<kUncountedPop>(c, 0); });
  }
  // Puts a block on this CPU's or shard's stack. Returns false if it is at its limit.
  bool push(ClassIndex c, Block block) noexcept {
    return with([c, block](auto& slabs) { return slabs.push(c, block); });
  }

  // Calls visit(slabs, number) for every slab there is, where `slabs` has the slab as slab(number).
  template <typename Visit>
  void for_each(Visit visit) noexcept {
    with([&visit](auto& slabs) {
      const std::uint32_t count = slabs.count();
      for (std::uint32_t number = 0; number < count; ++number) {
        if (slabs.slab(number) != 0) visit(slabs, number);
      }
    });
  }

  // Does what SequencedSlabs::install() does.
  void install(std::uint32_t cpu) noexcept { sequenced_.install(cpu); }
  // Return how many CPUs have a slab by now, and how many slabs there will be as far as is known at
  // the start.
  std::uint32_t installed() const noexcept { return sequenced_.installed(); }
  std::uint32_t expected() const noexcept { return expected_; }

  // Wait for the owners of the shards' locks before a fork, and repair the slabs in the child, see
  // OwnerLock.
  void await_owners() noexcept { shards_.await_owners(); }
  void repair_in_child() noexcept;

 private:
  PoolMode mode_ = PoolMode::kPassThrough;
  std::uint32_t expected_ = 0;
  SequencedSlabs sequenced_;
  LockedShards shards_;
};

}  // namespace bufpool
