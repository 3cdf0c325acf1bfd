// SPDX-License-Identifier: MIT
// Spans that are partly used give pages back, too, and runs without pages are unmapped.
#pragma once

#include <cstdint>

#include "pool/purging/run_look.h"
#include "pool/state/span_state.h"

namespace bufpool {

// Sweeps the runs of one class, one after the other: it decides under the lock what goes back,
// makes the system calls without it, and notes the result under it. Pre: the class is open.
class SpanSweep {
 public:
  // `state` is that of the class, and outlives this.
  explicit SpanSweep(SpanState& state) noexcept
      : state_(state), huge_pages_(*state.space, state.geometry) {}

  // Gives back the pages that lie in free blocks alone, of spans that nothing came to or went from
  // for `min_age` at `now_ms`. It unmaps the runs that have had no page for as
  // long, or for policy::kRegretMs if that is less. It returns the bytes that went back. It takes
  // the lock, and that of the region. It does nothing if the lock is refused.
  std::uint64_t sweep(std::uint32_t now_ms, Milliseconds min_age) noexcept
      BUFPOOL_EXCLUDES(state_.lock);

  // Unmaps the runs of which no page has memory. It takes the locks that sweep() takes.
  void drop_empty(std::uint32_t now_ms) noexcept BUFPOOL_EXCLUDES(state_.lock);

  // Unmaps the runs of which no block is out. Pages go with them that the kernel does not take back
  // one by one, as it does where the program has locked its memory. It returns the bytes of these.
  // It takes the locks that sweep() takes.
  std::uint64_t drop_idle(std::uint32_t now_ms) noexcept BUFPOOL_EXCLUDES(state_.lock);

 private:
  // A run that is in no list any more, and the bytes of its pages.
  struct Detached {
    Run* run = nullptr;
    std::uint64_t bytes = 0;
  };

  std::uint64_t sweep(const SweepRule& rule) noexcept;
  Run* next_run(RunLook& look) noexcept;
  void set_aside_spans(Run& run, RunLook& look) noexcept BUFPOOL_REQUIRES(state_.lock);
  void give_back(Run& run, RunLook& look) noexcept;
  std::uint64_t finish(Run& run, RunLook& look, std::uint32_t now_ms) noexcept;
  std::uint64_t note_given_back(Run& run, RunLook& look, std::uint32_t now_ms) noexcept
      BUFPOOL_REQUIRES(state_.lock);
  void file_spans(Run& run, RunLook& look) noexcept BUFPOOL_REQUIRES(state_.lock);
  bool is_to_be_dropped(Run& run, bool gave_back, std::uint32_t now_ms,
                        const LockedSpans& locked) noexcept;
  void forget(Run& run, std::uint32_t now_ms) noexcept BUFPOOL_REQUIRES(state_.lock);
  Detached detach_idle_run(std::uint32_t now_ms) noexcept;
  std::uint64_t kept_if_idle(const Run& run) const noexcept BUFPOOL_REQUIRES(state_.lock);
  void note_unmapped(std::uint64_t bytes) noexcept;
  void take_back(Run& run, std::uint32_t now_ms) noexcept;
  void leave_to_next_owner(Run& run, RunLook& look) noexcept;

  SpanState& state_;
  HugePages huge_pages_;
};

}  // namespace bufpool
