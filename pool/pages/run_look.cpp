// SPDX-License-Identifier: MIT
#include "pool/pages/run_look.h"

#include "pool/options/policy.h"
#include "pool/platform/memory.h"

namespace bufpool {
namespace {

// Returns where a block starts. A run is a row of blocks, which are counted from its start.
std::uintptr_t start_of_block(const Run& run, std::uint64_t block,
                              const Geometry& geometry) noexcept {
  return run.start + block * geometry.distance;
}

}  // namespace

bool is_all_empty(const Run& run, const Geometry& geometry,
                  const LockedSpans& /*locked*/) noexcept {
  for (std::uint32_t i = 0; i < run.cut; ++i) {
    if (run.spans[i].list != SpanList::kPurged) return false;
  }
  return run.empty.has_all(run.pages_of(run.start, run.start_of(run.cut, geometry)));
}

bool RunLook::look(Run& run, const LockedSpans& locked) noexcept {
  if (run.is_empty) return span_age(rule_.now_ms, run.empty_ms) >= rule_.empty_age;
  if (!is_due(run)) return false;
  run.touched = run.has_quiet = run.left_small_gains = false;
  look_at_spans(run);
  look_at_rest(run);
  if (count_ == kMostStretches) run.touched = true;  // the others go another time
  if (count_ > 0) return true;
  if (is_all_empty(run, geometry_, locked)) {
    run.is_empty = true;
    run.empty_ms = rule_.now_ms;
  }
  return false;
}

// Returns whether something may have changed in a run since the last look.
bool RunLook::is_due(const Run& run) const noexcept {
  const bool grew_old = run.has_quiet && span_age(rule_.now_ms, run.oldest_ms) >= rule_.min_age;
  const bool small_gains = takes_all() && run.left_small_gains;
  return run.touched || grew_old || small_gains;
}

void RunLook::look_at_spans(Run& run) noexcept {
  for (std::uint32_t i = 0; i < run.cut && count_ < kMostStretches; ++i) {
    Span& span = run.spans[i];
    if (may_sweep(span)) {
      const bool worth_it = takes_all() || huge_pages_.is_worth_a_split(run, span);
      worth_it ? add_free_blocks(run, span) : end_stretch(run);
      run.left_small_gains |= !worth_it;
      continue;
    }
    end_stretch(run);
    if (span.kept > 0 && span.list != SpanList::kNone) note_quiet(run, span.since_ms);
  }
  end_stretch(run);
}

// Returns whether a span was quiet for long enough. One that was touched since the last look is
// quiet from now on. One without pages always is.
bool RunLook::may_sweep(Span& span) const noexcept {
  if (span.list == SpanList::kNone) return false;
  if (span.list == SpanList::kPurged) return true;
  if (span.touched && span.list != SpanList::kIdle) span.since_ms = rule_.now_ms;
  span.touched = false;
  return span_age(rule_.now_ms, span.since_ms) >= rule_.min_age;
}

// Notes that something in the run has been quiet since `since_ms`, for a later look.
void RunLook::note_quiet(Run& run, std::uint32_t since_ms) const noexcept {
  const Milliseconds age = span_age(rule_.now_ms, since_ms);
  if (!run.has_quiet || age > span_age(rule_.now_ms, run.oldest_ms)) run.oldest_ms = since_ms;
  run.has_quiet = true;
}

// Adds the free blocks of a span to the row that is open, or begins another.
void RunLook::add_free_blocks(const Run& run, const Span& span) noexcept {
  const std::uint64_t before = std::uint64_t{span.number} * geometry_.span_blocks;
  for (std::uint32_t i = 0; i < geometry_.span_blocks; ++i) {
    if (!is_free(span, i)) {
      end_stretch(run);
      continue;
    }
    if (open_to_ == 0) open_from_ = before + i;
    open_to_ = before + i + 1;
  }
}

// Ends the row that is open. Behind the last span that was cut nothing is in use, nor will it be
// while the run is swept, so a row that ends there takes the rest of its page along. In front of
// the first block nothing belongs to anybody else.
void RunLook::end_stretch(const Run& run) noexcept {
  if (open_to_ == 0) return;
  const std::uint64_t from = open_from_;
  const std::uint64_t to = open_to_;
  open_to_ = 0;
  const bool last = to == std::uint64_t{run.cut} * geometry_.span_blocks;
  const std::uintptr_t end =
      last ? huge_pages_.end_of_rest(run) : start_of_block(run, to, geometry_);
  const PageRange pages = run.pages_in(start_of_block(run, from, geometry_), end);
  if (run.empty.has_all(pages) || count_ == kMostStretches) return;
  add(static_cast<std::uint32_t>(from / geometry_.span_blocks),
      static_cast<std::uint32_t>((to - 1) / geometry_.span_blocks), pages);
}

// Looks at the rest of the huge page that the last span lies in. It goes back once no span was cut
// from it for a while.
void RunLook::look_at_rest(Run& run) noexcept {
  if (!run.had_huge) return;
  const std::uintptr_t start = run.start_of(run.cut, geometry_);
  const PageRange rest = run.pages_in(start, huge_pages_.end_of_rest(run));
  const std::size_t kept = rest.count() - run.empty.count(rest);
  const bool is_in = count_ > 0 && stretches_[count_ - 1].last_page >= rest.last;
  if (kept == 0 || is_in) return;
  if (!takes_all() && kept * platform::kPageBytes < policy::kLeastHugeGain) {
    run.left_small_gains = true;
    return;
  }
  if (span_age(rule_.now_ms, run.cut_ms) < rule_.min_age) return note_quiet(run, run.cut_ms);
  if (count_ < kMostStretches) add(1, 0, rest);
}

}  // namespace bufpool
