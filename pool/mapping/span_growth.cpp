// SPDX-License-Identifier: MIT
#include "pool/mapping/span_growth.h"

#include <algorithm>

#include "pool/mapping/huge_pages.h"
#include "pool/mapping/huge_proof.h"
#include "pool/options/policy.h"
#include "pool/platform/memory.h"

namespace bufpool {
namespace {

// The slots of a run begin at different places in their first pages, so that buffers do not meet in
// the same cache sets.
std::uint16_t offset_in_slot(const Run& run, std::uint32_t number) noexcept {
  const std::uint64_t colour = (run.start >> kChunkShift) * 7 + number * std::uint64_t{17};
  return static_cast<std::uint16_t>(colour % 64 * 64);
}

// The first run that a span can be cut from now.
Run* run_to_cut(Run* run) noexcept {
  while (run != nullptr && (run->cut == run->ready.load(std::memory_order_acquire) ||
                            run->sweeping.load(std::memory_order_acquire))) {
    run = run->next_uncut;
  }
  return run;
}

// A huge page has all its memory with its first touch. The part of it that lies behind a span that
// was just cut has pages from now on, which read as zero.
void note_rest_of_huge_page(SpanState& state, const Span& span) noexcept
    BUFPOOL_REQUIRES(state.lock) {
  Run& run = *span.run;
  if (!run.had_huge) return;
  run.cut_ms = state.clock_ms();
  if (!run.huge) return;
  const std::size_t end = run.start_of(span.number + 1, state.geometry) - run.start;
  const std::size_t end_of_page = huge_page_above(end);
  if (end_of_page > run.committed.load(std::memory_order_acquire)) return;
  const PageRange rest = run.pages_in(run.start + end, run.start + end_of_page);
  state.came_along += run.empty.clear(rest) * platform::kPageBytes;
}

// A few places where somebody else has mapped something are passed by at once. If there are many,
// as where a program has mapped terabytes, a few are passed by each time that a refusal is
// forgotten.
bool pass_by_occupied(SpanState& state) noexcept {
  const std::uint32_t before = state.occupied.fetch_add(1, std::memory_order_relaxed);
  if (before % policy::kOccupiedAtOnce != policy::kOccupiedAtOnce - 1) return true;
  state.refused.note();
  return false;
}

// No more spans come out of the run. If none ever did, because somebody else has mapped something
// there, the run is forgotten and its chunks are nobody's: it returns true then.
bool end_run(SpanState& state, Run& run) noexcept {
  {
    const LockedSpans locked(state);
    if (!locked) return false;
    if (run.cut == run.span_count) state.runs.remove_uncut(run);
    if (run.span_count != 0 || run.sweeping || run.lookers != 0) return false;
    state.remove_run(run);
  }
  abandon_run(*state.space, &run);
  return true;
}

// Maps the next pages of a run, [start, start + bytes). The first ones of a run are a mapping more.
// The others make a mapping larger that is there.
platform::Mapped map_next(const SpanState& state, const Run& run, void* start,
                          std::size_t bytes) noexcept {
  const platform::Mapped mapped = platform::map_at(start, bytes);
  const bool is_first = run.committed.load(std::memory_order_relaxed) == 0;
  if (mapped != platform::Mapped::kYes || !is_first) return mapped;
  if (state.space->mappings().may_keep_one()) return mapped;
  platform::unreserve(start, bytes);
  return platform::Mapped::kRefused;
}

// Maps `spans` spans from `start` on, or a single one if the kernel refuses so many; a run that
// wants huge pages gets small ones first. It tries once more after the mapping in reserve was given
// up. `bytes` is how much was asked for last.
platform::Mapped map(const SpanState& state, Run& run, std::uint32_t spans, void* start,
                     std::size_t& bytes) noexcept {
  const HugePages huge_pages(*state.space, state.geometry);
  const std::uint32_t ready = run.ready.load(std::memory_order_relaxed);
  const std::size_t committed = run.committed.load(std::memory_order_relaxed);
  for (;; spans = 1) {
    bytes = huge_pages.bytes_to_map(run, ready + spans) - committed;
    const platform::Mapped mapped = map_next(state, run, start, bytes);
    if (mapped != platform::Mapped::kRefused) return mapped;
    if (!state.space->mappings().yield_one() && spans == 1 && !run.huge) return mapped;
    huge_pages.want_none(run);
  }
}

// Behind the mapped part of a run nothing is mapped, unless somebody else got there first: then the
// run ends here.
bool commit(SpanState& state, Run& run, std::uint32_t spans) noexcept {
  if (state.refused.stands()) return false;
  const std::size_t committed = run.committed.load(std::memory_order_relaxed);
  auto* const start = reinterpret_cast<void*>(run.start + committed);
  std::size_t bytes = 0;
  switch (map(state, run, spans, start, bytes)) {
    case platform::Mapped::kRefused:
      state.refused.note();
      return false;
    case platform::Mapped::kOccupied:
      run.span_count.store(run.ready.load(std::memory_order_relaxed), std::memory_order_relaxed);
      return pass_by_occupied(state);
    case platform::Mapped::kYes:
      break;
  }
  const HugePages huge_pages(*state.space, state.geometry);
  const bool huge = run.huge;
  huge_pages.advise(run, start, bytes);
  run.committed = committed + bytes;
  if (huge && !run.huge) huge_pages.advise(run, start, bytes);  // they were left meanwhile
  run.ready = std::min(run.span_count.load(), state.geometry.spans_in(committed + bytes));
  state.mapped_bytes.fetch_add(bytes, std::memory_order_relaxed);
  state.space->mappings().bytes().fetch_add(bytes, std::memory_order_relaxed);
  return true;
}

std::size_t chunks_for_run(const SpanState& state, HugeGrowth::Next next) noexcept {
  const std::size_t least = chunks_above(state.geometry.span_bytes);
  if (state.geometry.span_bytes <= policy::kMostSpanOfOneChunk) return least;
  if (next == HugeGrowth::Next::kProof) return least;
  const std::size_t some = next == HugeGrowth::Next::kHuge ? policy::kLeastHugeRunChunks : least;
  const std::size_t share = state.chunks.load(std::memory_order_relaxed) / policy::kGrowthShare;
  return std::max({least, some, std::min(share, policy::kMostRunChunks)});
}

bool add_run(SpanState& state) noexcept {
  const HugeGrowth::Next next = pages_for_next_run(state);
  Run* const run = make_run(*state.space, state.geometry, chunks_for_run(state, next));
  if (run == nullptr) return false;
  run->huge = run->had_huge = next == HugeGrowth::Next::kHuge;
  {
    const LockedSpans locked(state);
    if (locked) {
      state.add_run(*run);
      return true;
    }
  }
  state.space->leave(run->start, run->chunks);
  (void)drop_run(*state.space, state.geometry.index, run);  // nothing of it is mapped
  return false;
}

}  // namespace

Span* carve_span(SpanState& state) noexcept {
  Run* const run = run_to_cut(state.runs.first_uncut());
  if (run == nullptr) return nullptr;
  const Geometry& geometry = state.geometry;
  Span& span = run->spans[run->cut];
  span.run = run;
  span.number = run->cut++;
  for (std::uint32_t i = 0; i < geometry.span_blocks; ++i) {
    span.free[i / 64] |= std::uint64_t{1} << (i % 64);
  }
  span.free_blocks = static_cast<std::uint8_t>(geometry.span_blocks);
  if (has_slots(geometry.index)) span.offset = offset_in_slot(*run, span.number);
  span.has_empty = span.zero = true;
  state.counters.carved_bytes += geometry.span_bytes;
  state.is_used.store(true, std::memory_order_release);
  if (run->cut == run->span_count) state.runs.remove_uncut(*run);
  note_rest_of_huge_page(state, span);
  state.file(span);
  return &span;
}

// The steps grow with what is there. So system calls are few, and no more than a quarter is too
// much where mlockall makes every mapped page resident.
GrowthStep choose_growth(SpanState& state) noexcept {
  for (Run* run = state.runs.first_uncut(); run != nullptr; run = run->next_uncut) {
    if (run->committing.load(std::memory_order_acquire)) continue;
    const std::size_t left = run->span_count.load() - run->ready.load();
    if (left == 0) continue;
    run->committing.store(true, std::memory_order_relaxed);
    const std::size_t least = run->huge ? kHugePageBytes : policy::kLeastMapBytes;
    const std::size_t share = state.mapped_bytes.load() / policy::kGrowthShare;
    const std::size_t bytes = std::clamp(share, least, policy::kMostMapBytes);
    const std::size_t spans = std::max<std::size_t>(bytes / state.geometry.span_bytes, 1);
    return {run, static_cast<std::uint32_t>(std::min(spans, left))};
  }
  return {};
}

bool grow(SpanState& state, const GrowthStep& step) noexcept {
  if (step.run == nullptr) return add_run(state);
  Run& run = *step.run;
  const bool grown = commit(state, run, step.spans);
  if (run.span_count != run.ready || !end_run(state, run)) {
    run.committing.store(false, std::memory_order_release);
  }
  return grown;
}

}  // namespace bufpool
