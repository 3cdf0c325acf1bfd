// SPDX-License-Identifier: MIT
// The free blocks of one class behind the CPUs' caches: spans with a bitmap each, handed out from
// the fullest, so that empty spans appear and their pages can be given back.
//
// The spans are cut from runs of chunks. Each run knows which of its pages have no memory; a block
// out of the spans has none of those but where take_wide() handed it out.
//
// Synchronization: one lock per class, never held across a system call. A thread that cannot have
// it (a signal handler in its owner, any thread while another forks, a child without fork handlers)
// takes nothing and gives by a lock-free list that the next owner collects.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

#include "pool/memory/chunk_space.h"
#include "pool/memory/guard_line.h"
#include "pool/memory/size_classes.h"
#include "pool/runs/huge_growth.h"
#include "pool/runs/run.h"
#include "pool/runs/span_lists.h"
#include "pool/sync/owner_lock.h"
#include "pool/sync/refusal.h"
#include "pool/telemetry/fork_account.h"
#include "pool/telemetry/stats_page_writer.h"

namespace bufpool {

class Residence;

// Counts of all that went through the shared spans of a class. The CPUs' cache headers have the
// rest.
struct SpanCounters {
  std::uint64_t misses;            // takes that served a get
  std::uint64_t overflows;         // gives that served a put
  std::uint64_t filled;            // blocks moved into CPUs' caches
  std::uint64_t drained;           // blocks moved back from them
  std::uint64_t outstanding_peak;  // most blocks that were out of the spans at once
  std::uint64_t idle_bytes;        // with pages, of spans all free
  std::uint64_t free_bytes;        // with pages, of free blocks in spans partly used
  std::uint64_t carved_bytes;      // of the spans there are
  std::uint64_t purged_bytes;      // given back to the kernel
  std::uint64_t faulted_bytes;     // without pages that were about to be touched
  std::uint64_t regretted_bytes;   // those of them that had been purged shortly before

  std::uint64_t outstanding() const noexcept { return misses + filled - overflows - drained; }
};

// Why there was no block to be had.
enum class Shortage : std::uint8_t {
  kMemory,  // the system refused memory, or there are no more chunks
  kLimit,   // as many blocks are out as may be
  kLock,    // held by whoever this thread interrupts, or by nobody that is left
};
inline constexpr std::size_t kShortages = 3;

// Spans all free that are out of reach of all others while their pages are given back.
struct SpanBatch {
  static constexpr std::uint32_t kMost = 64;

  std::array<Span*, kMost> spans;
  std::uint32_t count = 0;
};

// Makes [start, end) read as zero: whole pages go back to the kernel, what shares a page with
// somebody else is wiped. False: there is no whole page, or the kernel refused; some of the pages
// may have gone all the same.
[[nodiscard]] bool make_zero(std::uintptr_t start, std::uintptr_t end) noexcept;

// A block for a buffer that grows.
struct WideTake {
  static constexpr std::uint32_t kAnywhere = ~std::uint32_t{0};

  std::size_t used;      // bytes from its start that are about to be used
  std::uint32_t offset;  // where in a page it begins, of a class with slots; or kAnywhere
};

class SharedSpans {
 public:
  static constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};

  // `most_out`: blocks that may be out of the spans at once. `space` outlives this. Before, take()
  // has none to give. Any thread; only the first call counts, and one that cannot have the lock
  // does nothing.
  void open(ClassIndex c, ChunkSpace* space, std::uint64_t most_out = kNoLimit) noexcept;

  [[nodiscard]] bool is_open() const noexcept { return open_.load(std::memory_order_acquire); }

  struct Taken {
    std::uint32_t count;           // 0: nothing to be had
    std::uint32_t zeroed;          // how many, the first ones, read as zero from end to end
    bool record;                   // more blocks are out than ever were
    std::uint64_t fresh_bytes;     // that have no pages yet
    std::uint64_t regret_bytes;    // of those that had them shortly before
    std::uint64_t about_to_touch;  // of the fresh bytes
    Shortage why;                  // where count is 0
    std::uint64_t lent_bytes;      // by take_wide(): that have pages and are not about to be used
  };

  // Serves a get that missed: blocks[0] is for the caller, the others are to be put into a cache.
  // `asked`: what the caller was asked for, for the counters.
  [[nodiscard]] Taken take(std::span<Block> blocks, std::size_t asked = kWholeBlock) noexcept {
    return take(blocks, asked, nullptr);
  }
  static constexpr std::size_t kWholeBlock = std::size_t{1} << 47;

  // As take() for one block of which only the first bytes are about to be used, as WideTake says.
  // Pre: a span of the class is one block.
  [[nodiscard]] Taken take_wide(Block& block, const WideTake& wide) noexcept;

