// SPDX-License-Identifier: MIT
#include "pool/miss_path.h"

#include "pool/options/policy.h"
#include "pool/platform/memory.h"

namespace bufpool {

void* MissPath::take(std::size_t size, const void* caller) noexcept {
  const ClassIndex c = parts_.sizes->class_for(size);
  const auto [block, why] = find(c, size, caller);
  if (block == 0) return pass_on(c, why, [size] { return backing::allocate(size); });
  return hand_out(block, c);
}

MissPath::Got MissPath::take_block(std::size_t size, std::size_t asked,
                                   const void* caller) noexcept {
  const std::uintptr_t stack = parts_.tables->stack_for_step(step_number(size));
  if (const Block block = parts_.cache->pop(stack, asked)) return {block, {}};
  return find(parts_.sizes->class_for(size), asked, caller);
}

// The steps are those of pool/README.md, "A miss".
MissPath::Got MissPath::find(ClassIndex c, std::size_t asked, const void* caller) noexcept {
  // 0. There is a statistics page from now on, where there can be one.
  parts_.stats->settle();
  // 1. The thread or the CPU may have been unknown to the cache.
  if (const Block block = parts_.cache->pop_again(c, asked)) return {block, {}};
  // 2. The class's spans are opened with its first get.
  if (!parts_.spans->opened(c).is_open()) return {0, Shortage::kLock};
  // 3. An idle block of a larger class has its pages already.
  CpuCache::Refill got = borrow(c, asked);
  // 4. The shared spans have a batch, or cut one from fresh pages.
  if (got.block == 0) got = refill(c, asked);
  // 5. What is idle goes back for fresh pages. Of a buffer with room to grow only what is asked for
  //    is about to have pages, and nothing is regretted.
  const bool roomy = asked < nominal_bytes(c) / 2;
  if (got.fresh_bytes > 0) {
    parts_.retention->after_fresh(got.fresh_bytes, roomy ? 0 : got.regret_bytes);
  }
  // 6. The rules of retention have their turn.
  parts_.trimmer->after_slow_path(stride_bytes(c), caller);
  parts_.stats->after_slow_path(got.block != 0 ? parts_.tables->class_at(got.block) : c);
  return {got.block, got.why};
}

// If the system refuses memory, all that is idle goes back, and the spans are asked once more.
CpuCache::Refill MissPath::refill(ClassIndex c, std::size_t asked) noexcept {
  const CpuCache::Refill refill = parts_.cache->refill(c, asked);
  if (refill.block != 0 || refill.why == Shortage::kLock) return refill;
  return parts_.retention->make_room() ? parts_.cache->refill(c, asked) : refill;
}

// A block is borrowed where the class would need fresh pages. Each time costs this slow path, so a
// class that has borrowed for as long as the faults of pages of its own would have taken gets them.
CpuCache::Refill MissPath::borrow(ClassIndex c, std::size_t asked) noexcept {
  if (nominal_bytes(c) < policy::kLeastBorrowed || (*parts_.spans)[c].figures().idle_bytes() > 0)
    return {};
  std::atomic<std::uint32_t>& times = borrowed_[to_number(c)];
  if (times.load(std::memory_order_relaxed) >=
      stride_bytes(c) / platform::kPageBytes * policy::kBorrowsPerPage) {
    times.store(0, std::memory_order_relaxed);
    return {};
  }
  const CpuCache::Refill borrowed = borrow_from_larger(c, asked);
  if (borrowed.block != 0) times.fetch_add(1, std::memory_order_relaxed);
  return borrowed;
}

// Another thread may take the idle blocks between the look and the refill, which then has fresh
// pages like any other.
CpuCache::Refill MissPath::borrow_from_larger(ClassIndex c, std::size_t asked) noexcept {
  for (std::uint32_t up = 1; up <= policy::kBorrowFromClasses; ++up) {
    const ClassIndex lender{to_number(c) + up};
    if (!parts_.sizes->is_in_use(lender)) return {};
    SharedSpans& spans = (*parts_.spans)[lender];
    const std::uint64_t beyond = stride_bytes(lender) - stride_bytes(c);
    if (!spans.is_used() || !parts_.lending->allows(beyond)) continue;
    if (const Block block = parts_.cache->pop_again(lender, asked)) return {.block = block};
    if (spans.figures().idle_bytes() > 0) return parts_.cache->refill(lender, asked);
  }
  return {};
}

MissPath::Wide MissPath::take_wide(ClassIndex c, std::size_t asked, std::uint32_t offset,
                                   const void* caller) noexcept {
  parts_.stats->settle();
  SharedSpans& spans = parts_.spans->opened(c);
  if (!spans.is_open()) return {};
  // A block of the cache has its pages. One of a class with slots may begin anywhere.
  if (!has_slots(c) && spans.figures().idle_bytes() == 0) {
    if (const Block block = parts_.cache->pop_again(c, asked)) {
      return {block, stride_bytes(c) - asked};
    }
  }
  const CpuCache::Refill refill = parts_.cache->take_wide(c, asked, offset);
  if (refill.block == 0) return {};
  if (refill.fresh_bytes > 0) {
    parts_.retention->after_fresh(refill.fresh_bytes, refill.regret_bytes);
  }
  parts_.trimmer->after_slow_path(asked, caller);
  parts_.stats->after_slow_path(c);
  return {refill.block, refill.lent_bytes};
}

}  // namespace bufpool
