// SPDX-License-Identifier: MIT
// The free blocks of one class behind the CPUs' caches: spans with a bitmap each, handed out from
// the fullest, so that empty spans appear and their pages can be given back.
//
// Synchronization: one lock per class, never held across a system call. Whoever cannot have it (a
// signal handler in its owner, any thread while another forks, a child without fork handlers) takes
// nothing and gives by a lock-free list that the next owner collects.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

#include "pool/address_space.h"
#include "pool/guard_line.h"
#include "pool/owner_lock.h"
#include "pool/refusal.h"
#include "pool/size_classes.h"
#include "pool/span_lists.h"

namespace bufpool {

class Residence;

// What went through the shared spans of a class; the rest is told by the CPUs' cache headers.
struct SpanCounters {
  std::uint64_t misses;            // takes that served a get
  std::uint64_t overflows;         // gives that served a put
  std::uint64_t filled;            // blocks moved into CPUs' caches
  std::uint64_t drained;           // blocks moved back from them
  std::uint64_t outstanding_peak;  // most blocks that were out of the spans at once
  std::uint64_t idle_bytes;        // of spans all free that keep their pages
  std::uint64_t free_bytes;        // of free blocks in spans partly used
  std::uint64_t carved_bytes;
  std::uint64_t purged_bytes;     // given back to the kernel
  std::uint64_t faulted_bytes;    // about to be touched in spans without pages
  std::uint64_t regretted_bytes;  // those of them that had been purged shortly before

  std::uint64_t outstanding() const noexcept { return misses + filled - overflows - drained; }
};

// Why there was no block to be had.
enum class Shortage : std::uint8_t {
  kMemory,  // the system refused memory, or the class's address space is used up
  kLimit,   // as many blocks are out as may be
  kLock,    // held by whoever this thread interrupts, or by nobody that is left
};
inline constexpr std::size_t kShortages = 3;

// Spans taken out of reach of all others while their pages are given back: idle ones, and those
// beside them that have no pages any more, for the pages that two of them share.
struct SpanBatch {
  static constexpr std::uint32_t kMostIdle = 64;
  static constexpr std::uint32_t kMost = 3 * kMostIdle;

  std::array<SpanNumber, kMost> spans;
  std::uint32_t count = 0;
  std::uint32_t idle = 0;  // how many of them have pages
};

// Makes [start, end) read as zero: whole pages go back to the kernel, what shares a page with
// somebody else is wiped, at ends that are not known to be zero already. False: there is no whole
// page, or the kernel refused; some of the pages may have gone all the same.
struct KnownZero {
  bool start = false;
  bool end = false;
};
[[nodiscard]] bool make_zero(std::uintptr_t start, std::uintptr_t end,
                             KnownZero known = {}) noexcept;

class SharedSpans {
 public:
  static constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};

  // `most_out`: blocks that may be out of the spans at once. Before, take() has none to give. Any
  // thread; only the first call counts, and one that cannot have the lock does nothing.
  void open(ClassIndex c, Region blocks, Region records,
            std::uint64_t most_out = kNoLimit) noexcept;

  [[nodiscard]] bool is_open() const noexcept { return open_.load(std::memory_order_acquire); }

  struct Taken {
    std::uint32_t count;           // 0: nothing to be had
    std::uint32_t zeroed;          // how many, the first ones, read as zero from end to end
    bool record;                   // more blocks are out than ever were
    std::uint64_t fresh_bytes;     // of spans that have no pages yet
    std::uint64_t regret_bytes;    // of those that had them shortly before
    std::uint64_t about_to_touch;  // of the fresh bytes
    Shortage why;                  // where count is 0
  };

  // Serves a get that missed: blocks[0] is for the caller, the others are to be put into a cache.
  // `asked`: what the caller was asked for, for the counters.
  [[nodiscard]] Taken take(std::span<Block> blocks, std::size_t asked = kWholeBlock) noexcept;
  static constexpr std::size_t kWholeBlock = std::size_t{1} << 47;

  // Takes back `blocks`; `overflow`: the first is a buffer put, the others come out of a cache.
  void give(std::span<const Block> blocks, bool overflow) noexcept;

  // Takes back blocks that take() meant for a cache and that found no room there.
  void give_unfilled(std::span<const Block> blocks) noexcept;

  // Purged, and needed again within this time: keeping it would have been right.
  static constexpr std::uint32_t kRegretMs = 4000;

  // Bytes of idle spans, and since when the oldest is; may be a moment old.
  std::uint64_t idle_bytes() const noexcept { return idle_bytes_.load(std::memory_order_relaxed); }
  std::uint32_t oldest_idle_ms() const noexcept {
    return oldest_idle_ms_.load(std::memory_order_relaxed);
  }

  // The oldest spans that have been idle for `min_age_ms`, of `most_bytes` at most (one span at
  // least, if any is that old).
  [[nodiscard]] SpanBatch take_idle(std::uint32_t now_ms, std::uint32_t min_age_ms,
                                    std::uint64_t most_bytes) noexcept;

  // Gives the pages of a batch back and the spans to whoever wants them. Returns the bytes.
  std::uint64_t purge(SpanBatch& batch, std::uint32_t now_ms) noexcept;

  // A consistent copy; blocks deferred by lock-less gives are collected first.
  [[nodiscard]] SpanCounters counters() noexcept;

  // Bytes of free blocks that lie in resident pages. Holds no lock while it asks.
  [[nodiscard]] std::uint64_t resident_bytes(Residence& look) noexcept;

