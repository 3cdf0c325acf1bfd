// SPDX-License-Identifier: MIT
// Holds the slabs of a cache, and knows who has which: one for each CPU, reached by restartable
// sequences, or one for each shard behind locks.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/percpu/locked_shards.h"
#include "pool/slabs/rseq_abi.h"
#include "pool/slabs/slab.h"
#include "pool/slabs/slab_records.h"
#include "pool/slabs/visible_slabs.h"
#include "pool/sync/refusal.h"
#include "pool/telemetry/snapshot.h"

// This includes the restartable sequences of this architecture.
#if defined(__x86_64__)
#include "pool/percpu/rseq_x86_64.h"
#else
#include "pool/percpu/rseq_none.h"
#endif

namespace bufpool {

class CpuSlabs;
class SlabSharing;

// Takes a CPU's slab out of the sequences' sight, so that this thread has it for itself. The
// constructor swings the CPU's visible slab to the empty one and has membarrier abort every
// sequence that runs there. The destructor swings it back. It is false if another thread has the
// slab, the CPU has none, or the kernel refuses membarrier. Then nothing can be done with it. No
// lock is held meanwhile.
class [[nodiscard]] OwnedSlab {
 public:
  // Takes the slab. `visible` is the CPU's entry among the visible slabs, and `distance` is that of
  // its slab. `records` outlives this.
  OwnedSlab(SlabDistance& visible, SlabDistance distance, std::uint32_t cpu,
            const SlabRecords& records) noexcept;
  ~OwnedSlab();
  OwnedSlab(const OwnedSlab&) = delete;
  OwnedSlab& operator=(const OwnedSlab&) = delete;

  explicit operator bool() const noexcept { return owned_; }

  // Takes a block off the class's stack without counting a hit. Returns kNoBlock if the stack is
  // empty, and in a child that a signal handler forked meanwhile: the slab is its parent's. Pre:
  // the owned slab is true.
  Block pop(ClassIndex c) const noexcept {
    if (!records_.are_placed()) return kNoBlock;
    return pop_owned(stack_of(empty_slab_address() + distance_, c));
  }

 private:
  const SlabRecords& records_;
  SlabDistance& visible_;
  SlabDistance distance_;
  bool swung_;
  bool owned_;
};

// Holds the slab of each CPU, which restartable sequences reach.
//
// This is the contract for slabs: CpuSlabs::with() gives a caller either these or LockedShards. The
// functions that both have are attach_thread(), here(), pop(), push(), count(), slab(), read() and
// begin_drain(), and for SlabSharing mapped(), give_up(), hide_for_fork() and show_after_fork().
// They do the same in both, by a CPU's number here and by a shard's number there. Only
// attach_thread() differs: a thread without sequences still has a shard, so it returns nothing
// there.
class SequencedSlabs {
 public:
  // Returns what sequences see.
  VisibleSlabs& visible() noexcept { return visible_; }
  const VisibleSlabs& visible() const noexcept { return visible_; }

  // Attaches this thread to its area, and makes a slab for the CPU it runs on. Returns false if the
  // thread has to do without sequences: it is in vfork, or the kernel does not serve it. It takes
  // no lock, and a signal handler may call it.
  bool attach_thread() noexcept;

  // Makes the slab of a CPU that has none yet, and shows it to sequences. Does nothing for a while
  // after the system has refused the memory, and before records are placed. Pre: cpu < kMaxCpus.
  void install(std::uint32_t cpu) noexcept;

  // Returns the slab of the CPU that this thread runs on, or 0 if sequences see none there. The
  // thread may be on another CPU a moment later, and the caller must allow for that.
  std::uintptr_t here() const noexcept;

  // Pops or pushes on this CPU's stack of the class, twice at most, as a sequence that was aborted
  // looks like one that found nothing. The results are those of rseq_pop() and rseq_push(). `step`
  // is kCountedPop or kUncountedPop, and `moved` is kCountedPush or kUncountedPush.
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
    return block != kNoBlock ? block : sequence();
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

  // Returns one more than the number of the highest CPU with a slab.
  std::uint32_t count() const noexcept { return cpus_seen_.load(std::memory_order_acquire); }
  // Returns how many CPUs have a slab that sequences saw once.
  std::uint32_t installed() const noexcept { return installed_.load(std::memory_order_relaxed); }
  // Returns the slab of a CPU, visible or not, or 0 if it has none, or none that may be used. Pre:
  // cpu < kMaxCpus.
  std::uintptr_t slab(std::uint32_t cpu) const noexcept {
    return records_->are_placed() ? mapped(cpu) : 0;
  }
  // Returns what look(slab) returns. Sequences go on meanwhile. Pre: the CPU has a slab.
  template <typename Look>
  auto read(std::uint32_t cpu, Look look) noexcept {
    return look(slab(cpu));
  }

  // Takes the slab of a CPU from its sequences. Pre: the CPU has a slab.
  OwnedSlab begin_drain(std::uint32_t cpu) noexcept {
    return {visible_.of(cpu), slabs_[cpu].load(std::memory_order_relaxed), cpu, *records_};
  }

 private:
  friend class CpuSlabs;
  friend class SlabSharing;

  // Connects the records, and tests whether sequences work: the kernel serves this thread, and a
  // sequence pops the block that another has pushed. Pre: it is called once, first, while no other
  // thread uses the slabs; `records` outlives this.
  [[nodiscard]] bool open(SlabRecords* records) noexcept;

  // Maps the slab of a CPU that has none yet, for install() to make no system call later. Pre:
  // records are placed; cpu < kMaxCpus.
  void prepare(std::uint32_t cpu) noexcept {
    if (slabs_[cpu].load(std::memory_order_relaxed) == 0) map(cpu);
  }

