// SPDX-License-Identifier: MIT
// The shared spans of all classes.
#pragma once

#include <array>
#include <cstdint>

#include "pool/addresses/chunk_space.h"
#include "pool/addresses/size_classes.h"
#include "pool/spans/shared_spans.h"
#include "pool/spans/span_lookup.h"
#include "pool/spans/wide_blocks.h"
#include "pool/sync/owner_lock.h"

namespace bufpool {

// The spans of each class. A class is opened with its first get, and opening writes to its element
// here. So a small process, which uses few classes, has few pages of this table resident.
class AllSpans {
 public:
  // `space` outlives this. `most_out` is the most blocks of a class that may be out at once.
  // Pre: it is called once.
  void open(ChunkSpace* space, std::uint64_t most_out) noexcept {
    space_ = space;
    most_out_ = most_out;
  }

  SharedSpans& operator[](ClassIndex c) noexcept { return spans_[to_number(c)]; }
  const SharedSpans& operator[](ClassIndex c) const noexcept { return spans_[to_number(c)]; }

  // Returns the spans of a class, opened. They are not open where a fork is under way, or where a
  // signal handler interrupted the thread that opens them. It takes the lock of opening. Any thread
  // and any signal handler may call it.
  [[nodiscard]] SharedSpans& opened(ClassIndex c) noexcept {
    SharedSpans& spans = (*this)[c];
    if (spans.is_open()) return spans;
    const ScopedLock locked(opening_);
    if (locked) spans.open(c, space_, most_out_);
    return spans;
  }

  // Returns the view of a class by which blocks are looked up.
  [[nodiscard]] SpanLookup lookup(ClassIndex c) noexcept { return SpanLookup((*this)[c].state()); }
  // Returns the view of a class whose spans are one block each.
  [[nodiscard]] WideBlocks wide_blocks(ClassIndex c) noexcept {
    return WideBlocks((*this)[c].state());
  }

  // Tells whether `address`, which lies in the region of class `c`, is mapped by somebody else: a
  // mapping got into the range where nothing of ours is mapped.
  [[nodiscard]] bool is_foreign(ClassIndex c, std::uintptr_t address) noexcept {
    return !(*this)[c].is_used() || !lookup(c).maps(address);
  }

  // Returns the first of kClassSlots elements, for parts that know spans by their numbers.
  SharedSpans* data() noexcept { return spans_.data(); }

  // Around a fork, see OwnerLock. While a fork is under way no class is opened, so that the locks
  // of those that are not have no owner; await_opening() comes before await_owners().
  void await_opening() noexcept { opening_.await_owner(); }
  void await_owners() noexcept {
    for (SharedSpans& spans : spans_) {
      if (spans.is_open()) spans.lock().await_owner();
    }
  }
  void repair_in_child() noexcept {
    for (SharedSpans& spans : spans_) {
      if (spans.is_open()) spans.lock().repair_in_child();
    }
    opening_.repair_in_child();
  }

 private:
  ChunkSpace* space_ = nullptr;
  std::uint64_t most_out_ = 0;
  OwnerLock opening_;
  std::array<SharedSpans, kClassSlots> spans_{};
};

}  // namespace bufpool
