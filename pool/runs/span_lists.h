// SPDX-License-Identifier: MIT
// The records of a class's spans, and the lists that they stand in. A span stands in the one list
// that its free blocks call for. It stands in none while it is full or being purged.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "pool/addresses/size_classes.h"
#include "pool/sync/moment.h"

namespace bufpool {

struct Run;

// The list that a span stands in.
enum class SpanList : std::uint8_t {
  kNone,      // full, or out of reach while its pages are given back
  kPartial,   // the first of seven lists by powers of two of free blocks, fullest first
  kIdle = 8,  // all free, pages kept; newest first
  kPurged,    // all free, without pages
};
inline constexpr std::uint32_t kSpanListCount = 10;

// The record of one span. It is a cache line and describes 64 KiB or more. The lock of the class
// guards it, unless the span is being purged: it then belongs to the thread that purges it.
struct Span {
  std::array<std::uint64_t, kMaxSpanBlocks / 64> free;  // bit i: block i is free
  Span* next;                                           // in its list
  Span* prev;
  Run* run;
  std::uint64_t kept;      // while it stands in a list: bytes of its free blocks that have pages
  std::uint32_t number;    // in its run
  std::uint32_t since_ms;  // when it was seen quiet, became idle or was purged, on the coarse clock
  std::uint16_t offset;    // where a block with a slot begins in it; bytes
  std::uint8_t free_blocks;
  SpanList list;
  bool purging : 1;     // one thread gives pages of it back, and no other reaches it
  bool was_purged : 1;  // its pages went back once
  bool was_used : 1;    // a block of it was handed out once
  bool touched : 1;     // a block came or went since the last look for quiet spans
  bool has_empty : 1;   // some page of it may be empty; if not set, none is
  bool head_empty : 1;  // while purging: the page of its first byte is empty
  bool tail_empty : 1;  // while purging: the page of its last byte is empty
  bool zeroed : 1;      // while it is handed back: its pages are gone
  bool zero : 1;        // all of it is free and reads as zero: new, or purged without a refusal
};
static_assert(sizeof(Span) == 64);

// The list of a span that is partly used. Fuller spans stand in earlier lists. Pre: 0 <
// free_blocks.
constexpr SpanList partial_list(std::uint32_t free_blocks) noexcept {
  return static_cast<SpanList>(std::bit_width(free_blocks));
}
static_assert(partial_list(1) == SpanList::kPartial);
static_assert(partial_list(kMaxSpanBlocks - 1) < SpanList::kIdle);

// How long a span has been in its state. The age is 0 if the span got there after the caller looked
// at the clock.
constexpr Milliseconds span_age(std::uint32_t now_ms, std::uint32_t since_ms) noexcept {
  const auto age = static_cast<std::int32_t>(now_ms - since_ms);
  return age > 0 ? static_cast<Milliseconds>(age) : Milliseconds{0};
}

// The lists of one class. The lock of the class guards them.
class SpanLists {
 public:
  // The span that was put into the list last, and the one that was so longest ago; nullptr: the
  // list is empty.
  Span* front(SpanList list) const noexcept { return ends(list).head; }
  Span* back(SpanList list) const noexcept { return ends(list).tail; }

  // Takes a span out of the list that it stands in and puts it in front of another. SpanList::kNone
  // puts it nowhere.
  void move_to(Span& span, SpanList list) noexcept {
    if (span.list != SpanList::kNone) remove(span);
    if (list != SpanList::kNone) push_front(span, list);
  }

 private:
  struct Ends {
    Span* head;
    Span* tail;
  };

  Ends& ends(SpanList list) noexcept { return ends_[static_cast<std::uint32_t>(list)]; }
  const Ends& ends(SpanList list) const noexcept { return ends_[static_cast<std::uint32_t>(list)]; }

  void push_front(Span& span, SpanList list) noexcept {
    Ends& ends = this->ends(list);
    span.list = list;
    span.prev = nullptr;
    span.next = ends.head;
    (ends.head != nullptr ? ends.head->prev : ends.tail) = &span;
    ends.head = &span;
  }

  void remove(Span& span) noexcept {
    Ends& ends = this->ends(span.list);
    (span.prev != nullptr ? span.prev->next : ends.head) = span.next;
    (span.next != nullptr ? span.next->prev : ends.tail) = span.prev;
    span.list = SpanList::kNone;
  }

  std::array<Ends, kSpanListCount> ends_{};
};

}  // namespace bufpool
