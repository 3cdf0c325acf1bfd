// SPDX-License-Identifier: MIT
// Gives the pages of idle spans back to the kernel.
#pragma once

#include <array>
#include <cstdint>

#include "pool/mapping/huge_pages.h"
#include "pool/state/span_state.h"

namespace bufpool {

// Holds spans that are all free, and that one thread has set aside to give their pages back.
struct SpanBatch {
  static constexpr std::uint32_t kMost = 64;

  std::array<Span*, kMost> spans;
  std::uint32_t count = 0;
};

// Gives back the pages of one class's idle spans. Any thread and any signal handler may call all
// functions. Pre: the class is open.
class SpanPurge {
 public:
  // Makes a view of the class. `state` is that of the class, and outlives this.
  explicit SpanPurge(SpanState& state) noexcept
      : state_(state), huge_pages_(*state.space, state.geometry) {}

  // Sets the oldest spans aside that have been idle for `min_age` at `now_ms`: of
  // `most_bytes` bytes at most, but one span at least if any is that old. It returns none if the
  // lock is refused. It takes the lock. The caller must call purge() with what it returns.
  [[nodiscard]] SpanBatch detach_idle_spans(std::uint32_t now_ms, Milliseconds min_age,
                                            std::uint64_t most_bytes) noexcept
      BUFPOOL_EXCLUDES(state_.lock);

  // Gives the pages of the batch back and makes its spans free for all again. It returns the bytes
  // that went back, which are 0 if the kernel refuses. It takes the lock after the system calls. If
  // the lock is refused, the next owner files the spans.
  std::uint64_t purge(SpanBatch& batch, std::uint32_t now_ms) noexcept
      BUFPOOL_EXCLUDES(state_.lock);

 private:
  // Holds the spans [from, to) of a batch, which read as zero.
  struct Zeroed {
    std::uint32_t from;
    std::uint32_t to;
  };
  // Holds all such spans of a batch.
  struct ZeroedSpans {
    std::array<Zeroed, SpanBatch::kMost> rows;
    std::uint32_t count = 0;

    void add(std::uint32_t from, std::uint32_t to) noexcept { rows[count++] = {from, to}; }
  };

  void sort_by_address(SpanBatch& batch) const noexcept;
  ZeroedSpans zero(const SpanBatch& batch) const noexcept;
  bool zero_row(Span* const* first, Span* const* last) const noexcept;
  std::uint64_t note(const SpanBatch& batch, const ZeroedSpans& zeroed,
                     std::uint32_t now_ms) noexcept BUFPOOL_REQUIRES(state_.lock);
  std::uint64_t leave_to_next_owner(const SpanBatch& batch, const ZeroedSpans& zeroed) noexcept;

  SpanState& state_;
  HugePages huge_pages_;
};

}  // namespace bufpool
