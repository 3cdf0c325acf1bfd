// SPDX-License-Identifier: MIT
// The slabs of a cache, and who has which: one for each CPU, reached by restartable sequences, or
// one for each shard behind locks.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/percpu/locked_shards.h"
#include "pool/percpu/rseq_abi.h"
#include "pool/percpu/slab.h"
#include "pool/platform/memory.h"
#include "pool/platform/shared_memory.h"
#include "pool/sync/refusal.h"
#include "pool/telemetry/snapshot.h"
#include "pool/telemetry/stats_page_writer.h"

// The restartable sequences of this architecture.
#if defined(__x86_64__)
#include "pool/percpu/rseq_x86_64.h"
#else
#include "pool/percpu/rseq_none.h"
#endif

namespace bufpool {

class CpuSlabs;

// A CPU's slab that is out of the sequences' sight, so that this thread has it for itself. The
// constructor swings the CPU's visible slab to the empty one and has membarrier abort every
// sequence that runs there. The destructor swings it back. It is false if another thread has the
// slab, the CPU has none, or the kernel refuses membarrier; then there is nothing to be done with
// it. No lock is held meanwhile.
class [[nodiscard]] OwnedSlab {
 public:
  // `visible` is the CPU's entry among the visible slabs, `distance` that of its slab.
  OwnedSlab(SlabDistance& visible, SlabDistance distance, std::uint32_t cpu) noexcept;
  ~OwnedSlab();
  OwnedSlab(const OwnedSlab&) = delete;
  OwnedSlab& operator=(const OwnedSlab&) = delete;

  explicit operator bool() const noexcept { return owned_; }

  // Takes a block off the class's stack without counting a hit. Returns 0 if the stack is empty.
  // Pre: the owned slab is true.
  Block pop(ClassIndex c) const noexcept {
    return pop_owned(stack_of(empty_slab_address() + distance_, c));
  }

 private:
  SlabDistance& visible_;
  SlabDistance distance_;
  bool swung_;
  bool owned_;
};

// The distances of the slabs that sequences see, which differ from where a slab is while it has an
// owner. They stand in whole pages, which the kernel may wipe in a forked child. Any thread may
// call anything at any time.
class VisibleSlabs {
 public:
  // The distances by the CPU's number, kMaxCpus + 1 of them.
  const SlabDistance* distances() const noexcept { return wiped_.distances.data(); }
  SlabDistance& of(std::uint32_t cpu) noexcept { return wiped_.distances[cpu]; }

  // Lets sequences see the slab of a CPU. It writes only what differs, as each page that is written
  // after a fork is one to copy.
  void show(std::uint32_t cpu, SlabDistance distance) noexcept {
    std::atomic_ref visible(wiped_.distances[cpu]);
    if (visible.load(std::memory_order_relaxed) == distance) return;
    visible.store(distance, std::memory_order_release);
  }

  // From now on every forked child finds no slab visible, and 0 in stats_word(), however it was
  // forked. So all sequences miss in it until the slabs are shown. Returns false if the kernel
  // cannot.
  [[nodiscard]] bool forget_in_children() noexcept {
    return platform::wipe_on_fork(&wiped_, sizeof wiped_);
  }
  StatsWord* stats_word() noexcept { return &wiped_.stats_word; }

 private:
  // The distances begin on the second line of their page. On its first line they cost up to twice
  // the time of a hit: a load waits for the store before it whose address has the same low 12 bits,
  // and many a block begins a page, as its mark does.
  struct alignas(platform::kPageBytes) Wiped {
    StatsWord stats_word{};
    alignas(64) std::array<SlabDistance, kMaxCpus + 1> distances{};
  };

  Wiped wiped_;
};

// The slab of each CPU, reached by restartable sequences.
//
// This is the contract for slabs: CpuSlabs::with() gives a caller either these or LockedShards. The
// functions that both have are attach_thread(), here(), pop(), push(), count(), slab(), read() and
// begin_drain(). They do the same in both, by a CPU's number here and by a shard's number there.
// Only attach_thread() differs: a thread without sequences still has a shard, so it returns nothing
// there.
class SequencedSlabs {
 public:
  // What sequences see.
  VisibleSlabs& visible() noexcept { return visible_; }
  const VisibleSlabs& visible() const noexcept { return visible_; }

  // Attaches this thread to its area, and makes a slab for the CPU it runs on. Returns false if the
  // thread has to do without sequences: it is in vfork, or the kernel does not serve it. Takes no
  // lock; a signal handler may call it.
  bool attach_thread() noexcept;

  // Makes the slab of a CPU that has none yet. Does nothing for a while after the system has
  // refused the memory. Pre: cpu < kMaxCpus.
  void install(std::uint32_t cpu) noexcept;

  // The slab of the CPU that this thread runs on; 0 if it has none. The thread may be on another
  // CPU a moment later: the caller must bear that.
  std::uintptr_t here() const noexcept;

  // Pops or pushes on this CPU's stack of the class, twice at most, as a sequence that was aborted
  // looks like one that found nothing. The results are those of rseq_pop() and rseq_push().
  // The second parameter of the first is for a counted pop.
  template <std::int64_t step>
  [[gnu::noinline]] Block pop(ClassIndex c, std::uint64_t asked) noexcept {
    const auto sequence = [this, stack = empty_stack_address(c), asked] {
      if constexpr (step == kCountedPop) {
        return rseq_pop(thread_area, visible_.distances(), stack, asked);
      } else {
        return rseq_pop_uncounted(thread_area, visible_.distances(), stack);
      }
    };
    const Block block = sequence();
    return block != 0 ? block : sequence();
  }
  template <std::int64_t moved>
  [[gnu::noinline]] bool push(ClassIndex c, Block block) noexcept {
    const auto sequence = [this, stack = empty_stack_address(c), block] {
      if constexpr (moved == kCountedPush) {
        return rseq_push(thread_area, visible_.distances(), stack, block);
      } else {
        return rseq_push_uncounted(thread_area, visible_.distances(), stack, block);
      }
    };
    const bool pushed = sequence();
    return pushed || sequence();
  }

