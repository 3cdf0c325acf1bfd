// SPDX-License-Identifier: MIT
// Where a class's spans come from: the rest of its runs, committed step by step, and new runs.
#include <algorithm>

#include "pool/platform/platform.h"
#include "pool/spans/shared_spans.h"

namespace bufpool {
namespace {

constexpr std::size_t kLeastCommit = 256 << 10;
constexpr std::size_t kMostCommit = 32 << 20;

// A class of small spans takes its chunks one by one, so that they become empty again; one of large
// spans takes more at a time, as so many of a chunk or two leave much of it unused.
constexpr std::size_t kLeastShared = 256 << 10;
constexpr std::size_t kMostRunChunks = 16;
// What is left at the end of a run is no whole huge page.
constexpr std::size_t kLeastHugeChunks = 4;

// The slots of a run begin at different places in their first pages, so that buffers do not meet in
// the same cache sets.
std::uint16_t offset_in_slot(const Run& run, std::uint32_t number) noexcept {
  const std::uint64_t colour = (run.start >> kChunkShift) * 7 + number * std::uint64_t{17};
  return static_cast<std::uint16_t>(colour % 64 * 64);
}

}  // namespace

Span* SharedSpans::carve() noexcept {
  Run* run = uncut_;
  while (run != nullptr && (run->cut == run->ready.load(std::memory_order_acquire) ||
                            run->sweeping.load(std::memory_order_acquire)))
    run = run->next_uncut;
  if (run == nullptr) return nullptr;
  Span& span = run->spans[run->cut];
  span.run = run;
  span.number = run->cut++;
  for (std::uint32_t i = 0; i < geometry_.span_blocks; ++i) {
    span.free[i / 64] |= std::uint64_t{1} << (i % 64);
  }
  span.free_blocks = static_cast<std::uint8_t>(geometry_.span_blocks);
  if (has_slots(geometry_.index)) span.offset = offset_in_slot(*run, span.number);
  span.has_empty = span.zero = true;
  counters_.carved_bytes += geometry_.span_bytes;
  used_.store(true, std::memory_order_relaxed);
  if (run->cut == run->span_count) unlink_uncut(run);
  note_rest_of_huge_page(span);
  file(span);
  return &span;
}

void SharedSpans::unlink_uncut(Run* run) noexcept {
  Run** link = &uncut_;
  while (*link != nullptr && *link != run) link = &(*link)->next_uncut;
  if (*link != nullptr) *link = run->next_uncut;
}

// Commits grow with what is there: few system calls, and no more than a quarter too much where
// mlockall makes every committed page resident. Of a run one thread at a time commits; another
// takes the next, as it must not wait.
SharedSpans::Growth SharedSpans::choose_growth() noexcept {
  for (Run* run = uncut_; run != nullptr; run = run->next_uncut) {
    if (run->committing.load(std::memory_order_acquire)) continue;
    const std::size_t left = run->span_count.load() - run->ready.load();
    if (left == 0) continue;
    run->committing.store(true, std::memory_order_relaxed);
    const std::size_t least = run->huge ? kHugePageBytes : kLeastCommit;
    const std::size_t step = std::clamp(committed_.load() / 4, least, kMostCommit);
    const std::size_t spans = std::max<std::size_t>(step / geometry_.span_bytes, 1);
    return {run, static_cast<std::uint32_t>(std::min(spans, left))};
  }
  return {};
}

bool SharedSpans::grow(const Growth& growth) noexcept {
  if (growth.run == nullptr) return add_run();
  Run& run = *growth.run;
  const bool grown = commit(run, growth.spans);
  if (run.span_count != run.ready || !end_run(run)) {
    run.committing.store(false, std::memory_order_release);
  }
  return grown;
}

// No more spans come out of a run. True: none ever did, as somebody else has mapped something
// there, and its records are gone; its chunks are nobody's.
bool SharedSpans::end_run(Run& run) noexcept {
  {
    const Locked locked(*this);
    if (!locked) return false;
    if (run.cut == run.span_count) unlink_uncut(&run);
    if (run.span_count != 0 || run.sweeping || run.lookers != 0) return false;
    unlink(run);
    forget_run(run);
    space_->leave(run.start, run.chunks);
    chunks_.fetch_sub(run.chunks, std::memory_order_relaxed);
  }
  abandon_run(*space_, &run);
  return true;
}

// A few places where somebody else is are passed by at once. Of many, as where a program has mapped
// terabytes, some are passed by as often as a refusal is forgotten.
bool SharedSpans::pass_by_occupied() noexcept {
  constexpr std::uint32_t kAtOnce = 8;
  if (occupied_.fetch_add(1, std::memory_order_relaxed) % kAtOnce != kAtOnce - 1) return true;
  refused_.note();
  return false;
}

// Maps the pages [start, start + bytes), which are a run's next ones. The first ones of a run are a
// mapping more. The others make one larger that is there.
platform::Mapped SharedSpans::map_next(bool first, void* start, std::size_t bytes) noexcept {
  const auto mapped = platform::map_at(start, bytes);
  if (!first || mapped != platform::Mapped::kYes || space_->may_keep_mapping()) return mapped;
  platform::unreserve(start, bytes);
  return platform::Mapped::kRefused;
}

// What the run has beyond its committed part is mapped by nobody, unless somebody got there first:
// then the run ends here. Where much is refused, what is needed may still be had.
bool SharedSpans::commit(Run& run, std::uint32_t spans) noexcept {
  if (refused_.stands()) return false;
  const std::uint32_t ready = run.ready.load(std::memory_order_relaxed);
  const std::size_t committed = run.committed.load(std::memory_order_relaxed);
  auto* const start = reinterpret_cast<void*>(run.start + committed);
  std::size_t bytes = 0;
  auto mapped = platform::Mapped::kRefused;
  for (;; spans = 1) {
    bytes = bytes_to_map(run, ready + spans) - committed;
    mapped = map_next(committed == 0, start, bytes);
    if (mapped != platform::Mapped::kRefused) break;
    if (!space_->yield_mapping() && spans == 1 && !run.huge) break;
    want_no_huge_pages(run);
  }
  if (mapped == platform::Mapped::kRefused) {
    refused_.note();
    return false;
  }
  if (mapped == platform::Mapped::kOccupied) {
    run.span_count.store(ready, std::memory_order_relaxed);
    return pass_by_occupied();
  }
  const bool huge = run.huge;
  advise(run, start, bytes);
  run.committed = committed + bytes;
  if (huge && !run.huge) advise(run, start, bytes);  // they were left meanwhile
  run.ready = std::min(run.span_count.load(), geometry_.spans_in(committed + bytes));
  committed_.fetch_add(bytes, std::memory_order_relaxed);
  space_->count_committed(bytes);
  return true;
}

std::size_t SharedSpans::chunks_for_run(HugeGrowth::Next next) const noexcept {
  const std::size_t least = chunks_above(geometry_.span_bytes);
  if (geometry_.span_bytes <= kLeastShared) return least;
  if (next == HugeGrowth::Next::kProof) return least;
  const std::size_t some = next == HugeGrowth::Next::kHuge ? kLeastHugeChunks : least;
  const std::size_t share = chunks_.load(std::memory_order_relaxed) / 4;
  return std::max({least, some, std::min(share, kMostRunChunks)});
}

void SharedSpans::link_first(Run& run) noexcept {
  run.prev = nullptr;
  run.next = runs_;
  (runs_ != nullptr ? runs_->prev : last_run_) = &run;
  runs_ = &run;
}

void SharedSpans::unlink(Run& run) noexcept {
  (run.prev != nullptr ? run.prev->next : runs_) = run.next;
  (run.next != nullptr ? run.next->prev : last_run_) = run.prev;
}

bool SharedSpans::add_run() noexcept {
  const HugeGrowth::Next next = pages_for_next_run();
  Run* const run = make_run(*space_, geometry_, chunks_for_run(next));
  if (run == nullptr) return false;
  run->huge = run->had_huge = next == HugeGrowth::Next::kHuge;
  {
    const Locked locked(*this);
    if (locked) {
      note_run(*run);
      link_first(*run);
      run->next_uncut = uncut_;
      uncut_ = run;
      chunks_.fetch_add(run->chunks, std::memory_order_relaxed);
      return true;
    }
  }
  space_->leave(run->start, run->chunks);
  (void)drop_run(*space_, geometry_.index, run);  // nothing of it is mapped
  return false;
}

}  // namespace bufpool