  // Takes back a block of whose first bytes `used` may have been written; what of it had no pages
  // before has none still. False: all of it may have been, and the block is still the caller's, for
  // a cache. Pre: a span of the class is one block.
  [[nodiscard]] bool give_grown(Block block, std::size_t used) noexcept;

  // The pages of a block that is out that lie in [from, to) have no memory any more. It must come
  // back by give_grown(). Pre: as above.
  void note_emptied(Block block, std::uintptr_t from, std::uintptr_t to) noexcept;

  // To be called before a part of a block that is out is purged: a huge page goes back otherwise.
  void before_purge(Block block, std::uintptr_t start, std::uintptr_t end) noexcept;

  // Fresh pages for whole pages of a block that is out, whatever the program has made of them.
  // False: refused; see platform::map_over().
  [[nodiscard]] bool renew(Block block, std::uintptr_t start, std::uintptr_t end) noexcept;

  // Whether some of the pages in the run of a block that is out may be huge ones.
  [[nodiscard]] bool has_huge_pages(Block block) const noexcept { return run_at(block)->had_huge; }

  // Takes back `blocks`; `overflow`: the first is a buffer put, the others come out of a cache.
  void give(std::span<const Block> blocks, bool overflow) noexcept;

  // Takes back blocks that take() meant for a cache and that found no room there.
  void give_unfilled(std::span<const Block> blocks) noexcept;

  // Purged, and needed again within this time: keeping it would have been right.
  static constexpr std::uint32_t kRegretMs = 4000;

  // Bytes of idle spans, of free blocks in the others, and since when the oldest idle one is; may
  // be a moment old.
  std::uint64_t idle_bytes() const noexcept { return idle_bytes_.load(std::memory_order_relaxed); }
  std::uint64_t free_bytes() const noexcept { return free_bytes_.load(std::memory_order_relaxed); }
  std::uint32_t oldest_idle_ms() const noexcept {
    return oldest_idle_ms_.load(std::memory_order_relaxed);
  }
  // As in the counters; may be a moment old, too.
  std::uint64_t misses() const noexcept { return misses_.load(std::memory_order_relaxed); }

  // The oldest spans that have been idle for `min_age_ms`, of `most_bytes` at most (one span at
  // least, if any is that old).
  [[nodiscard]] SpanBatch take_idle(std::uint32_t now_ms, std::uint32_t min_age_ms,
                                    std::uint64_t most_bytes) noexcept;

  // Gives the pages of a batch back and the spans to whoever wants them. Returns the bytes.
  std::uint64_t purge(SpanBatch& batch, std::uint32_t now_ms) noexcept;

  // Gives back the pages that lie in free blocks alone, page by page, of spans that nothing came to
  // or went from for `min_age_ms`, and runs all of which went back for as long as that and
  // `empty_age_ms`. Returns the bytes.
  std::uint64_t sweep(std::uint32_t now_ms, std::uint32_t min_age_ms,
                      std::uint32_t empty_age_ms = kRegretMs) noexcept;

  // Unmaps the runs of which no page has memory.
  void drop_empty(std::uint32_t now_ms) noexcept;

  // Memory that the system refused may be asked for again at once.
  void ask_again() noexcept { refused_.forget(); }

  // A consistent copy; blocks deferred by lock-less gives are collected first.
  [[nodiscard]] SpanCounters counters() noexcept;
  // The counters without the lock and without a write. Pre: a forked child in its fork handlers.
  const SpanCounters& counters_at_fork() const noexcept { return counters_; }

  // Bytes of free blocks that lie in resident pages. Holds no lock while it asks.
  [[nodiscard]] std::uint64_t resident_bytes(Residence& look) noexcept;

  std::uint64_t deferred_overflows() const noexcept {
    return deferred_overflows_.load(std::memory_order_relaxed);
  }
  std::uint64_t deferred() const noexcept {
    return deferred_count_.load(std::memory_order_relaxed);
  }

  // Faults in the pages of up to `blocks` blocks that have none and leaves them idle. Returns how
  // many.
  std::uint64_t warm_up(std::uint64_t blocks) noexcept;

  // Whether any block was ever carved.
  [[nodiscard]] bool is_used() const noexcept { return used_.load(std::memory_order_relaxed); }
  // Whether a page of the class is mapped at an address. Pre: its chunk is of the class.
  [[nodiscard]] bool maps(std::uintptr_t address) noexcept;
  // Where what is mapped around an address of the class ends.
  [[nodiscard]] std::uintptr_t mapped_end(std::uintptr_t address) noexcept;
  // Whether `block` is the start of a block that was handed out once, or of its like in a span that
  // was.
  [[nodiscard]] bool is_block(Block block) noexcept;
  // The block that holds `address`, carved or not; 0: there is no room for one. Pre: the chunk of
  // the address is of this class.
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

