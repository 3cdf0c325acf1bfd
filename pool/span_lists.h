// SPDX-License-Identifier: MIT
// The records of a class's spans, and the lists they stand in. A span stands in exactly one list,
// chosen by what is free in it, or in none while it is full or being purged.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "pool/size_classes.h"

namespace bufpool {

using SpanNumber = std::uint32_t;

enum class SpanList : std::uint8_t {
  kNone,      // full, or out of reach while its pages are given back
  kPartial,   // the first of kPartialLists: some blocks free, fullest first
  kIdle = 8,  // all free, pages kept; newest first
  kPurged,    // all free, without pages
};
inline constexpr std::uint32_t kSpanListCount = 10;

// One span: 32 bytes for 64 KiB and more.
struct Span {
  std::array<std::uint64_t, kMaxSpanBlocks / 64> free;  // bit i: block i is free
  SpanNumber next;                                      // in its list, plus one; 0: the end
  SpanNumber prev;
  std::uint8_t free_blocks;
  SpanList list;
  bool purging : 1;        // has pages that are being given back
  bool was_purged : 1;     // as opposed to never used
  bool zero : 1;           // all free and reads as zero: new, or purged without a refusal
  std::uint32_t since_ms;  // when it became idle or was purged, on the coarse clock
};
static_assert(sizeof(Span) == 32);

// Fullest first: the fewer free blocks, the earlier the list.
constexpr SpanList partial_list(std::uint32_t free_blocks) noexcept {
  return static_cast<SpanList>(std::bit_width(free_blocks));
}
static_assert(partial_list(1) == SpanList::kPartial);
static_assert(partial_list(kMaxSpanBlocks - 1) < SpanList::kIdle);

// How long a span has been in its state. 0 where it got there after the caller looked at the clock.
constexpr std::uint32_t span_age_ms(std::uint32_t now_ms, std::uint32_t since_ms) noexcept {
  const auto age = static_cast<std::int32_t>(now_ms - since_ms);
  return age > 0 ? static_cast<std::uint32_t>(age) : 0;
}

class SpanLists {
 public:
  void open(Span* spans) noexcept { spans_ = spans; }

  Span& operator[](SpanNumber n) const noexcept { return spans_[n]; }

  bool empty(SpanList list) const noexcept { return ends(list).head == 0; }
  SpanNumber front(SpanList list) const noexcept { return ends(list).head - 1; }
  SpanNumber back(SpanList list) const noexcept { return ends(list).tail - 1; }

  void move_to(SpanNumber n, SpanList list) noexcept {
    if (spans_[n].list != SpanList::kNone) remove(n);
    if (list != SpanList::kNone) push_front(n, list);
  }

 private:
  struct Ends {
    SpanNumber head;  // plus one, as in Span
    SpanNumber tail;
  };

  Ends& ends(SpanList list) noexcept { return ends_[static_cast<std::uint32_t>(list)]; }
  const Ends& ends(SpanList list) const noexcept { return ends_[static_cast<std::uint32_t>(list)]; }

  void push_front(SpanNumber n, SpanList list) noexcept {
    Ends& ends = this->ends(list);
    Span& span = spans_[n];
    span.list = list;
    span.prev = 0;
    span.next = ends.head;
    (ends.head != 0 ? spans_[ends.head - 1].prev : ends.tail) = n + 1;
    ends.head = n + 1;
  }

  void remove(SpanNumber n) noexcept {
    Span& span = spans_[n];
    Ends& ends = this->ends(span.list);
    (span.prev != 0 ? spans_[span.prev - 1].next : ends.head) = span.next;
    (span.next != 0 ? spans_[span.next - 1].prev : ends.tail) = span.prev;
    span.list = SpanList::kNone;
  }

  Span* spans_ = nullptr;
  std::array<Ends, kSpanListCount> ends_{};
};

}  // namespace bufpool