  // Does what slab() does, before records are placed, too.
  std::uintptr_t mapped(std::uint32_t cpu) const noexcept {
    const SlabDistance distance = slabs_[cpu].load(std::memory_order_relaxed);
    return distance == 0 ? 0 : empty_slab_address() + distance;
  }
  // Forgets the slab of a CPU. Pre: nobody uses it.
  void give_up(std::uint32_t cpu) noexcept { slabs_[cpu].store(0, std::memory_order_relaxed); }

  // Takes all slabs out of the sequences' sight until show_after_fork(), and chooses them to be
  // copied. One that has an owner for long is not. Returns false if the kernel refuses membarrier;
  // then all is as it was.
  [[nodiscard]] bool hide_for_fork(StackCopies& copies) noexcept;
  void show_after_fork(const StackCopies& copies) noexcept;

  // Lets slabs be opened that a thread of the parent was opening. Pre: this is a forked child.
  void let_open_again() noexcept;
  // Makes all slabs visible that are open. Pre: no other thread has one of them for itself.
  void show_all() noexcept;

  std::uint32_t attach() noexcept;
  SlabDistance map(std::uint32_t cpu) noexcept;
  bool hide(std::uint32_t cpu) noexcept;

  SlabRecords* records_ = nullptr;
  std::atomic<std::uint32_t> cpus_seen_{0};
  std::atomic<std::uint32_t> installed_{0};
  std::atomic<std::uintptr_t> spare_{0};  // the slab of the test, for the first CPU
  Refusal slab_refused_;
  VisibleSlabs visible_;
  std::array<std::atomic<SlabDistance>, kMaxCpus> slabs_{};
};

// Shares the records of all slabs with readers of the statistics page, and not with forked
// children, see SlabRecords. The caller of a function holds no lock.
class SlabSharing {
 public:
  // Connects the slabs. Pre: it is called once; `slabs` outlives this.
  void open(CpuSlabs* slabs) noexcept { slabs_ = slabs; }

  // Does what SequencedSlabs::prepare() does, for all CPUs that this thread may run on.
  void prepare_all() noexcept;
  // Returns how many slabs there may ever be.
  std::uint32_t most() noexcept;

  // Connects the statistics page, see SlabRecords::tell(). Pre: it is called once, after open(),
  // and no other thread uses the slabs yet.
  void tell(StatsPageWriter* stats) noexcept;
  // Keeps forked children from all slabs. Returns false if the kernel cannot, and in a child of
  // a process that did so: then there must be no statistics page. Pre: no page was made yet.
  [[nodiscard]] bool hide_in_children() noexcept;
  // Places the records of all slabs, before a page is settled. `in_child` says that another process
  // placed them before. Pre: no thread uses a slab.
  void place_records(bool in_child) noexcept;
  // Makes the stacks' counts of moved blocks add up to `moved`. Pre: as for place_records().
  void balance_moved(ClassIndex c, std::uint64_t moved) noexcept;
  // Returns SlabRecords::is_in_interrupted_fork().
  bool is_in_interrupted_fork() const noexcept;
  // Says that records are placed, and shows all slabs.
  void note_placed() noexcept;

  // Stills the slabs before a fork, after OwnerLock::begin_fork(), and copies their records for the
  // child. Requests of other threads miss until it has ended.
  void before_fork() noexcept;
  void after_fork_in_parent() noexcept;
  // Repairs the slabs in the child, see OwnerLock. A slab that another thread of the parent had for
  // itself is visible again, if not all are hidden.
  void repair_in_child() noexcept;

 private:
  CpuSlabs* slabs_ = nullptr;
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
  // so that every sequence finds the empty slab and misses. The other distances are the shards'.
  [[gnu::always_inline]] const SlabDistance* visible() const noexcept {
    return sequenced_.visible().distances();
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
  // Puts a block on this CPU's or shard's stack. Returns false if it is at its limit. `moved` is
  // kCountedPush or kUncountedPush.
  template <std::int64_t moved>
  bool push(ClassIndex c, Block block) noexcept {
    return with([c, block](auto& slabs) { return slabs.template push<moved>(c, block); });
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
  // Returns what shares the slabs with readers of the statistics page, and not with forked
  // children.
  SlabSharing& sharing() noexcept { return sharing_; }

 private:
  friend class CountedSlabs;
  friend class SlabSharing;

  // Calls visit(slabs, number, slab) for every slab, whether its records are placed or not.
  template <typename Visit>
  void for_each_mapped(Visit visit) noexcept {
    with([&visit](auto& slabs) {
      const std::uint32_t count = slabs.count();
      for (std::uint32_t number = 0; number < count; ++number) {
        if (const std::uintptr_t slab = slabs.mapped(number)) visit(slabs, number, slab);
      }
    });
  }

  PoolMode mode_ = PoolMode::kPassThrough;
  std::uint32_t expected_ = 0;
  SlabSharing sharing_;
  SlabRecords records_;
  SequencedSlabs sequenced_;
  LockedShards shards_;
};

// Leads to what the stacks of all slabs have counted. Any thread may call anything at any time.
class CountedSlabs {
 public:
  // `slabs` outlives this.
  explicit CountedSlabs(CpuSlabs& slabs) noexcept : slabs_(slabs) {}

  // Returns what SlabRecords::inherited() returns. If it is not nullptr, these sums are what
  // counts, and not the slabs.
  const StackSums* inherited(ClassIndex c) const noexcept { return slabs_.records_.inherited(c); }
  // Calls visit(slab) for every slab, whether it may be used or not.
  template <typename Visit>
  void for_each(Visit visit) const noexcept {
    slabs_.for_each_mapped([&](auto&, std::uint32_t, std::uintptr_t slab) { visit(slab); });
  }

 private:
  CpuSlabs& slabs_;
};

}  // namespace bufpool