  // From now on the counters are told on the page, in the row of class `c`, whenever they changed,
  // less what the parent of a fork had counted. Both outlive this. Pre: no other thread uses the
  // class yet.
  void tell_in(const StatsPageWriter* page, ClassIndex c, const ClassForkAccount* then) noexcept {
    page_ = page;
    row_ = to_number(c);
    at_fork_ = then;
  }
  // Tells them in a new page, without the lock and without a write to this. Pre: no other thread of
  // this process uses the class yet.
  void tell_again() const noexcept { tell(); }

  // The most blocks that were out at once are those that are out now.
  void reset_peak() noexcept;

  // Around a fork, see OwnerLock.
  void await_owner() noexcept { lock_.await_owner(); }
  void repair_in_child() noexcept { lock_.repair_in_child(); }

 private:
  // The lock for as long as it lives, where it can be had. At its end those who look without the
  // lock are told what is idle, and the clock is forgotten: whoever is next reads it anew.
  class Locked {
   public:
    explicit Locked(SharedSpans& spans) noexcept : spans_(spans), held_(spans.lock_.lock()) {}
    ~Locked() {
      if (!held_) return;
      spans_.publish();
      spans_.lock_.unlock();
    }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;

    explicit operator bool() const noexcept { return held_; }

   private:
    SharedSpans& spans_;
    bool held_;
  };

  // The spans to make ready for the next blocks.
  struct Growth {
    Run* run;             // nullptr: one is to be made
    std::uint32_t spans;  // to commit in it
  };
  // Which free blocks may be taken.
  enum class Pages : std::uint8_t { kThere, kAny };

  Run* run_at(std::uintptr_t address) const noexcept {
    return static_cast<Run*>(space_->record_at(address));
  }
  Span& span_of(Block block) const noexcept;
  Block block_at(const Span& span, std::uint32_t index) const noexcept;
  std::uintptr_t start_of(const Span& span) const noexcept {
    return span.run->start_of(span.number, geometry_);
  }
  PageRange pages_of_block(const Span& span, std::uint32_t index) const noexcept;
  PageRange pages_of_span(const Span& span) const noexcept;

  Taken take(std::span<Block> blocks, std::size_t asked, const WideTake* wide) noexcept;
  Taken take_once(std::span<Block> blocks, const WideTake* wide) noexcept;
  void count_taken(Taken& taken, std::size_t asked) noexcept;
  void begin_peak() noexcept;
  Span* choose_wide() noexcept;
  void take_wide_locked(const WideTake& wide, Block& block, Taken& taken) noexcept;
  void take_locked(std::span<Block> blocks, Taken& taken) noexcept;
  void take_from(Span& span, std::span<Block> blocks, Taken& taken) noexcept;
  void take_free(Span& span, std::span<Block> blocks, Taken& taken, Pages pages,
                 bool zero) noexcept;
  void note_fresh(const Span& span, std::uint64_t bytes, Taken& taken) noexcept;
  void regret_dropped(std::uint64_t bytes, Taken& taken) noexcept;
  Span* choose_span(bool with_pages) noexcept;
  Span* carve() noexcept;

  Growth choose_growth() noexcept;
  bool grow(const Growth& growth) noexcept;
  bool commit(Run& run, std::uint32_t spans) noexcept;
  bool end_run(Run& run) noexcept;
  bool pass_by_occupied() noexcept;
  bool add_run() noexcept;
  std::size_t chunks_for_run(HugeGrowth::Next next) const noexcept;
  void unlink_uncut(Run* run) noexcept;

  Run* choose_proof() noexcept;
  HugeGrowth::Next pages_for_next_run() noexcept;
  std::size_t bytes_to_map(const Run& run, std::uint32_t spans) const noexcept;
  void advise(Run& run, void* start, std::size_t bytes) noexcept;
  void note_rest_of_huge_page(const Span& span) noexcept;
  PageRange pages_brought_by(const Span& span, Block block, std::size_t used) const noexcept;
  std::uintptr_t end_of_rest(const Run& run) const noexcept;
  void want_no_huge_pages(Run& run) noexcept;
  void leave_huge_pages(Run& run, std::uintptr_t start, std::uintptr_t end) noexcept;
  void note_run(Run& run) noexcept;
  void forget_run(Run& run) noexcept;
  bool is_worth_a_split(const Run& run, const Span& span) const noexcept;
  void link_first(Run& run) noexcept;

