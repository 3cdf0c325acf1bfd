// SPDX-License-Identifier: MIT
#include "pool/miss_path.h"

#include <tuple>

#include "pool/options/policy.h"
#include "pool/platform/memory.h"

namespace bufpool {

void* MissPath::take(std::size_t size, const void* caller) noexcept {
  const ClassIndex c = parts_.sizes->class_for(size);
  const Got got = find(c, size, caller);
  return got.block != kNoBlock ? hand_out(got.block, c) : take_elsewhere(c, got, size);
}

void* MissPath::take_elsewhere(ClassIndex c, Got got, std::size_t size) noexcept {
  const auto ask = [size] { return backing::allocate(size); };
  const Served served = serve(c, got, size, ask);
  return served.block != kNoBlock ? hand_out(served.block, c) : served.passed;
}

MissPath::Got MissPath::take_block(std::size_t size, std::size_t asked,
                                   const void* caller) noexcept {
  const std::uintptr_t stack = parts_.tables->stack_for_step(step_number(size));
  const Block block = parts_.cache->pop(stack, asked);
  if (block != kNoBlock) return {block, {}};
  return find(parts_.sizes->class_for(size), asked, caller);
}

// The thread or the CPU may have been unknown to the cache. The first miss of a process makes its
// statistics page. One of the first of a forked child shows the cache that it has from its parent.
inline Block MissPath::look_again(ClassIndex c, std::size_t asked) noexcept {
  const Block block = parts_.cache->pop_again(c, asked);
  if (block != kNoBlock || !parts_.stats->settle()) return block;
  return parts_.cache->pop_again(c, asked);
}

// The steps are those of pool/README.md, "A miss".
MissPath::Got MissPath::find(ClassIndex c, std::size_t asked, const void* caller) noexcept {
  const Block block = look_again(c, asked);
  if (block != kNoBlock) return {block, {}};
  if (!parts_.spans->opened(c).is_open()) return {kNoBlock, Shortage::kLock};
  const CpuCache::Refill got = refill(c, asked);
  after_miss(c, asked, got, caller);
  return {got.block, got.why};
}

// Takes a block from larger classes, as that has its pages already, or else from the spans. If the
// system refuses memory, all that is idle goes back, and the spans are asked once more. They are
// asked again after each step of the threads that give memory back.
CpuCache::Refill MissPath::refill(ClassIndex c, std::size_t asked) noexcept {
  CpuCache::Refill got;
  if (nominal_bytes(c) >= policy::kLeastBorrowed) got = borrow(c, asked);
  if (got.block != kNoBlock) return got;
  Retries retries(parts_.retention, *parts_.returns);
  do {
    got = parts_.cache->refill(c, asked);
  } while (got.block == kNoBlock && got.why != Shortage::kLock &&
           retries.next(got.why == Shortage::kMemory));
  return got;
}

// Has idle pages go back to make up for fresh ones, gives the rules of retention their turn, and
// tells the statistics page. A block of more than twice the request is for a buffer with room to
// grow. Most of its fresh pages stay untouched, so the budget is not raised for those among them
// that were purged shortly before.
void MissPath::after_miss(ClassIndex c, std::size_t asked, const CpuCache::Refill& got,
                          const void* caller) noexcept {
  const bool roomy = asked < nominal_bytes(c) / 2;
  if (got.fresh_bytes > 0) {
    parts_.retention->after_fresh(got.fresh_bytes, roomy ? 0 : got.regret_bytes);
  }
  parts_.trimmer->after_slow_path(stride_bytes(c), caller);
  parts_.stats->after_slow_path(got.block != kNoBlock ? parts_.tables->class_of(got.block) : c,
                                asked);
}

// Returns a block of a larger class, or kNoBlock if there is none. It may be a free one, or be cut
// from pages next to those that the class has, as that takes no mapping. The next larger class
// comes first.
Block MissPath::take_larger(ClassIndex c, std::size_t asked) noexcept {
  for (std::uint32_t number = to_number(c) + 1; number <= to_number(kLastClass); ++number) {
    const ClassIndex lender{number};
    if (!parts_.sizes->is_in_use(lender) || !(*parts_.spans)[lender].is_used()) continue;
    const Block cached = parts_.cache->pop_again(lender, asked);
    if (cached != kNoBlock) return cached;
    const Block block = parts_.cache->refill(lender, asked).block;
    if (block != kNoBlock) return block;
  }
  return kNoBlock;
}

// Borrows a block where the class would need fresh pages. Each time costs this slow path, so a
// class that has borrowed for as long as the faults of pages of its own would have taken gets them.
CpuCache::Refill MissPath::borrow(ClassIndex c, std::size_t asked) noexcept {
  if ((*parts_.spans)[c].figures().idle_bytes() > 0) return {};
  std::atomic<std::uint32_t>& times = borrowed_[to_number(c)];
  if (times.load(std::memory_order_relaxed) >=
      stride_bytes(c) / platform::kPageBytes * policy::kBorrowsPerPage) {
    times.store(0, std::memory_order_relaxed);
    return {};
  }
  const CpuCache::Refill borrowed = borrow_from_larger(c, asked);
  if (borrowed.block != kNoBlock) times.fetch_add(1, std::memory_order_relaxed);
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
    const Block block = parts_.cache->pop_again(lender, asked);
    if (block != kNoBlock) return {.block = block};
    if (spans.figures().idle_bytes() > 0) return parts_.cache->refill(lender, asked);
  }
  return {};
}

MissPath::Wide MissPath::take_wide(ClassIndex c, std::size_t asked, std::uint32_t offset,
                                   const void* caller) noexcept {
  std::ignore = parts_.stats->settle();
  SharedSpans& spans = parts_.spans->opened(c);
  if (!spans.is_open()) return {};
  // A block of the cache has its pages. One of a class with slots may begin anywhere.
  if (!has_slots(c) && spans.figures().idle_bytes() == 0) {
    const Block block = parts_.cache->pop_again(c, asked);
    if (block != kNoBlock) return {block, stride_bytes(c) - asked};
  }
  const CpuCache::Refill refill = parts_.cache->take_wide(c, asked, offset);
  if (refill.block == kNoBlock) return {};
  if (refill.fresh_bytes > 0) {
    parts_.retention->after_fresh(refill.fresh_bytes, refill.regret_bytes);
  }
  parts_.trimmer->after_slow_path(asked, caller);
  parts_.stats->after_slow_path(c, asked);
  return {refill.block, refill.lent_bytes};
}

}  // namespace bufpool
