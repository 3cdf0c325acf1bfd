// SPDX-License-Identifier: MIT
// Holds the state of one class's spans, and the lock that guards it.
//
// Synchronization: there is one lock per class. No lock is taken under it, and no system call is
// made. A thread may be refused the lock, see OwnerLock: it then takes nothing, and gives by a
// lock-free list that the next owner collects.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "pool/addresses/chunk_space.h"
#include "pool/addresses/guard_line.h"
#include "pool/runs/huge_growth.h"
#include "pool/runs/run_list.h"
#include "pool/runs/span_lists.h"
#include "pool/state/deferred_blocks.h"
#include "pool/state/dropped_runs.h"
#include "pool/state/returned_spans.h"
#include "pool/state/row_teller.h"
#include "pool/state/span_counters.h"
#include "pool/sync/owner_lock.h"
#include "pool/sync/refusal.h"

namespace bufpool {

// Holds the records of one class's spans and keeps each span in the list that its free blocks call
// for. All zero, it is the state of a class that is not open.
struct SpanState {
  // Returns the run of an address, or nullptr if there is none. It takes no lock; a run that it
  // returns may be dropped by others, unless the caller has the lock or a block of the run. Pre:
  // the class is open.
  Run* run_at(std::uintptr_t address) const noexcept {
    return static_cast<Run*>(space->record_at(address));
  }
  // Returns the span of a block. It takes no lock. Pre: the block is one of the class's.
  Span& span_of(Block block) const noexcept {
    return bufpool::span_of(*run_at(to_address(block)), block, geometry);
  }

  // Returns the time of the coarse clock in milliseconds. It is read once while the lock is held.
  std::uint32_t clock_ms() noexcept BUFPOOL_REQUIRES(lock);

  // Account for a change of a span. uncount() is called before the free blocks or the pages of the
  // span change, and file() afterwards. The first subtracts the span's bytes from the counters. The
  // second adds the new ones and puts the span into the list that its free blocks call for. A span
  // that stays in its list keeps its place.
  void uncount(const Span& span) noexcept BUFPOOL_REQUIRES(lock);
  void file(Span& span) noexcept BUFPOOL_REQUIRES(lock);

  // Takes a span out of reach of all other threads, for the caller to work on without the lock. The
  // span still says which bytes it keeps.
  void set_aside(Span& span) noexcept BUFPOOL_REQUIRES(lock);

  // Notes that the spans [first, last), which the caller has set aside and which follow one another
  // in a run, read as zero. It returns the bytes that went back to the kernel.
  std::uint64_t note_purged(Span* const* first, Span* const* last, std::uint32_t now_ms) noexcept
      BUFPOOL_REQUIRES(lock);

  // Makes blocks free. Pre: they are the caller's.
  void put(std::span<const Block> blocks) noexcept BUFPOOL_REQUIRES(lock);

  // Makes the blocks free that were given back without the lock, and files the spans that were.
  void collect_deferred() noexcept BUFPOOL_REQUIRES(lock);

  // Adds a run to the class, with the spans that are cut from it, which stand in no list.
  void add_run(Run& run) noexcept BUFPOOL_REQUIRES(lock);

  // Removes a run from the class, and its record from the index. A thread that found the record
  // before may still read it while this one has the lock. Pre: the spans of the run stand in no
  // list.
  void remove_run(Run& run) noexcept BUFPOOL_REQUIRES(lock);

  // Returns the counters without the lock and without a write. They may be half changed, unless no
  // other thread has the lock. A forked child calls it in its fork handlers, and so does a thread
  // that was refused the lock.
  const SpanCounters& counters_without_lock() const noexcept BUFPOOL_NO_THREAD_ANALYSIS {
    return counters;
  }

  OwnerLock lock;

  // SharedSpans::open() sets these once. They are constant once `is_open` is seen to be true.
  std::atomic<bool> is_open{false};
  Geometry geometry;
  ChunkSpace* space = nullptr;

  std::atomic<bool> is_used{false};  // a span was cut once

  RunList runs BUFPOOL_GUARDED_BY(lock);
  SpanLists lists BUFPOOL_GUARDED_BY(lock);
  SpanCounters counters BUFPOOL_GUARDED_BY(lock){};
  std::uint64_t most_out BUFPOOL_GUARDED_BY(lock) = 0;  // blocks that may be out of the spans
  // It is OwnerLock::times_entered() at the last take.
  std::uint32_t peak_of BUFPOOL_GUARDED_BY(lock) = 0;
  HugeGrowth huge_growth BUFPOOL_GUARDED_BY(lock);
  Run* proof BUFPOOL_GUARDED_BY(lock) = nullptr;  // the youngest run of small pages
  // It counts the bytes that got pages because a huge page was touched, and that no take has told
  // of yet.
  std::uint64_t came_along BUFPOOL_GUARDED_BY(lock) = 0;
  DroppedRuns dropped BUFPOOL_GUARDED_BY(lock);

  // Threads read these without the lock, too.
  std::atomic<std::size_t> chunks{0};        // of all runs
  std::atomic<std::size_t> mapped_bytes{0};  // of all runs
  std::atomic<std::uint32_t> sweeps{0};      // that began; each has its number
  Refusal refused;                           // to map more
  std::atomic<std::uint32_t> occupied{0};    // runs that ended where somebody else had mapped
  SpanFigures figures;
  RowTeller row;
  DeferredBlocks deferred;
  ReturnedSpans returned;

 private:
  friend class LockedSpans;

  void publish() noexcept BUFPOOL_REQUIRES(lock);
  void collect_returned() noexcept BUFPOOL_REQUIRES(lock);
  std::uint64_t kept_bytes(const Span& span) const noexcept;
  SpanList list_for(const Span& span) const noexcept;
  void forget_empty(Block block) noexcept BUFPOOL_REQUIRES(lock);

  std::uint32_t clock_ms_ BUFPOOL_GUARDED_BY(lock) = 0;  // 0 until it is read
};

// Tries to take the lock of a class and holds it until its own end. Its end publishes the figures
// for those who read them without the lock, and forgets the clock, so that the next owner reads it
// anew. It is used as ScopedLock is: the caller asks it once, right after, whether the lock was
// had.
class BUFPOOL_SCOPED_CAPABILITY LockedSpans {
 public:
  // Tries to take the lock of the class.
  explicit LockedSpans(SpanState& state) noexcept
      BUFPOOL_EXCLUDES(state.lock) BUFPOOL_NO_THREAD_ANALYSIS : state_(state),
                                                                held_(state.lock.lock()) {}
  ~LockedSpans() BUFPOOL_RELEASE() BUFPOOL_NO_THREAD_ANALYSIS {
    if (!held_) return;
    state_.publish();
    state_.lock.unlock();
  }
  LockedSpans(const LockedSpans&) = delete;
  LockedSpans& operator=(const LockedSpans&) = delete;

  // Returns whether the lock is held. It was refused otherwise, see OwnerLock::lock().
  explicit operator bool() const noexcept BUFPOOL_TRY_ACQUIRE(true) { return held_; }

 private:
  SpanState& state_;
  bool held_;
};

}  // namespace bufpool
