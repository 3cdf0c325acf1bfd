// SPDX-License-Identifier: MIT
#include "pool/slabs/stack_copies.h"

#include <algorithm>

#include "pool/platform/memory.h"

namespace bufpool {

static_assert(kSlabLayout.bytes / sizeof(Block) <= 0xffff, "a limit has 16 bits");

bool StackCopies::open(std::uint32_t slabs) noexcept {
  if (slabs_ != 0) return true;
  if (slabs > kNear) {
    far_ = static_cast<Row*>(platform::map((slabs - kNear) * sizeof(Row)));
    if (far_ == nullptr) return false;
  }
  slabs_ = slabs;
  return true;
}

void StackCopies::clear() noexcept {
  std::fill_n(&sums_of(ClassIndex{0}), kClassSlots, StackSums{});
}

void StackCopies::add(std::uint32_t number, std::uintptr_t slab) noexcept {
  const bool whole = has(number);
  for_each_used_class(slab, [&](ClassIndex c) {
    const Stack& stack = stack_of(slab, c);
    const std::uint64_t header = stack.header.load(std::memory_order_relaxed);
    StackSums& sums = sums_of(c);
    sums.hits += hits_of(header);
    sums.moved += stack.moved.load(std::memory_order_relaxed);
    sums.asked += stack.asked.load(std::memory_order_relaxed);
    if (!whole) return;
    sums.depth += depth_of(header, c);
    auto& copy = row(number).stacks[to_number(c)];
    copy.top = static_cast<std::uint16_t>(top_of(header));
    copy.limit = static_cast<std::uint16_t>(stack.limit.load(std::memory_order_relaxed));
  });
}

void StackCopies::fill(std::uint32_t number, std::uintptr_t slab) const noexcept {
  std::uint64_t granted = 0;
  for_each_used_class(slab, [&](ClassIndex c) {
    const auto& copy = row(number).stacks[to_number(c)];
    if (copy.top == 0) return;  // its first use came after the copy
    Stack& stack = stack_of(slab, c);
    stack.header.store(copy.top, std::memory_order_relaxed);
    stack.limit.store(copy.limit, std::memory_order_relaxed);
    granted += limit_of(stack, c) * stride_bytes(c);
  });
  head_of(slab).granted_bytes.store(granted, std::memory_order_relaxed);
}

void StackCopies::fill_sums(std::uintptr_t slab) const noexcept {
  for_each_class([&](ClassIndex c) {
    const StackSums& sums = sums_of(c);
    if (sums.hits == 0 && sums.moved == 0) return;
    Stack& stack = stack_of(slab, c);
    note_used(slab, c);
    stack.header.fetch_add(sums.hits * kOneHit, std::memory_order_relaxed);
    stack.moved.fetch_add(sums.moved, std::memory_order_relaxed);
    stack.asked.fetch_add(sums.asked, std::memory_order_relaxed);
  });
}

}  // namespace bufpool