  std::uint64_t deferred() const noexcept {
    return deferred_count_.load(std::memory_order_relaxed);
  }
  std::uint64_t deferred_overflows() const noexcept {
    return deferred_overflows_.load(std::memory_order_relaxed);
  }

  // Faults in the pages of up to `blocks` blocks that have none and leaves them idle. Returns how
  // many.
  std::uint64_t warm_up(std::uint64_t blocks) noexcept;

  // Whether any block was ever carved.
  [[nodiscard]] bool is_used() const noexcept {
    return carved_.load(std::memory_order_relaxed) != 0;
  }
  // Whether `block` is the start of a block that was carved.
  [[nodiscard]] bool is_block(Block block) const noexcept;
  // The block that holds `address`, carved or not.
  [[nodiscard]] Block block_around(std::uintptr_t address) const noexcept;

  // Where a block is by the span's record.
  enum class Place : std::uint8_t {
    kOut,      // handed out or in a CPU's cache
    kUnused,   // free here, in a span that never went back to the kernel
    kFree,     // free here, in a span that once did
    kUnknown,  // the lock cannot be had
  };
  // Pre: is_block(block).
  [[nodiscard]] Place place_of(Block block) noexcept;

  // Around a fork, see OwnerLock.
  void lock_for_fork() noexcept { lock_.hold_for_fork(); }
  void unlock_after_fork() noexcept { lock_.release_after_fork(); }
  void repair_in_child() noexcept { lock_.repair_in_child(); }

  // From now on a record is what is more than is out now. Returns that.
  std::uint64_t restart_peak() noexcept;

 private:
  // The lock for as long as it lives, where it can be had. At its end those who look without the
  // lock are told what is idle, and the clock is forgotten: whoever is next reads it anew.
  class Locked {
   public:
    explicit Locked(SharedSpans& spans) noexcept : spans_(spans), held_(spans.lock_.lock()) {}
    ~Locked() {
      if (!held_) return;
      spans_.publish_idle();
      spans_.clock_ms_ = 0;
      spans_.lock_.unlock();
    }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;

    explicit operator bool() const noexcept { return held_; }

   private:
    SharedSpans& spans_;
    bool held_;
  };

  std::uint64_t strides_in(std::uint64_t offset) const noexcept;
  SpanNumber span_of(Block block) const noexcept;
  Block block_at(SpanNumber span, std::uint32_t index) const noexcept;
  std::uintptr_t span_start(SpanNumber span) const noexcept { return start_ + span * span_bytes_; }

  std::uint64_t resident_bytes(SpanNumber n, const Span& span, Residence& look) const noexcept;
  void open_locked(ClassIndex c, Region blocks, Region records, std::uint64_t most_out) noexcept;
  Taken take_once(std::span<Block> blocks, std::size_t asked) noexcept;
  bool take_cold(SpanNumber& n, std::size_t& committed) noexcept;
  void note_fresh(const Span& span, std::size_t asked, Taken& taken) noexcept;
  void publish_idle() noexcept;
  void add_neighbour(SpanBatch& batch, SpanNumber n) noexcept;
  bool purge_run(const SpanNumber* first, const SpanNumber* last) noexcept;
  void purge_run_or_parts(const SpanNumber* first, const SpanNumber* last, bool* done) noexcept;
  bool choose_span(bool with_pages, SpanNumber& chosen) noexcept;
  bool carve(SpanNumber& carved) noexcept;
  void take_locked(std::span<Block> blocks, std::size_t asked, Taken& taken) noexcept;
  std::uint32_t take_from(SpanNumber n, std::span<Block> blocks) noexcept;
  void give_locked(std::span<const Block> blocks) noexcept;
  std::uint32_t clock_ms() noexcept;
  void refile(SpanNumber n) noexcept;
  bool commit_more(std::size_t committed) noexcept;
  bool commit_to(std::size_t end, std::size_t committed) noexcept;

  void defer(std::span<const Block> blocks, bool overflow) noexcept;
  void collect_deferred() noexcept;
  void hand_back(SpanNumber n, bool purged) noexcept;
  void collect_returned() noexcept;
  void file_returned() noexcept;

  OwnerLock lock_;
  std::atomic<bool> open_{false};
  std::uint32_t span_blocks_ = 0;
  std::size_t stride_ = 0;
  std::uint64_t inverse_stride_ = 0;
  std::uint32_t clock_ms_ = 0;  // under the lock; 0: not read under it yet
  std::size_t span_bytes_ = 0;
  std::uintptr_t start_ = 0;
  std::size_t bytes_ = 0;
  Region records_{};
  SpanLists lists_;
  std::atomic<SpanNumber> carved_{0};  // spans cut so far; the next is cut here
  std::atomic<std::size_t> committed_{0};
  std::size_t committed_records_ = 0;
  Refusal refused_;  // to commit more
  SpanCounters counters_{};
  std::uint64_t most_out_ = 0;
  std::atomic<std::uint64_t> idle_bytes_{0};
  std::atomic<std::uint32_t> oldest_idle_ms_{0};
  std::atomic<Block> deferred_{0};
  std::atomic<std::uint64_t> deferred_count_{0};
  std::atomic<std::uint64_t> deferred_overflows_{0};  // of those: puts
  std::atomic<SpanNumber> returned_{0};  // by hand_back(); plus one; 0: none
};

}  // namespace bufpool
