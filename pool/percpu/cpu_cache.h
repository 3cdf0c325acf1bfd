// SPDX-License-Identifier: MIT
// The CPUs' caches: per CPU and class a stack of free blocks, reached without a lock.
//
// A hit is a restartable sequence on this CPU's slab. What misses goes to the .cpp: it fills the
// stack from the class's shared spans, empties it into them, and moves the stacks' limits within
// the CPU's budget of bytes. In locked mode every sequence misses, as the thread's area names a
// CPU that has no slab, and the shards behind locks take its place.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "pool/percpu/cache_budget.h"
#include "pool/percpu/locked_shards.h"
#include "pool/percpu/rseq.h"
#include "pool/percpu/slab.h"
#include "pool/spans/shared_spans.h"
#include "pool/sync/refusal.h"
#include "pool/telemetry/snapshot.h"

namespace bufpool {

class Residence;

// A slab that is always empty and always full. All distances are counted from it.
[[gnu::visibility("hidden")]] extern constinit char empty_slab[kSlabLayout.bytes];
inline std::uintptr_t empty_slab_address() noexcept {
  return reinterpret_cast<std::uintptr_t>(empty_slab);
}

// This thread's restartable-sequence state, once the thread is known; before, one that names no
// CPU. A pointer rather than libc's offset: it is set after looking whether the kernel really
// serves this thread.
extern constinit thread_local RseqArea* thread_area [[gnu::tls_model("initial-exec")]];

// Around vfork: the thread's sequences miss, in the child as well, which may not have any; then, in
// the parent, they are back. `area`: what leave_sequences() returned.
[[nodiscard]] RseqArea* leave_sequences() noexcept;
void return_to_sequences(RseqArea* area) noexcept;

// What the hit paths of a class did, summed over all CPUs.
struct StackCounters {
  std::uint64_t hits;
  std::uint64_t asked;
  std::uint64_t depth;
};

// A process's most blocks. What was noted before a fork is the parent's, and counts as none.
class Peak {
 public:
  constexpr Peak() noexcept = default;
  explicit Peak(std::uint64_t blocks) noexcept
      : word_(blocks << kProcessBits | OwnerLock::times_entered() % (1u << kProcessBits)) {}

  std::uint64_t blocks() const noexcept {
    const std::uint64_t blocks = word_ >> kProcessBits;
    return word_ == Peak(blocks).word_ ? blocks : 0;
  }

 private:
  static constexpr std::uint32_t kProcessBits = 24;
  std::uint64_t word_ = 0;
};

class CpuCache {
 public:
  static constexpr std::uint32_t kMaxCpus = 8192;  // Linux's own limit on x86-64

  // Pre: called once; `spans` outlives the cache and has kClassSlots elements. Returns the mode
  // that is in force: `wanted`, or kLocked where sequences do not work. `cpu_budget`: most bytes
  // of each CPU's cache; 0: its part of what share_out() says. `cookies` are for blocks that come
  // out of the spans known to be zero.
  PoolMode open(PoolMode wanted, std::uint64_t cpu_budget, SharedSpans* spans,
                Cookies cookies = {}) noexcept;

  // Where each CPU's cache has no figure of its own: all together may hold `bytes`. What is held
  // beyond that goes with the next drain_quiet().
  void share_out(std::uint64_t bytes) noexcept { budget_.share_out(bytes); }

  // Most bytes of each CPU's cache, as it is in force.
  std::uint64_t cpu_budget() const noexcept { return budget_.bytes(); }

  // Hit path: a block off this CPU's stack, or 0 (now and then where there is one). `stack` is
  // where_empty() of its class. 13 instructions in the sequence.
  [[gnu::always_inline]] Block pop(std::uintptr_t stack, std::size_t asked) noexcept {
    return rseq_pop<kOneHit - 1>(thread_area, reach_.data(), stack, asked);
  }
  // False: the stack is at its limit (now and then where it is not). 12 instructions in the
  // sequence.
  [[gnu::always_inline]] bool push(std::uintptr_t stack, Block block) noexcept {
    return rseq_push(thread_area, reach_.data(), stack, block);
  }

  // A class's stack in the empty slab, from which a CPU's own is a distance away.
  static std::uintptr_t where_empty(ClassIndex c) noexcept {
    return empty_slab_address() + kSlabLayout.stack[to_number(c)];
  }

  // After pop() returned 0, or push() false: once more, for a thread that was not known yet, on a
  // CPU that was not, or with the cache behind locks.
  [[nodiscard, gnu::cold, gnu::noinline]] Block pop_again(ClassIndex c, std::size_t asked) noexcept;
  [[nodiscard, gnu::cold, gnu::noinline]] bool push_again(ClassIndex c, Block block) noexcept;

  // After pop_again() returned 0: fills the stack and returns a block, or 0 when there is none.
  struct Refill {
    Block block = 0;
    std::uint64_t fresh_bytes = 0;  // as in Taken
    std::uint64_t regret_bytes = 0;
    std::uint64_t lent_bytes = 0;      // as in Taken
    Shortage why = Shortage::kMemory;  // where block is 0
  };
  [[nodiscard, gnu::cold, gnu::noinline]] Refill refill(ClassIndex c, std::size_t asked) noexcept;

