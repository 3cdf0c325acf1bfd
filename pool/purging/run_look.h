// SPDX-License-Identifier: MIT
// The look at one run for pages that can go back: those that lie in free blocks alone.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "pool/mapping/huge_pages.h"
#include "pool/state/span_state.h"

namespace bufpool {

// The rule that says which pages a sweep gives back.
struct SweepRule {
  std::uint32_t now_ms;    // the time, on the coarse clock
  Milliseconds min_age;    // of spans that nothing came to or went from
  Milliseconds empty_age;  // of runs that have no page
};

// Free blocks in a row, across the borders of spans, and the pages that are theirs alone.
struct Stretch {
  std::uint32_t first_span;
  std::uint32_t last_span;   // less than first_span: the pages are in no span
  std::uint32_t first_page;  // as in PageRange
  std::uint32_t last_page;
  bool zeroed;  // the pages went back

  // Returns the pages of the stretch, as numbers in its run.
  PageRange pages() const noexcept { return {first_page, last_page}; }
};

// Looks at a run under the lock of its class, and collects the stretches whose pages are to go back
// without the lock. It lies on the stack, which may be that of a coroutine, a page in all: a sweep
// may be made in a call of the program's.
class RunLook {
 public:
  static constexpr std::uint32_t kMostStretches = 96;

  // `huge_pages` are those of the class, and outlive this.
  RunLook(const HugePages& huge_pages, const Geometry& geometry, const SweepRule& rule) noexcept
      : huge_pages_(huge_pages), geometry_(geometry), rule_(rule) {}

  // Looks at a run. It returns whether there is something to do: stretches to give back, or a run
  // without pages to drop. Pre: the lock is had.
  [[nodiscard]] bool look(Run& run, const LockedSpans& locked) noexcept;

  // The stretches of the run that was looked at. Two of them may share a span. The caller notes in
  // them what went back.
  std::span<Stretch> stretches() noexcept { return {stretches_.data(), count_}; }

 private:
  // Whether small gains are wanted, too.
  bool takes_all() const noexcept { return rule_.min_age == Milliseconds{0}; }
  bool is_due(const Run& run) const noexcept;
  void look_at_spans(Run& run) noexcept;
  bool may_sweep(Span& span) const noexcept;
  void note_quiet(Run& run, std::uint32_t since_ms) const noexcept;
  void add_free_blocks(const Run& run, const Span& span) noexcept;
  void end_stretch(const Run& run) noexcept;
  void look_at_rest(Run& run) noexcept;
  void add(std::uint32_t first_span, std::uint32_t last_span, PageRange pages) noexcept {
    stretches_[count_++] = {first_span, last_span, static_cast<std::uint32_t>(pages.first),
                            static_cast<std::uint32_t>(pages.last), false};
  }

  const HugePages& huge_pages_;
  const Geometry& geometry_;
  SweepRule rule_;
  std::array<Stretch, kMostStretches> stretches_;
  std::uint32_t count_ = 0;
  // The row of free blocks that the look has come into, as numbers of blocks in the run.
  std::uint64_t open_from_ = 0;
  std::uint64_t open_to_ = 0;  // 0: it is in no row
};

// Whether no block of a run is out and no page that it cut has memory. Pre: the lock is had.
[[nodiscard]] bool is_all_empty(const Run& run, const Geometry& geometry,
                                const LockedSpans& locked) noexcept;

}  // namespace bufpool