  // Free blocks in a row, and the pages that are theirs alone.
  struct Stretch {
    std::uint32_t first_span;
    std::uint32_t last_span;
    PageRange pages;
    bool zeroed;
  };
  struct Sweep {
    static constexpr std::uint32_t kMost = 96;
    std::uint32_t now_ms;
    std::uint32_t min_age_ms;
    std::uint32_t empty_age_ms;
    std::array<Stretch, kMost> stretches;
    std::uint32_t count = 0;
    std::uint64_t open_from = 0;  // the row that the look has come into: blocks of the run
    std::uint64_t open_to = 0;
  };
  Run* next_to_sweep(Sweep& sweep) noexcept;
  bool look(Run& run, Sweep& sweep) noexcept;
  bool may_sweep(Span& span, std::uint32_t now_ms, std::uint32_t min_age_ms) noexcept;
  void look_at(Run& run, const Span& span, Sweep& sweep) const noexcept;
  void end_stretch(Run& run, Sweep& sweep) const noexcept;
  void look_at_rest(Run& run, std::uint32_t now_ms, std::uint32_t min_age_ms,
                    Sweep& sweep) const noexcept;
  std::uint64_t finish(Run& run, Sweep& sweep) noexcept;
  void note_refused(Run& run, const Sweep& sweep, std::uint32_t now_ms) noexcept;
  void take_back(Run& run, std::uint32_t now_ms) noexcept;
  std::uint64_t hand_back(Run& run, const Sweep& sweep) noexcept;
  bool is_all_empty(const Run& run) const noexcept;
  void unlink(Run& run) noexcept;
  void forget(Run& run, std::uint32_t now_ms) noexcept;

  std::uint64_t resident_bytes(const Span& span, Residence& look) const noexcept;
  Run* next_to_look_at(std::uintptr_t after) const noexcept;
  void set_aside(Span& span) noexcept;
  void hand_back(Span& span) noexcept;
  void collect_returned() noexcept;
  bool zero_spans(Span* const* first, Span* const* last) noexcept;
  std::uint64_t note_purged(Span* const* first, Span* const* last, std::uint32_t now_ms) noexcept;
  bool follows(const Span& before, const Span& after) const noexcept;

  void give_locked(std::span<const Block> blocks) noexcept;
  void forget_kept(const Span& span) noexcept;
  std::uint64_t kept_bytes(const Span& span) const noexcept;
  void file(Span& span) noexcept;
  SpanList list_for(const Span& span) const noexcept;
  std::uint32_t clock_ms() noexcept;
  void publish() noexcept;
  void tell() const noexcept;

  void defer(std::span<const Block> blocks, bool overflow) noexcept;
  void collect_deferred() noexcept;
  void forget_empty(Block block) noexcept;

  OwnerLock lock_;
  const StatsPageWriter* page_ = nullptr;
  const ClassForkAccount* at_fork_ = nullptr;
  std::uint32_t row_ = 0;
  std::atomic<bool> open_{false};
  std::atomic<bool> used_{false};
  std::uint32_t clock_ms_ = 0;  // under the lock; 0: not read yet
  Geometry geometry_;
  ChunkSpace* space_ = nullptr;
  Run* runs_ = nullptr;
  Run* last_run_ = nullptr;
  std::atomic<std::uint32_t> sweeps_{0};
  Run* uncut_ = nullptr;
  HugeGrowth huge_growth_;
  Run* proof_ = nullptr;          // the youngest run of small pages
  std::uint64_t came_along_ = 0;  // bytes that got pages beside the spans cut, not yet told
  std::atomic<std::size_t> chunks_{0};
  std::atomic<std::size_t> committed_{0};
  Refusal refused_;                         // to commit more
  std::atomic<std::uint32_t> occupied_{0};  // runs that ended where somebody else was
  SpanLists lists_;
  SpanCounters counters_{};
  std::uint64_t dropped_bytes_ = 0;  // with runs that were empty for less than kRegretMs
  std::uint32_t dropped_ms_ = 0;
  std::uint64_t most_out_ = 0;
  std::uint32_t peak_of_ = 0;  // OwnerLock::times_entered() at the last take
  std::atomic<std::uint64_t> idle_bytes_{0};
  std::atomic<std::uint64_t> free_bytes_{0};
  std::atomic<std::uint32_t> oldest_idle_ms_{0};
  std::atomic<std::uint64_t> misses_{0};
  std::atomic<Block> deferred_{0};
  std::atomic<std::uint64_t> deferred_count_{0};
  std::atomic<std::uint64_t> deferred_overflows_{0};  // of those: puts
  std::atomic<Span*> returned_{nullptr};              // by hand_back()
};

}  // namespace bufpool