  // A block with room to grow, for `asked` bytes, past the stack; see WideBlocks::take().
  [[nodiscard, gnu::cold, gnu::noinline]] Refill take_wide(ClassIndex c, std::size_t asked,
                                                           std::uint32_t offset) noexcept;

  // After push_again() returned false: empties part of the stack, the block with it.
  [[gnu::cold, gnu::noinline]] void drain(ClassIndex c, Block block) noexcept;

  // Makes the cache of a CPU, where it has none yet. Pre: cpu < kMaxCpus.
  void install_slab(std::uint32_t cpu) noexcept;

  // Empties the cache of every CPU. Returns how many were emptied.
  std::uint32_t drain_all() noexcept;

  // Empties the stacks that nothing was pushed to or popped from for `quiet_ms`, and all of a CPU
  // whose budget became less than it has granted, and takes their limits back. Returns how many
  // CPUs had any.
  std::uint32_t drain_quiet(std::uint32_t now_ms, std::uint32_t quiet_ms) noexcept;

  // Whether the block is in a CPU's cache.
  [[nodiscard, gnu::cold]] bool holds(ClassIndex c, Block block) noexcept;

  // Bytes in all caches.
  std::uint64_t idle_bytes() const noexcept;

  // Bytes of the class's cached blocks that lie in resident pages; what moves meanwhile may be
  // counted or not.
  [[nodiscard]] std::uint64_t resident_bytes(ClassIndex c, Residence& look) noexcept;

  StackCounters counters(ClassIndex c) const noexcept;
  std::uint64_t asked_by_misses(ClassIndex c) const noexcept {
    return missed_asked_[to_number(c)].load(std::memory_order_relaxed);
  }
  // Since this process began, as far as its takes have shown; 0 where there were none.
  std::uint64_t in_use_peak(ClassIndex c) const noexcept {
    return in_use_peak_[to_number(c)].load().blocks();
  }

  // Around a fork, see OwnerLock. What a child writes is a page to copy: it writes what differs.
  void await_owners() noexcept { shards_.await_owners(); }
  void repair_in_child() noexcept;

 private:
  bool attach_thread() noexcept;
  bool attach_to_cpu() noexcept;
  bool sequences_work() noexcept;
  bool open_shards() noexcept;

  std::uintptr_t slab_here() const noexcept;
  Block pop_slowly(ClassIndex c, std::uint64_t step, std::size_t asked) noexcept;
  bool push_slowly(ClassIndex c, Block block) noexcept;
  [[gnu::noinline]] Block pop_twice(ClassIndex c, std::uint64_t step, std::size_t asked) noexcept;
  [[gnu::noinline]] bool push_twice(ClassIndex c, Block block) noexcept;
  void note_peak(ClassIndex c) noexcept;
  void note_zero(ClassIndex c, std::span<const Block> blocks) const noexcept;
  template <typename Copy>
  std::uint64_t resident_bytes_of(ClassIndex c, Residence& look, Copy copy) noexcept;

  void move_limit(std::uintptr_t slab, ClassIndex c, StackEvent event) noexcept;
  void raise_limit(std::uintptr_t slab, ClassIndex c, std::uint32_t step) noexcept;
  // So many times no stack is emptied for another in a forked child: what is moved is copied for a
  // process that may live no longer than to its exec.
  static constexpr std::uint32_t kChildSpares = 64;

  bool spares_stacks() noexcept;
  bool grant(std::uintptr_t slab, ClassIndex c, std::uint64_t bytes) noexcept;
  void take_from_idle(std::uintptr_t slab, ClassIndex except, std::uint64_t most) noexcept;
  template <typename Pop>
  void give_all(ClassIndex c, Pop pop) noexcept;
  template <typename Which>
  bool drain_cpu(std::uint32_t cpu, Which which) noexcept;
  template <typename Which>
  bool drain_shard(std::uint32_t shard, Which which) noexcept;
  template <typename Which>
  std::uint32_t drain_where(Which which) noexcept;
  void give_back_limit(std::uintptr_t slab, ClassIndex c) noexcept;
  static bool quiet_for(Stack& stack, std::uint32_t now_ms, std::uint32_t quiet_ms) noexcept;
  static Block pop_owned(Stack& stack) noexcept;
  template <typename Visit>
  void for_each_slab(Visit visit) const noexcept;

  // Grants that are left of kChildSpares.
  std::atomic<std::uint32_t> spares_{0};
  std::atomic<std::uint32_t> cpus_seen_{0};  // one more than the highest with a slab
  PoolMode mode_ = PoolMode::kPassThrough;
  CacheBudget budget_;
  Cookies cookies_;
  SharedSpans* spans_ = nullptr;
  std::array<std::atomic<Peak>, kClassSlots> in_use_peak_{};
  std::array<std::atomic<std::uint64_t>, kClassSlots> missed_asked_{};
  // What sequences see, and (apart from while it is drained) where the slab really is.
  alignas(64) std::array<SlabDistance, kMaxCpus + 1> reach_{};
  std::array<std::atomic<SlabDistance>, kMaxCpus> slabs_{};
  LockedShards shards_;
  Refusal slab_refused_;
};

}  // namespace bufpool
