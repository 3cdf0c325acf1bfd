// SPDX-License-Identifier: MIT
// Pages of spans that are partly used go back too: those that lie in free blocks alone. Decided
// under the lock, run by run, and done outside it.
#include <algorithm>
#include <bit>

#include "pool/platform/memory.h"
#include "pool/spans/shared_spans.h"

namespace bufpool {
namespace {

// A run is as a row of blocks, counted from its start.
std::uintptr_t start_of_block(const Run& run, std::uint64_t block,
                              const Geometry& geometry) noexcept {
  return run.start + block * geometry.distance;
}

}  // namespace

std::uint64_t SharedSpans::sweep(std::uint32_t now_ms, std::uint32_t min_age_ms,
                                 std::uint32_t empty_age_ms) noexcept {
  std::uint64_t bytes = 0;
  ++sweeps_;
  for (;;) {
    Sweep sweep;
    sweep.now_ms = now_ms;
    sweep.min_age_ms = min_age_ms;
    sweep.empty_age_ms = std::min(min_age_ms, empty_age_ms);
    Run* const run = next_to_sweep(sweep);
    if (run == nullptr) return bytes;
    for (std::uint32_t i = 0; i < sweep.count; ++i) {
      Stretch& stretch = sweep.stretches[i];
      const PageRange pages = stretch.pages();
      auto* const start = reinterpret_cast<void*>(run->address_of(pages.first));
      leave_huge_pages(*run, run->address_of(pages.first), run->address_of(pages.last));
      stretch.zeroed = platform::purge(start, pages.count() * platform::kPageBytes);
    }
    bytes += finish(*run, sweep);
  }
}

void SharedSpans::drop_empty(std::uint32_t now_ms) noexcept {
  constexpr std::uint32_t kNever = ~std::uint32_t{0};
  sweep(now_ms, kNever, 0);  // finds them, once the pages that two empty spans share are gone
  sweep(now_ms, kNever, 0);
}

// The next run with pages to give back, or to be dropped, of those that this sweep has not looked
// at. Runs that were are moved to the front.
Run* SharedSpans::next_to_sweep(Sweep& sweep) noexcept {
  const Locked locked(*this);
  if (!locked) return nullptr;
  collect_deferred();
  while (last_run_ != nullptr && last_run_->swept != sweeps_) {
    Run& run = *last_run_;
    run.swept = sweeps_;
    unlink(run);
    link_first(run);
    if (run.sweeping.load(std::memory_order_acquire)) continue;
    if (!look(run, sweep)) continue;
    run.sweeping.store(true, std::memory_order_relaxed);
    return &run;
  }
  return nullptr;
}

// Whether there is something to do in a run: sets the spans aside whose pages are to go.
bool SharedSpans::look(Run& run, Sweep& sweep) noexcept {
  const std::uint32_t now_ms = sweep.now_ms;
  const std::uint32_t min_age_ms = sweep.min_age_ms;
  const bool due = run.has_quiet && span_age_ms(now_ms, run.oldest_ms) >= min_age_ms;
  if (run.is_empty) return span_age_ms(now_ms, run.empty_ms) >= sweep.empty_age_ms;
  const bool small_gains = min_age_ms == 0 && run.left_small_gains;
  if (!run.touched && !due && !small_gains) return false;
  run.touched = run.has_quiet = run.left_small_gains = false;
  for (std::uint32_t i = 0; i < run.cut && sweep.count < Sweep::kMost; ++i) {
    Span& span = run.spans[i];
    if (may_sweep(span, now_ms, min_age_ms)) {
      const bool worth_it = min_age_ms == 0 || is_worth_a_split(run, span);
      worth_it ? look_at(run, span, sweep) : end_stretch(run, sweep);
      run.left_small_gains |= !worth_it;
      continue;
    }
    end_stretch(run, sweep);
    if (span.kept == 0 || span.list == SpanList::kNone) continue;
    if (!run.has_quiet || span_age_ms(now_ms, span.since_ms) > span_age_ms(now_ms, run.oldest_ms)) {
      run.oldest_ms = span.since_ms;
    }
    run.has_quiet = true;
  }
  end_stretch(run, sweep);
  look_at_rest(run, now_ms, min_age_ms, sweep);
  if (sweep.count == Sweep::kMost) run.touched = true;  // the rest, another time
  for (std::uint32_t i = 0; i < sweep.count; ++i) {
    const Stretch& stretch = sweep.stretches[i];
    for (std::uint32_t n = stretch.first_span; n <= stretch.last_span; ++n) {
      if (!run.spans[n].purging) set_aside(run.spans[n]);
    }
  }
  if (sweep.count > 0) return true;
  if (is_all_empty(run)) {
    run.is_empty = true;
    run.empty_ms = now_ms;
  }
  return false;
}

// A span that was touched since the last look is quiet from now on. One without pages always was.
bool SharedSpans::may_sweep(Span& span, std::uint32_t now_ms, std::uint32_t min_age_ms) noexcept {
  if (span.list == SpanList::kNone) return false;
  if (span.list == SpanList::kPurged) return true;
  if (span.touched && span.list != SpanList::kIdle) span.since_ms = now_ms;
  span.touched = false;
  return span_age_ms(now_ms, span.since_ms) >= min_age_ms;
}

// Adds the free blocks of a span to the row that is open, or begins another.
void SharedSpans::look_at(Run& run, const Span& span, Sweep& sweep) const noexcept {
  const std::uint64_t before = std::uint64_t{span.number} * geometry_.span_blocks;
  for (std::uint32_t i = 0; i < geometry_.span_blocks; ++i) {
    if ((span.free[i / 64] >> i % 64 & 1) == 0) {
      end_stretch(run, sweep);
      continue;
    }
    if (sweep.open_to == 0) sweep.open_from = before + i;
    sweep.open_to = before + i + 1;
  }
}

// Behind what is cut nothing is in use, nor will it be meanwhile; what is in front of the first
// block is its own.
void SharedSpans::end_stretch(Run& run, Sweep& sweep) const noexcept {
  if (sweep.open_to == 0) return;
  const std::uint64_t from = sweep.open_from;
  const std::uint64_t to = sweep.open_to;
  sweep.open_to = 0;
  const bool last = to == std::uint64_t{run.cut} * geometry_.span_blocks;
  std::uintptr_t end = start_of_block(run, to, geometry_);
  if (last) end = end_of_rest(run);
  const PageRange pages = run.pages_in(start_of_block(run, from, geometry_), end);
  if (run.empty.count(pages.first, pages.last) == pages.count()) return;
  if (sweep.count == Sweep::kMost) return;
  sweep.add(static_cast<std::uint32_t>(from / geometry_.span_blocks),
            static_cast<std::uint32_t>((to - 1) / geometry_.span_blocks), pages);
}

// The rest of the huge page that the last span is in, once none was cut from it for a while.
void SharedSpans::look_at_rest(Run& run, std::uint32_t now_ms, std::uint32_t min_age_ms,
                               Sweep& sweep) const noexcept {
  if (!run.had_huge) return;
  const PageRange rest = run.pages_in(run.start_of(run.cut, geometry_), end_of_rest(run));
  const std::size_t kept = rest.count() - run.empty.count(rest.first, rest.last);
  const bool is_in = sweep.count > 0 && sweep.stretches[sweep.count - 1].last_page >= rest.last;
  if (kept == 0 || is_in) return;
  if (min_age_ms != 0 && kept * platform::kPageBytes < kLeastGain) {
    run.left_small_gains = true;
    return;
  }
  if (span_age_ms(now_ms, run.cut_ms) < min_age_ms) {
    if (!run.has_quiet || span_age_ms(now_ms, run.oldest_ms) < span_age_ms(now_ms, run.cut_ms)) {
      run.oldest_ms = run.cut_ms;
    }
    run.has_quiet = true;
    return;
  }
  constexpr std::uint32_t kFirst = 1;  // to the one before it: no span
  if (sweep.count < Sweep::kMost) {
    sweep.add(kFirst, kFirst - 1, rest);
  }
}

std::uint64_t SharedSpans::finish(Run& run, Sweep& sweep) noexcept {
  const std::uint32_t now_ms = sweep.now_ms;
  bool drop = false;
  std::uint64_t bytes = 0;
  {
    const Locked locked(*this);
    if (!locked) return hand_back(run, sweep);
    for (std::uint32_t i = 0; i < sweep.count; ++i) {
      const Stretch& stretch = sweep.stretches[i];
      const PageRange pages = stretch.pages();
      if (!stretch.zeroed) continue;
      bytes += run.empty.set(pages.first, pages.last) * platform::kPageBytes;
      for (std::uint32_t n = stretch.first_span; n <= stretch.last_span; ++n) {
        run.spans[n].has_empty = run.spans[n].was_purged = true;
        run.spans[n].since_ms = now_ms;
      }
    }
    for (std::uint32_t i = 0; i < sweep.count; ++i) {
      const Stretch& stretch = sweep.stretches[i];
      for (std::uint32_t n = stretch.first_span; n <= stretch.last_span; ++n) {
        if (!run.spans[n].purging) continue;
        run.spans[n].purging = false;
        file(run.spans[n]);
      }
    }
    counters_.purged_bytes += bytes;
    note_refused(run, sweep, now_ms);
    const bool was_empty = run.is_empty;
    run.is_empty = is_all_empty(run);
    if (run.is_empty) run.empty_ms = now_ms;
    const bool is_free = !run.committing && run.lookers == 0;
    drop = sweep.count == 0 && was_empty && run.is_empty && is_free;
    if (drop) forget(run, now_ms);
    run.sweeping.store(false, std::memory_order_relaxed);
  }
  if (drop && !drop_run(*space_, geometry_.index, &run)) take_back(run, now_ms);
  return bytes;
}

// Pages that the kernel keeps, as where the program has locked them, are tried again as late as
// what becomes quiet now.
void SharedSpans::note_refused(Run& run, const Sweep& sweep, std::uint32_t now_ms) noexcept {
  for (std::uint32_t i = 0; i < sweep.count; ++i) {
    if (sweep.stretches[i].zeroed || run.has_quiet) continue;
    run.has_quiet = true;
    run.oldest_ms = now_ms;
  }
}

// A run that could not be unmapped is of use again, without pages as it was. Where the lock cannot
// be had it is lost.
void SharedSpans::take_back(Run& run, std::uint32_t now_ms) noexcept {
  const Locked locked(*this);
  if (!locked || !space_->enter(run.start, run.chunks, &run)) return;
  link_first(run);
  note_run(run);
  run.next_uncut = uncut_;
  if (run.cut < run.span_count) uncut_ = &run;
  counters_.carved_bytes += run.cut * geometry_.span_bytes;
  committed_ += run.committed;
  chunks_.fetch_add(run.chunks, std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < run.cut; ++i) file(run.spans[i]);
  run.swept = sweeps_;
  run.is_empty = true;
  run.empty_ms = now_ms;
}

// Two stretches may share a span.
std::uint64_t SharedSpans::hand_back(Run& run, const Sweep& sweep) noexcept {
  std::uint32_t next = 0;
  for (std::uint32_t i = 0; i < sweep.count; ++i) {
    const Stretch& stretch = sweep.stretches[i];
    for (std::uint32_t n = std::max(next, stretch.first_span); n <= stretch.last_span; ++n) {
      hand_back(run.spans[n]);
      next = n + 1;
    }
  }
  run.sweeping.store(false, std::memory_order_release);
  return 0;
}

// No block of it is out and no page that it cut has memory.
bool SharedSpans::is_all_empty(const Run& run) const noexcept {
  for (std::uint32_t i = 0; i < run.cut; ++i) {
    if (run.spans[i].list != SpanList::kPurged) return false;
  }
  const PageRange cut = run.pages_of(run.start, run.start_of(run.cut, geometry_));
  return run.empty.count(cut.first, cut.last) == cut.count();
}

void SharedSpans::forget(Run& run, std::uint32_t now_ms) noexcept {
  if (span_age_ms(now_ms, run.empty_ms) < kRegretMs) {
    dropped_bytes_ += run.cut * geometry_.span_bytes;
    dropped_ms_ = run.empty_ms;
  }
  for (std::uint32_t i = 0; i < run.cut; ++i) lists_.move_to(run.spans[i], SpanList::kNone);
  unlink(run);
  unlink_uncut(&run);
  space_->leave(run.start, run.chunks);  // who looks it up under the lock may read its records
  counters_.carved_bytes -= run.cut * geometry_.span_bytes;
  committed_ -= run.committed;
  chunks_.fetch_sub(run.chunks, std::memory_order_relaxed);
  forget_run(run);
}

}  // namespace bufpool
