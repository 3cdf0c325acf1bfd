// SPDX-License-Identifier: MIT
#include "pool/spans/shared_spans.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "pool/platform/platform.h"

namespace bufpool {

void SharedSpans::open(ClassIndex c, ChunkSpace* space, std::uint64_t most_out) noexcept {
  const Locked locked(*this);
  if (!locked || is_open()) return;
  most_out_ = most_out;
  geometry_ = Geometry(c);
  space_ = space;
  space->use(c);
  open_.store(true, std::memory_order_release);
}

SharedSpans::Taken SharedSpans::take_wide(Block& block, const WideTake& wide) noexcept {
  return take({&block, 1}, wide.used, &wide);
}

SharedSpans::Taken SharedSpans::take(std::span<Block> blocks, std::size_t asked,
                                     const WideTake* wide) noexcept {
  if (!is_open()) return {};
  for (;;) {
    Growth growth{};
    {
      const Locked locked(*this);
      if (!locked) return {.why = Shortage::kLock};
      Taken taken = take_once(blocks, wide);
      count_taken(taken, asked);
      if (taken.count > 0) return taken;
      if (counters_.outstanding() >= most_out_) return {.why = Shortage::kLimit};
      growth = choose_growth();
    }
    if (!grow(growth)) return {.why = Shortage::kMemory};
  }
}

SharedSpans::Taken SharedSpans::take_once(std::span<Block> blocks, const WideTake* wide) noexcept {
  collect_deferred();
  Taken taken{};
  if (counters_.outstanding() >= most_out_) return taken;
  const std::uint64_t room = most_out_ - counters_.outstanding();
  if (wide != nullptr) {
    take_wide_locked(*wide, blocks[0], taken);
  } else {
    take_locked(blocks.first(std::min<std::size_t>(blocks.size(), room)), taken);
  }
  return taken;
}

// The other blocks of a span are about to be handed out, too; one that is alone may be much larger
// than what is asked for. What came along with a huge page has its memory in any case.
void SharedSpans::count_taken(Taken& taken, std::size_t asked) noexcept {
  if (taken.count == 0) return;
  begin_peak();
  const std::uint64_t came_along = std::exchange(came_along_, 0);
  taken.about_to_touch = geometry_.span_blocks > 1
                             ? taken.fresh_bytes
                             : std::min(taken.fresh_bytes, platform::page_above(asked));
  taken.about_to_touch += came_along;
  taken.fresh_bytes += came_along;
  ++counters_.misses;
  counters_.filled += taken.count - 1;
  counters_.faulted_bytes += taken.about_to_touch;
  if (taken.regret_bytes > 0) counters_.regretted_bytes += taken.about_to_touch;
  taken.record = counters_.outstanding() > counters_.outstanding_peak;
  if (taken.record) counters_.outstanding_peak = counters_.outstanding();
}

// In a forked child a record is what is more than was out before its first take.
void SharedSpans::begin_peak() noexcept {
  if (peak_of_ == OwnerLock::times_entered()) return;
  peak_of_ = OwnerLock::times_entered();
  counters_.outstanding_peak = counters_.outstanding();
}

void SharedSpans::take_locked(std::span<Block> blocks, Taken& taken) noexcept {
  // Pages are taken fresh for the caller, never just to fill a cache.
  while (taken.count < blocks.size()) {
    Span* const span = choose_span(taken.count > 0);
    const std::uint32_t before = taken.count;
    if (span != nullptr) take_from(*span, blocks, taken);
    if (taken.count == before) return;
  }
}

// Fullest first, then the idle span whose pages are warm, then one without.
Span* SharedSpans::choose_span(bool with_pages) noexcept {
  const auto last = with_pages ? SpanList::kIdle : SpanList::kPurged;
  for (auto list = static_cast<std::uint8_t>(SpanList::kPartial);
       list <= static_cast<std::uint8_t>(last); ++list) {
    if (Span* const span = lists_.front(static_cast<SpanList>(list))) return span;
  }
  return with_pages ? nullptr : carve();
}

// Blocks with pages, where the span has some. One without is for the caller, and brings its
// neighbours along.
void SharedSpans::take_from(Span& span, std::span<Block> blocks, Taken& taken) noexcept {
  const bool zero = span.zero;
  forget_kept(span);
  if (span.list != SpanList::kPurged) take_free(span, blocks, taken, Pages::kThere, zero);
  if (taken.count == 0) take_free(span, blocks, taken, Pages::kAny, zero);
  span.zero = false;
  span.was_used = span.touched = span.run->touched = true;
  if (span.free_blocks == 0) span.has_empty = false;
  file(span);
}

void SharedSpans::take_free(Span& span, std::span<Block> blocks, Taken& taken, Pages pages,
                            bool zero) noexcept {
  constexpr std::uint32_t kTries = 4;  // a span without any such block is looked at no longer
  std::uint32_t passed_over = 0;
  for (std::uint32_t word = 0; word < span.free.size(); ++word) {
    for (std::uint64_t left = span.free[word]; left != 0; left &= left - 1) {
      if (taken.count == blocks.size() || passed_over == kTries) return;
      const std::uint32_t index = word * 64 + static_cast<std::uint32_t>(std::countr_zero(left));
      const PageRange range = pages_of_block(span, index);
      const bool empties = span.has_empty && span.run->empty.count(range.first, range.last) > 0;
      if (empties && pages == Pages::kThere) {
        ++passed_over;
        continue;
      }
      const std::size_t fresh = empties ? span.run->empty.clear(range.first, range.last) : 0;
      if (fresh > 0) note_fresh(span, fresh * platform::kPageBytes, taken);
      const bool reads_zero = zero || fresh == range.count();
      if (reads_zero && taken.zeroed == taken.count) ++taken.zeroed;
      span.free[word] &= ~(left & -left);
      --span.free_blocks;
      blocks[taken.count++] = block_at(span, index);
    }
  }
}

void SharedSpans::note_fresh(const Span& span, std::uint64_t bytes, Taken& taken) noexcept {
  taken.fresh_bytes += bytes;
  if (span.was_purged && span_age_ms(clock_ms(), span.since_ms) < kRegretMs) {
    taken.regret_bytes += bytes;
  }
  if (!span.was_purged && dropped_bytes_ > 0) regret_dropped(bytes, taken);
}

// A new span stands for one that was unmapped with its run.
void SharedSpans::regret_dropped(std::uint64_t bytes, Taken& taken) noexcept {
  if (span_age_ms(clock_ms(), dropped_ms_) >= kRegretMs) {
    dropped_bytes_ = 0;
    return;
  }
  const std::uint64_t regretted = std::min(bytes, dropped_bytes_);
  dropped_bytes_ -= regretted;
  taken.regret_bytes += regretted;
}

// The coarse clock, read once while the lock is held.
std::uint32_t SharedSpans::clock_ms() noexcept {
  if (clock_ms_ == 0) clock_ms_ = platform::now_ms();
  return clock_ms_;
}

// Spans in lists are counted. Before a span changes, its share is subtracted here. Afterwards
// file() adds the new one.
void SharedSpans::forget_kept(const Span& span) noexcept {
  if (span.list == SpanList::kNone) return;
  (span.list == SpanList::kIdle ? counters_.idle_bytes : counters_.free_bytes) -= span.kept;
}

std::uint64_t SharedSpans::kept_bytes(const Span& span) const noexcept {
  const std::uint64_t free = span.free_blocks == geometry_.span_blocks
                                 ? geometry_.span_bytes
                                 : span.free_blocks * geometry_.distance;
  if (!span.has_empty) return free;
  const PageRange range = pages_of_span(span);
  const std::uint64_t empty = span.run->empty.count(range.first, range.last);
  return free - std::min(free, empty * platform::kPageBytes);
}

// All free: purged where no page that is the span's alone has memory.
SpanList SharedSpans::list_for(const Span& span) const noexcept {
  if (span.purging || span.free_blocks == 0) return SpanList::kNone;
  if (span.free_blocks < geometry_.span_blocks) return partial_list(span.free_blocks);
  if (!span.has_empty) return SpanList::kIdle;
  const std::uintptr_t start = start_of(span);
  const PageRange inside = span.run->pages_in(start, start + geometry_.span_bytes);
  const bool empty = span.run->empty.count(inside.first, inside.last) == inside.count();
  return empty ? SpanList::kPurged : SpanList::kIdle;
}

// Puts a span into the list that its free blocks call for; those that stay where they are keep
// their place.
void SharedSpans::file(Span& span) noexcept {
  const SpanList list = list_for(span);
  const bool counted = list != SpanList::kNone && list != SpanList::kPurged;
  span.kept = counted ? kept_bytes(span) : 0;
  if (list == SpanList::kIdle) {
    span.since_ms = clock_ms();
    counters_.idle_bytes += span.kept;
  } else {
    counters_.free_bytes += span.kept;
  }
  if (list != span.list) lists_.move_to(span, list);
}

// For those who look without the lock.
void SharedSpans::publish() noexcept {
  clock_ms_ = 0;
  idle_bytes_.store(counters_.idle_bytes, std::memory_order_relaxed);
  free_bytes_.store(counters_.free_bytes, std::memory_order_relaxed);
  misses_.store(counters_.misses, std::memory_order_relaxed);
  const Span* const oldest = lists_.back(SpanList::kIdle);
  oldest_idle_ms_.store(oldest != nullptr ? oldest->since_ms : 0, std::memory_order_relaxed);
  if (page_ != nullptr) tell();
}

// What is told of the class on the statistics page under its lock. What its stacks hold and did is
// added by the readers.
void SharedSpans::tell() const noexcept {
  StatsRow* const row = page_->row(row_);
  if (row == nullptr || !is_used()) return;
  const ClassIndex c{row_};
  const ClassForkAccount& then = *at_fork_;
  const std::uint32_t sequence = row->sequence;
  put_word(row->sequence, sequence | 1);
  std::atomic_thread_fence(std::memory_order_release);
  if (row->stride_bytes == 0) put_word(row->retained, ~std::uint64_t{0});
  put_word(row->buffer_bytes, std::uint64_t{buffer_bytes(c)});
  put_word(row->stride_bytes, std::uint64_t{stride_bytes(c)});
  put_word(row->gets, counters_.misses - then.gets);
  put_word(row->misses, counters_.misses - then.misses);
  put_word(row->puts, counters_.overflows - then.puts);
  put_word(row->overflows, counters_.overflows - then.overflows);
  put_word(row->in_use, counters_.misses - counters_.overflows);
  put_word(row->granted, counters_.misses * stride_bytes(c) - then.granted);
  put_word(row->idle, counters_.idle_bytes + counters_.free_bytes);
  put_word(row->carved, counters_.carved_bytes);
  put_word(row->purged, counters_.purged_bytes - then.purged);
  put_word(row->faulted, counters_.faulted_bytes - then.faulted);
  put_word(row->regretted, counters_.regretted_bytes - then.regretted);
  std::atomic_ref(row->sequence).store((sequence | 1) + 1, std::memory_order_release);
}

void SharedSpans::reset_peak() noexcept {
  const Locked locked(*this);
  if (locked) counters_.outstanding_peak = counters_.outstanding();
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
    Span& span = span_of(blocks[i]);
    const std::uintptr_t start = start_of(span);
    forget_kept(span);
    for (; i < blocks.size() && blocks[i] - start < geometry_.span_bytes; ++i) {
      const std::uint64_t index = geometry_.blocks_in(blocks[i] - start);
      span.free[index / 64] |= std::uint64_t{1} << (index % 64);
      ++span.free_blocks;
    }
    span.touched = span.run->touched = true;
    file(span);
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
  collect_returned();
  if (deferred_.load(std::memory_order_relaxed) == 0) return;
  Block block = deferred_.exchange(0, std::memory_order_acquire);
  std::uint64_t count = 0;
  for (; block != 0; ++count) {
    const Block next = guard_line(block).link;
    guard_line(block).link = 0;
    forget_empty(block);
    give_locked({&block, 1});
    block = next;
  }
  // Their sum is exact at once, either once no thread is about to defer any more.
  const std::uint64_t overflows = deferred_overflows_.exchange(0, std::memory_order_relaxed);
  counters_.overflows += overflows;
  counters_.drained += count - overflows;
  deferred_count_.fetch_sub(count, std::memory_order_relaxed);
}

// A block that was deferred may have been one that grew.
void SharedSpans::forget_empty(Block block) noexcept {
  Span& span = span_of(block);
  if (geometry_.span_blocks != 1 || !span.has_empty) return;
  const PageRange range = pages_of_span(span);
  span.run->empty.clear(range.first, range.last);
  span.has_empty = false;
}

Span& SharedSpans::span_of(Block block) const noexcept {
  const Run* const run = run_at(block);
  return run->spans[geometry_.blocks_in(block - run->start) / geometry_.span_blocks];
}

Block SharedSpans::block_at(const Span& span, std::uint32_t index) const noexcept {
  return start_of(span) + index * geometry_.distance + span.offset;
}

PageRange SharedSpans::pages_of_block(const Span& span, std::uint32_t index) const noexcept {
  const std::uintptr_t start = start_of(span) + index * geometry_.distance;
  return span.run->pages_of(start, start + geometry_.distance);
}

PageRange SharedSpans::pages_of_span(const Span& span) const noexcept {
  const std::uintptr_t start = start_of(span);
  return span.run->pages_of(start, start + geometry_.span_bytes);
}

Block SharedSpans::block_around(std::uintptr_t address) const noexcept {
  const Run* const run = run_at(address);
  if (run == nullptr) return 0;
  const std::uint64_t number = geometry_.blocks_in(address - run->start);
  if (number / geometry_.span_blocks >= run->span_count) return 0;
  const Block block = run->start + number * geometry_.distance;
  return block + run->spans[number / geometry_.span_blocks].offset;
}

// The lock as in is_block().
std::uintptr_t SharedSpans::mapped_end(std::uintptr_t address) noexcept {
  const Locked locked(*this);
  const Run* const run = run_at(address);
  return run == nullptr ? 0 : run->start + run->committed.load(std::memory_order_acquire);
}

bool SharedSpans::maps(std::uintptr_t address) noexcept { return address < mapped_end(address); }

// Under the lock no run is dropped. Where it cannot be had the look is without, as the fault of a
// pointer is to be told there, too.
bool SharedSpans::is_block(Block block) noexcept {
  if (!is_used() || block == 0) return false;
  const Locked locked(*this);
  const Run* const run = run_at(block);
  if (run == nullptr || block_around(block) != block) return false;
  return run->spans[geometry_.blocks_in(block - run->start) / geometry_.span_blocks].was_used;
}

SharedSpans::Place SharedSpans::place_of(Block block) noexcept {
  const Locked locked(*this);
  if (!locked) return Place::kUnknown;
  collect_deferred();
  const Span& span = span_of(block);
  const std::uint64_t index = geometry_.blocks_in(block - start_of(span));
  if ((span.free[index / 64] >> index % 64 & 1) == 0) return Place::kOut;
  return span.was_purged ? Place::kFree : Place::kUnused;
}

// Of a class that is not open nothing was counted. A fork does not wait for the owner of its lock.
SpanCounters SharedSpans::counters() noexcept {
  if (!is_open()) return {};
  const Locked locked(*this);
  if (locked) collect_deferred();
  return counters_;
}

}  // namespace bufpool