  // One more than the highest CPU with a slab.
  std::uint32_t count() const noexcept { return cpus_seen_.load(std::memory_order_acquire); }
  // How many CPUs have a slab.
  std::uint32_t installed() const noexcept { return installed_.load(std::memory_order_relaxed); }
  // The slab of a CPU, visible or not; 0 if it has none. Pre: cpu < kMaxCpus.
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
    return {visible_.of(cpu), slabs_[cpu].load(std::memory_order_relaxed), cpu};
  }

  // Makes all slabs visible. Pre: no other thread has one of them for itself.
  void show_all() noexcept;

 private:
  std::atomic<std::uint32_t> cpus_seen_{0};
  std::atomic<std::uint32_t> installed_{0};
  Refusal slab_refused_;
  VisibleSlabs visible_;
  std::array<std::atomic<SlabDistance>, kMaxCpus> slabs_{};
};

// Decides where stacks tell what they do: on the statistics page, or in their slab where there is
// none. Any thread may call anything but open() at any time.
class StackWords {
 public:
  // Pre: both outlive this; `stats` is not open yet. Without this call there is no page.
  void open(CpuSlabs* slabs, StatsPageWriter* stats) noexcept;

  // False: it is not decided yet, or not in this forked child. No stack may be used meanwhile.
  [[nodiscard]] bool are_settled() const noexcept {
    return stats_ == nullptr || stats_->is_settled();
  }
  // Gives the class's stack in a slab its words, with its first limit. False: not settled yet.
  [[nodiscard]] bool give(std::uintptr_t slab, ClassIndex c) noexcept;

  // Before a page is made: it must be safe from forked children. False: there must be none.
  [[nodiscard]] bool prepare() noexcept;
  // Whether prepare() returned true: a forked child sees no stack before show_stacks().
  [[nodiscard]] bool are_hidden_in_children() const noexcept { return hidden_; }
  // How many shards a page is to have.
  [[nodiscard]] std::uint32_t shards() const noexcept;

  // In a forked child whose page, or what is in its place, is new: tells again what stacks hold.
  // Pre: no thread of this process has used a stack yet.
  void tell_again() noexcept;
  // The same where the parent's page could not be replaced: stacks tell in their slabs from now on.
  void leave_page() noexcept;
  // Then, once it is settled: stacks may be used.
  void show_stacks() noexcept;

 private:
  template <typename Visit>
  void for_each_used_stack(Visit visit) noexcept;

  CpuSlabs* slabs_ = nullptr;
  StatsPageWriter* stats_ = nullptr;
  bool hidden_ = false;
};

// Chooses between the two once, and leads all slow paths to the one in force. Any thread may call
// anything but open() at any time.
class CpuSlabs {
 public:
  // Returns the mode in force: `wanted`, kLocked if sequences do not work, or kPassThrough if there
  // is no memory for shards either. Pre: called once, while no other thread uses the slabs.
  PoolMode open(PoolMode wanted) noexcept;

  // The distances that the hit path's sequences read. The hit path needs no branch on the mode: in
  // locked mode each thread's area names the CPU kMaxCpus, whose distance is 0 for good, so that
  // every sequence finds the empty slab and misses. The distance of another CPU may lead to a slab,
  // if sequences were tested at the start and did not work.
  [[gnu::always_inline]] const SlabDistance* visible() const noexcept {
    return sequenced_.visible().distances();
  }

  // Returns what act(slabs) returns, for the LockedShards or the SequencedSlabs in force. This is
  // the only place that looks at the mode.
  template <typename Act>
  [[gnu::always_inline]] auto with(Act act) noexcept {
    return mode_ == PoolMode::kLocked ? act(shards_) : act(sequenced_);
  }

  // The slab of this thread's CPU or shard; 0 if there is none. See SequencedSlabs::here().
  std::uintptr_t here() noexcept {
    return with([](auto& slabs) { return slabs.here(); });
  }
  // Takes a block off this CPU's or shard's stack without counting a hit; 0 if there is none.
  Block pop_uncounted(ClassIndex c) noexcept {
    return with([c](auto& slabs) { return slabs.template pop<kUncountedPop>(c, 0); });
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

  // See SequencedSlabs::install().
  void install(std::uint32_t cpu) noexcept { sequenced_.install(cpu); }
  // Where the stacks tell what they do.
  StackWords& words() noexcept { return words_; }
  // How many CPUs have a slab by now; how many slabs there will be as far as is known at the start.
  std::uint32_t installed() const noexcept { return sequenced_.installed(); }
  std::uint32_t expected() const noexcept { return expected_; }

  // Around a fork, see OwnerLock. In the child, a slab that another thread of the parent had for
  // itself is visible again, unless StackWords hides all in children.
  void await_owners() noexcept { shards_.await_owners(); }
  void repair_in_child() noexcept;

 private:
  friend class StackWords;

  PoolMode mode_ = PoolMode::kPassThrough;
  std::uint32_t expected_ = 0;
  StackWords words_;
  SequencedSlabs sequenced_;
  LockedShards shards_;
};

}  // namespace bufpool
