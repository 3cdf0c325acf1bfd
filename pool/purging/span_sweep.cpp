// SPDX-License-Identifier: MIT
#include "pool/purging/span_sweep.h"

#include <algorithm>

#include "pool/platform/memory.h"

namespace bufpool {

std::uint64_t SpanSweep::sweep(std::uint32_t now_ms, Milliseconds min_age) noexcept {
  return sweep({now_ms, min_age, std::min(min_age, kRegret)});
}

// The first sweep finds the runs, once the pages are gone that two empty spans share. The second
// drops them.
void SpanSweep::drop_empty(std::uint32_t now_ms) noexcept {
  constexpr Milliseconds kNever{~std::uint32_t{0}};
  sweep({now_ms, kNever, Milliseconds{0}});
  sweep({now_ms, kNever, Milliseconds{0}});
}

std::uint64_t SpanSweep::sweep(const SweepRule& rule) noexcept {
  std::uint64_t bytes = 0;
  ++state_.sweeps;
  for (;;) {
    RunLook look(huge_pages_, state_.geometry, rule);
    Run* const run = next_run(look);
    if (run == nullptr) return bytes;
    give_back(*run, look);
    bytes += finish(*run, look, rule.now_ms);
  }
}

// The next run with pages to give back, or to be dropped, of those that this sweep has not looked
// at. Each run that was looked at is moved to the front. nullptr: there is none, or the lock is
// refused.
Run* SpanSweep::next_run(RunLook& look) noexcept {
  const LockedSpans locked(state_);
  if (!locked) return nullptr;
  state_.collect_deferred();
  for (;;) {
    Run* const run = state_.runs.last();
    if (run == nullptr || run->swept == state_.sweeps) return nullptr;
    run->swept = state_.sweeps;
    state_.runs.move_to_front(*run);
    if (run->sweeping.load(std::memory_order_acquire) || !look.look(*run, locked)) continue;
    set_aside_spans(*run, look);
    run->sweeping.store(true, std::memory_order_relaxed);
    return run;
  }
}

void SpanSweep::set_aside_spans(Run& run, RunLook& look) noexcept {
  for (const Stretch& stretch : look.stretches()) {
    for (std::uint32_t n = stretch.first_span; n <= stretch.last_span; ++n) {
      if (!run.spans[n].purging) state_.set_aside(run.spans[n]);
    }
  }
}

void SpanSweep::give_back(Run& run, RunLook& look) noexcept {
  for (Stretch& stretch : look.stretches()) {
    const std::uintptr_t start = run.address_of(stretch.first_page);
    huge_pages_.leave(run, start, run.address_of(stretch.last_page));
    stretch.zeroed = platform::purge(reinterpret_cast<void*>(start),
                                     stretch.pages().count() * platform::kPageBytes);
  }
}

std::uint64_t SpanSweep::finish(Run& run, RunLook& look, std::uint32_t now_ms) noexcept {
  bool drop = false;
  std::uint64_t bytes = 0;
  {
    const LockedSpans locked(state_);
    if (!locked) {
      leave_to_next_owner(run, look);
      return 0;
    }
    bytes = note_given_back(run, look, now_ms);
    file_spans(run, look);
    drop = is_to_be_dropped(run, !look.stretches().empty(), now_ms, locked);
    if (drop) forget(run, now_ms);
    run.sweeping.store(false, std::memory_order_relaxed);
  }
  if (drop && !drop_run(*state_.space, state_.geometry.index, &run)) take_back(run, now_ms);
  return bytes;
}

// Pages that the kernel keeps, as where the program has locked them, are tried again when what
// becomes quiet now is old enough.
std::uint64_t SpanSweep::note_given_back(Run& run, RunLook& look, std::uint32_t now_ms) noexcept {
  std::uint64_t bytes = 0;
  for (const Stretch& stretch : look.stretches()) {
    if (!stretch.zeroed) {
      if (!run.has_quiet) run.oldest_ms = now_ms;
      run.has_quiet = true;
      continue;
    }
    bytes += run.empty.set(stretch.pages()) * platform::kPageBytes;
    for (std::uint32_t n = stretch.first_span; n <= stretch.last_span; ++n) {
      run.spans[n].has_empty = run.spans[n].was_purged = true;
      run.spans[n].since_ms = now_ms;
    }
  }
  state_.counters.purged_bytes += bytes;
  return bytes;
}

void SpanSweep::file_spans(Run& run, RunLook& look) noexcept {
  for (const Stretch& stretch : look.stretches()) {
    for (std::uint32_t n = stretch.first_span; n <= stretch.last_span; ++n) {
      if (!run.spans[n].purging) continue;
      run.spans[n].purging = false;
      state_.file(run.spans[n]);
    }
  }
}

// A run is dropped if it was found empty by an earlier sweep, is empty still, and nobody maps pages
// of it or reads its record.
bool SpanSweep::is_to_be_dropped(Run& run, bool gave_back, std::uint32_t now_ms,
                                 const LockedSpans& locked) noexcept {
  const bool was_empty = run.is_empty;
  run.is_empty = is_all_empty(run, state_.geometry, locked);
  if (run.is_empty) run.empty_ms = now_ms;
  return !gave_back && was_empty && run.is_empty && !run.committing && run.lookers == 0;
}

void SpanSweep::forget(Run& run, std::uint32_t now_ms) noexcept {
  if (span_age(now_ms, run.empty_ms) < kRegret) {
    state_.dropped.note(run.cut * state_.geometry.span_bytes, run.empty_ms);
  }
  for (std::uint32_t i = 0; i < run.cut; ++i) state_.lists.move_to(run.spans[i], SpanList::kNone);
  state_.remove_run(run);
}

std::uint64_t SpanSweep::drop_idle(std::uint32_t now_ms) noexcept {
  std::uint64_t bytes = 0;
  ++state_.sweeps;
  for (;;) {
    const Detached detached = detach_idle_run(now_ms);
    if (detached.run == nullptr) return bytes;
    if (drop_run(*state_.space, state_.geometry.index, detached.run)) {
      note_unmapped(detached.bytes);
      bytes += detached.bytes;
    } else {
      take_back(*detached.run, now_ms);
    }
  }
}

// Returns the next run with pages of which no block is out, of those that this sweep has not looked
// at.
SpanSweep::Detached SpanSweep::detach_idle_run(std::uint32_t now_ms) noexcept {
  const LockedSpans locked(state_);
  if (!locked) return {};
  state_.collect_deferred();
  for (;;) {
    Run* const run = state_.runs.last();
    if (run == nullptr || run->swept == state_.sweeps) return {};
    run->swept = state_.sweeps;
    state_.runs.move_to_front(*run);
    const std::uint64_t bytes = kept_if_idle(*run);
    if (bytes == 0) continue;
    for (std::uint32_t i = 0; i < run->cut; ++i) state_.uncount(run->spans[i]);
    forget(*run, now_ms);
    return {run, bytes};
  }
}

// Returns the bytes that the idle spans of a run keep. They are 0 if a block is out, or if another
// thread works on the run.
std::uint64_t SpanSweep::kept_if_idle(const Run& run) const noexcept {
  if (run.sweeping.load(std::memory_order_acquire) || run.committing || run.lookers != 0) return 0;
  std::uint64_t bytes = 0;
  for (std::uint32_t i = 0; i < run.cut; ++i) {
    const Span& span = run.spans[i];
    if (span.list != SpanList::kIdle && span.list != SpanList::kPurged) return 0;
    bytes += span.kept;
  }
  return bytes;
}

void SpanSweep::note_unmapped(std::uint64_t bytes) noexcept {
  const LockedSpans locked(state_);
  if (locked) state_.counters.purged_bytes += bytes;
}

// Takes a run back that could not be unmapped. It is of use again, with the pages that it had. If
// the lock is refused, the run is lost.
void SpanSweep::take_back(Run& run, std::uint32_t now_ms) noexcept {
  const LockedSpans locked(state_);
  if (!locked || !state_.space->enter(run.start, run.chunks, &run)) return;
  state_.add_run(run);
  for (std::uint32_t i = 0; i < run.cut; ++i) state_.file(run.spans[i]);
  run.swept = state_.sweeps;
  run.is_empty = is_all_empty(run, state_.geometry, locked);
  run.empty_ms = now_ms;
}

// A span that two stretches share is left once.
void SpanSweep::leave_to_next_owner(Run& run, RunLook& look) noexcept {
  std::uint32_t next = 0;
  for (const Stretch& stretch : look.stretches()) {
    for (std::uint32_t n = std::max(next, stretch.first_span); n <= stretch.last_span; ++n) {
      state_.returned.add(run.spans[n]);
      next = n + 1;
    }
  }
  run.sweeping.store(false, std::memory_order_release);
}

}  // namespace bufpool
