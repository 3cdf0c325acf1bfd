// SPDX-License-Identifier: MIT
// Runs with huge pages: which have them, what comes along with a span that is cut, and what is done
// before a part of them goes back.
#include <algorithm>
#include <array>

#include "pool/platform/memory_limits.h"
#include "pool/platform/platform.h"
#include "pool/spans/shared_spans.h"

namespace bufpool {
namespace {

constexpr std::size_t above(std::size_t bytes) noexcept {
  return (bytes + kHugePageBytes - 1) & ~(kHugePageBytes - 1);
}

// Looks at pieces of [start, end) that lie evenly over it: as many calls whatever its length.
bool looks_dense(std::uintptr_t start, std::uintptr_t end) noexcept {
  constexpr std::size_t kPieces = 16;
  constexpr std::size_t kMostPages = 64;
  std::array<unsigned char, kMostPages> seen;
  const std::size_t distance = (end - start) / platform::kPageBytes / kPieces;
  const std::size_t pages = std::min(distance, kMostPages);
  std::size_t resident = 0;
  const platform::SafeCalls safe = platform::safe_calls();
  if (safe == platform::SafeCalls::kFew) return false;
  for (std::size_t i = 0; i < kPieces; ++i) {
    const std::uintptr_t piece = start + i * distance * platform::kPageBytes;
    if (!platform::see_resident(piece, pages, seen.data(), safe)) return false;
    resident += static_cast<std::size_t>(std::count_if(
        seen.begin(), seen.begin() + pages, [](unsigned char page) { return (page & 1) != 0; }));
  }
  return HugeGrowth::is_dense(resident, kPieces * pages);
}

}  // namespace

// The youngest run of small pages, if it is to be looked at now. It stays meanwhile. Pre: locked.
Run* SharedSpans::choose_proof() noexcept {
  if (proof_ == nullptr || !huge_growth_.wants_look()) return nullptr;
  if (proof_->cut == 0 || proof_->cut != proof_->span_count) return nullptr;
  ++proof_->lookers;
  return proof_;
}

// To be asked once for each run, under no lock.
HugeGrowth::Next SharedSpans::pages_for_next_run() noexcept {
  using Next = HugeGrowth::Next;
  const HugePagesChoice choice = space_->huge_pages();
  if (choice == HugePagesChoice::kOff) return Next::kSmall;
  if (choice == HugePagesChoice::kOn) {
    return space_->may_have_huge_pages() ? Next::kHuge : Next::kSmall;
  }
  Run* proof = nullptr;
  {
    const Locked locked(*this);
    if (!locked) return Next::kSmall;
    proof = choose_proof();
    if (proof == nullptr) return huge_growth_.next();
  }
  const bool dense = space_->may_have_huge_pages() &&
                     looks_dense(proof->start, proof->start_of(proof->span_count, geometry_));
  --proof->lookers;
  const Locked locked(*this);
  if (!locked) return Next::kSmall;
  huge_growth_.note_look(dense);
  return huge_growth_.next();
}

// Pre for this and the next: locked.
void SharedSpans::note_run(Run& run) noexcept {
  huge_growth_.add_run(run.chunks * kChunkBytes, run.had_huge);
  if (!run.had_huge) proof_ = &run;
}

void SharedSpans::forget_run(Run& run) noexcept {
  huge_growth_.remove_run(run.chunks * kChunkBytes, run.had_huge);
  if (proof_ == &run) proof_ = nullptr;
}

// How much of a run is to be mapped for its first `spans` spans: whole huge pages where it has
// those. The last one is mapped whole where the spans leave an eighth of it at most; what is not
// all mapped has small pages.
std::size_t SharedSpans::bytes_to_map(const Run& run, std::uint32_t spans) const noexcept {
  const std::size_t bytes = platform::page_above(run.start_of(spans, geometry_)) - run.start;
  if (!run.huge) return bytes;
  const std::size_t all = platform::page_above(run.start_of(run.span_count, geometry_)) - run.start;
  const bool whole = above(all) - all <= kLeastGain;
  return std::min(above(bytes), whole ? above(all) : all);
}

// Asks for huge pages in what was just mapped, where its run has those. Elsewhere `off` asks for
// none, as the system may give some to everybody.
void SharedSpans::advise(Run& run, void* start, std::size_t bytes) noexcept {
  if (space_->avoids_new_calls()) {
    run.huge = false;
  } else if (run.huge) {
    if (!platform::want_huge_pages(start, bytes)) return want_no_huge_pages(run);
    run.wants_huge = true;
  } else if (run.had_huge || space_->huge_pages() == HugePagesChoice::kOff) {
    (void)platform::want_small_pages(start, bytes);
  }
}

// A huge page has all its memory with its first touch. What of it lies behind a span that was just
// cut has pages from now on, which read as zero. Pre: locked.
void SharedSpans::note_rest_of_huge_page(const Span& span) noexcept {
  Run& run = *span.run;
  if (!run.had_huge) return;
  run.cut_ms = clock_ms();
  if (!run.huge) return;
  const std::size_t end = run.start_of(span.number + 1, geometry_) - run.start;
  if (above(end) > run.committed.load(std::memory_order_acquire)) return;
  const PageRange rest = run.pages_in(run.start + end, run.start + above(end));
  came_along_ += run.empty.clear(rest.first, rest.last) * platform::kPageBytes;
}

// The pages that `used` bytes of a block may have brought.
PageRange SharedSpans::pages_brought_by(const Span& span, Block block,
                                        std::size_t used) const noexcept {
  const Run& run = *span.run;
  const PageRange range = run.pages_of(block, block + used);
  if (!run.had_huge) return range;
  const std::size_t last = above(range.last * platform::kPageBytes) / platform::kPageBytes;
  return {range.first, std::min(last, pages_of_span(span).last)};
}

// Where the rest of the huge page behind the last span that was cut ends. Pre: locked.
std::uintptr_t SharedSpans::end_of_rest(const Run& run) const noexcept {
  const std::uintptr_t end = platform::page_above(run.start_of(run.cut, geometry_));
  const std::size_t committed = run.committed.load(std::memory_order_acquire);
  return run.had_huge ? run.start + std::min(above(end - run.start), committed) : end;
}

// The run has small pages for good. What the system refuses is tried again with the next part that
// goes back.
void SharedSpans::want_no_huge_pages(Run& run) noexcept {
  run.huge = false;
  if (!run.wants_huge.exchange(false)) return;
  auto* const start = reinterpret_cast<void*>(run.start);
  if (!platform::want_small_pages(start, run.committed)) run.wants_huge = true;
}

// khugepaged fills up again what is missing from a huge page that is wanted: from now on none is in
// the run. What of those that are there goes back in part is split, as the kernel else keeps the
// memory of the whole until it is short of some, though nobody has it resident any more.
void SharedSpans::leave_huge_pages(Run& run, std::uintptr_t start, std::uintptr_t end) noexcept {
  if (!run.had_huge || space_->avoids_new_calls()) return;
  want_no_huge_pages(run);
  const std::uintptr_t head = std::min(end, run.start + above(start - run.start));
  const std::uintptr_t tail = std::max(head, end - (end - run.start) % kHugePageBytes);
  platform::split_huge_pages(reinterpret_cast<void*>(start), head - start);
  platform::split_huge_pages(reinterpret_cast<void*>(tail), end - tail);
}

void SharedSpans::before_purge(Block block, std::uintptr_t start, std::uintptr_t end) noexcept {
  leave_huge_pages(*run_at(block), start, end);
}

bool SharedSpans::renew(Block block, std::uintptr_t start, std::uintptr_t end) noexcept {
  Run& run = *run_at(block);
  leave_huge_pages(run, start, end);
  auto* const pages = reinterpret_cast<void*>(start);
  if (!platform::map_over(pages, end - start)) return false;
  advise(run, pages, end - start);
  return true;
}

// Small gains are not worth the split of a huge page: of a run that has those, pages of partly used
// spans go back once they are an eighth of one.
bool SharedSpans::is_worth_a_split(const Run& run, const Span& span) const noexcept {
  if (!run.huge) return true;
  const std::size_t page = (start_of(span) - run.start) / kHugePageBytes;
  std::uint32_t n = span.number;
  while (n > 0 && (run.start_of(n - 1, geometry_) - run.start) / kHugePageBytes == page) --n;
  std::uint64_t kept = 0;
  for (; n < run.cut && (run.start_of(n, geometry_) - run.start) / kHugePageBytes == page; ++n) {
    kept += run.spans[n].kept;
  }
  return kept >= kLeastGain;
}

}  // namespace bufpool
