// SPDX-License-Identifier: MIT
#include "pool/shared_spans.h"

#include <algorithm>
#include <bit>

#include "pool/platform.h"

namespace bufpool {
namespace {

constexpr std::size_t kLeastCommit = 256 << 10;
constexpr std::size_t kMostCommit = 32 << 20;

// Commits grow with what is there: few system calls, and no more than a quarter too much where
// mlockall makes every committed page resident.
constexpr std::size_t commit_step(std::size_t committed, std::size_t span) noexcept {
  return platform::page_above(std::max(span, std::clamp(committed / 4, kLeastCommit, kMostCommit)));
}

}  // namespace

void SharedSpans::open(ClassIndex c, Region blocks, Region records,
                       std::uint64_t most_out) noexcept {
  const Locked locked(*this);
  if (locked && !is_open()) open_locked(c, blocks, records, most_out);
}

void SharedSpans::open_locked(ClassIndex c, Region blocks, Region records,
                              std::uint64_t most_out) noexcept {
  most_out_ = most_out;
  span_blocks_ = span_blocks(c);
  stride_ = stride_bytes(c);
  inverse_stride_ = ~std::uint64_t{0} / stride_ + 1;
  span_bytes_ = span_bytes(c);
  start_ = blocks.start;
  bytes_ = blocks.bytes;
  records_ = records;
  lists_.open(reinterpret_cast<Span*>(records.start));
  open_.store(true, std::memory_order_release);
}

SharedSpans::Taken SharedSpans::take(std::span<Block> blocks, std::size_t asked) noexcept {
  if (!is_open()) return {.why = Shortage::kLock};
  for (;;) {
    std::size_t committed = 0;
    {
      const Locked locked(*this);
      if (!locked) return {.why = Shortage::kLock};
      const Taken taken = take_once(blocks, asked);
      if (taken.count > 0 || taken.why == Shortage::kLimit) return taken;
      committed = committed_.load(std::memory_order_relaxed);
    }
    if (!commit_more(committed)) return {};
  }
}

SharedSpans::Taken SharedSpans::take_once(std::span<Block> blocks, std::size_t asked) noexcept {
  collect_deferred();
  Taken taken{};
  if (counters_.outstanding() >= most_out_) return {.why = Shortage::kLimit};
  const std::uint64_t room = most_out_ - counters_.outstanding();
  take_locked(blocks.first(std::min<std::size_t>(blocks.size(), room)), asked, taken);
  if (taken.count == 0) return taken;
  ++counters_.misses;
  counters_.filled += taken.count - 1;
  counters_.faulted_bytes += taken.about_to_touch;
  if (taken.regret_bytes > 0) counters_.regretted_bytes += taken.about_to_touch;
  taken.record = counters_.outstanding() > counters_.outstanding_peak;
  if (taken.record) counters_.outstanding_peak = counters_.outstanding();
  return taken;
}

void SharedSpans::take_locked(std::span<Block> blocks, std::size_t asked, Taken& taken) noexcept {
  SpanNumber n = 0;
  // Pages are taken fresh for the caller, never just to fill a cache.
  while (taken.count < blocks.size() && choose_span(taken.count > 0, n)) {
    const bool zero = lists_[n].zero && taken.zeroed == taken.count;
    if (lists_[n].list == SpanList::kPurged) note_fresh(lists_[n], asked, taken);
    taken.count += take_from(n, blocks.subspan(taken.count));
    if (zero) taken.zeroed = taken.count;
  }
}

// Happens once in a take at most. The other blocks of a span are about to be handed out, too; one
// that is alone may be much larger than what is asked for.
void SharedSpans::note_fresh(const Span& span, std::size_t asked, Taken& taken) noexcept {
  taken.about_to_touch =
      span_blocks_ > 1 ? span_bytes_ : std::min(span_bytes_, platform::page_above(asked));
  taken.fresh_bytes += span_bytes_;
  if (span.was_purged && clock_ms() - span.since_ms < kRegretMs) taken.regret_bytes += span_bytes_;
}

void SharedSpans::publish_idle() noexcept {
  idle_bytes_.store(counters_.idle_bytes, std::memory_order_relaxed);
  const bool any = !lists_.empty(SpanList::kIdle);
  oldest_idle_ms_.store(any ? lists_[lists_.back(SpanList::kIdle)].since_ms : 0,
                        std::memory_order_relaxed);
}

bool SharedSpans::choose_span(bool with_pages, SpanNumber& chosen) noexcept {
  const auto last = with_pages ? SpanList::kIdle : SpanList::kPurged;
  for (auto list = static_cast<std::uint8_t>(SpanList::kPartial);
       list <= static_cast<std::uint8_t>(last); ++list) {
    if (lists_.empty(static_cast<SpanList>(list))) continue;
    chosen = lists_.front(static_cast<SpanList>(list));
    return true;
  }
  return !with_pages && carve(chosen);
}

bool SharedSpans::carve(SpanNumber& carved) noexcept {
  carved = carved_.load(std::memory_order_relaxed);
  const std::size_t end = (carved + std::size_t{1}) * span_bytes_;
  if (end > committed_.load(std::memory_order_relaxed)) return false;
  carved_.store(carved + 1, std::memory_order_release);
  Span& span = lists_[carved];
  for (std::uint32_t i = 0; i < span_blocks_; ++i) {
    span.free[i / 64] |= std::uint64_t{1} << (i % 64);
  }
  span.free_blocks = static_cast<std::uint8_t>(span_blocks_);
  span.zero = true;
  counters_.carved_bytes += span_bytes_;
  lists_.move_to(carved, SpanList::kPurged);
  return true;
}

std::uint32_t SharedSpans::take_from(SpanNumber n, std::span<Block> blocks) noexcept {
  Span& span = lists_[n];
  if (span.list == SpanList::kIdle) counters_.idle_bytes -= span_bytes_;
  if (span.free_blocks != span_blocks_) counters_.free_bytes -= span.free_blocks * stride_;
  std::uint32_t count = 0;
  for (std::uint32_t word = 0; word < span.free.size(); ++word) {
    while (span.free[word] != 0 && count < blocks.size()) {
      const auto bit = static_cast<std::uint32_t>(std::countr_zero(span.free[word]));
      span.free[word] &= span.free[word] - 1;
      blocks[count++] = block_at(n, word * 64 + bit);
    }
  }
  span.free_blocks = static_cast<std::uint8_t>(span.free_blocks - count);
  span.zero = false;
  refile(n);
  return count;
}

// The coarse clock, read once while the lock is held.
std::uint32_t SharedSpans::clock_ms() noexcept {
  if (clock_ms_ == 0) clock_ms_ = static_cast<std::uint32_t>(platform::coarse_milliseconds());
  return clock_ms_;
}

// Puts a span into the list that its free blocks call for; those that stay where they are keep
// their place.
void SharedSpans::refile(SpanNumber n) noexcept {
  Span& span = lists_[n];
  SpanList list = SpanList::kNone;
  if (span.free_blocks == span_blocks_) {
    list = SpanList::kIdle;
    span.since_ms = clock_ms();
    counters_.idle_bytes += span_bytes_;
  } else if (span.free_blocks > 0) {
    list = partial_list(span.free_blocks);
    counters_.free_bytes += span.free_blocks * stride_;
  }
  if (list != span.list) lists_.move_to(n, list);
}

void SharedSpans::give(std::span<const Block> blocks, bool overflow) noexcept {
  const Locked locked(*this);
  if (!locked) return defer(blocks, overflow);
  collect_deferred();
  counters_.overflows += overflow;
  counters_.drained += blocks.size() - overflow;
  give_locked(blocks);
}

void SharedSpans::give_unfilled(std::span<const Block> blocks) noexcept {
  const Locked locked(*this);
  if (!locked) return defer(blocks, false);
  counters_.filled -= blocks.size();
  give_locked(blocks);
}

// Blocks of a batch mostly come from a few spans: a span is looked up and filed once for a run of
// them.
void SharedSpans::give_locked(std::span<const Block> blocks) noexcept {
  for (std::size_t i = 0; i < blocks.size();) {
    const SpanNumber n = span_of(blocks[i]);
    const std::uintptr_t start = span_start(n);
    Span& span = lists_[n];
    if (span.free_blocks > 0) counters_.free_bytes -= span.free_blocks * stride_;
    for (; i < blocks.size() && blocks[i] - start < span_bytes_; ++i) {
      const std::uint64_t index = strides_in(blocks[i] - start);
      span.free[index / 64] |= std::uint64_t{1} << (index % 64);
      ++span.free_blocks;
    }
    refile(n);
  }
}

// Deferred blocks are linked through their guard lines, which nobody else uses meanwhile. Those
// that are not put by the program count as drained, once collected.
void SharedSpans::defer(std::span<const Block> blocks, bool overflow) noexcept {
  for (std::size_t i = 1; i < blocks.size(); ++i) guard_line(blocks[i - 1]).link = blocks[i];
  Block head = deferred_.load(std::memory_order_relaxed);
  do {
    guard_line(blocks.back()).link = head;
  } while (!deferred_.compare_exchange_weak(head, blocks.front(), std::memory_order_release));
  deferred_overflows_.fetch_add(overflow, std::memory_order_relaxed);
  deferred_count_.fetch_add(blocks.size(), std::memory_order_relaxed);
}

void SharedSpans::collect_deferred() noexcept {
  if (returned_.load(std::memory_order_relaxed) != 0) collect_returned();
  if (deferred_.load(std::memory_order_relaxed) == 0) return;
  Block block = deferred_.exchange(0, std::memory_order_acquire);
  std::uint64_t count = 0;
  for (; block != 0; ++count) {
    const Block next = guard_line(block).link;
    guard_line(block).link = 0;
    give_locked({&block, 1});
    block = next;
  }
  // Their sum is exact at once, either once no thread is about to defer any more.
  const std::uint64_t overflows = deferred_overflows_.exchange(0, std::memory_order_relaxed);
  counters_.overflows += overflows;
  counters_.drained += count - overflows;
  deferred_count_.fetch_sub(count, std::memory_order_relaxed);
}

// Outside the lock: two threads may both commit the same pages, which is harmless. Where the system
// refuses what is committed ahead, it may still have the next span.
bool SharedSpans::commit_more(std::size_t committed) noexcept {
  const std::size_t next = platform::page_above((committed / span_bytes_ + 1) * span_bytes_);
  if (next > bytes_ || refused_.stands()) return false;
  const std::size_t ahead = std::min(committed + commit_step(committed, span_bytes_), bytes_);
  if (commit_to(ahead, committed) || (next < ahead && commit_to(next, committed))) return true;
  refused_.note();
  return false;
}

bool SharedSpans::commit_to(std::size_t end, std::size_t committed) noexcept {
  const std::size_t records = platform::page_above((end / span_bytes_ + 1) * sizeof(Span));
  if (records > records_.bytes) return false;
  if (!platform::commit(reinterpret_cast<void*>(start_ + committed), end - committed)) return false;
  if (!platform::commit(reinterpret_cast<void*>(records_.start), records)) return false;
  std::size_t seen = committed;
  while (seen < end && !committed_.compare_exchange_weak(seen, end, std::memory_order_release)) {
  }
  return true;
}

// A division by the stride that is a multiplication: exact, as an offset times what the rounded
// inverse is too large by stays below 2^64.
std::uint64_t SharedSpans::strides_in(std::uint64_t offset) const noexcept {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(static_cast<Wide>(offset) * inverse_stride_ >> 64);
}

SpanNumber SharedSpans::span_of(Block block) const noexcept {
  return static_cast<SpanNumber>(strides_in(block - start_)) / span_blocks_;
}

Block SharedSpans::block_at(SpanNumber span, std::uint32_t index) const noexcept {
  return span_start(span) + index * stride_;
}

Block SharedSpans::block_around(std::uintptr_t address) const noexcept {
  return start_ + strides_in(address - start_) * stride_;
}

bool SharedSpans::is_block(Block block) const noexcept {
  return is_used() && block_around(block) == block &&
         span_of(block) < carved_.load(std::memory_order_acquire);
}

SharedSpans::Place SharedSpans::place_of(Block block) noexcept {
  const Locked locked(*this);
  if (!locked) return Place::kUnknown;
  collect_deferred();
  const SpanNumber n = span_of(block);
  const Span& span = lists_[n];
  const std::uint64_t index = strides_in(block - span_start(n));
  const bool free = (span.free[index / 64] >> (index % 64) & 1) != 0;
  if (!free) return Place::kOut;
  return span.was_purged ? Place::kFree : Place::kUnused;
}

std::uint64_t SharedSpans::restart_peak() noexcept {
  return counters_.outstanding_peak = counters_.outstanding();
}

SpanCounters SharedSpans::counters() noexcept {
  const Locked locked(*this);
  if (locked) collect_deferred();
  return counters_;
}

}  // namespace bufpool
