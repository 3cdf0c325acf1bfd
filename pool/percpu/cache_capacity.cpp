// SPDX-License-Identifier: MIT
#include "pool/percpu/cache_capacity.h"

#include <algorithm>
#include <array>
#include <span>

#include "pool/sync/moment.h"
#include "pool/sync/owner_lock.h"

namespace bufpool {
namespace {

// Gives back to the spans what `pop` yields, until it yields kNoBlock.
template <typename Pop>
void give_all(SharedSpans& spans, Pop pop) noexcept {
  std::array<Block, kMaxBatch> blocks;
  for (std::size_t count = kMaxBatch; count == kMaxBatch;) {
    count = 0;
    while (count < kMaxBatch && (blocks[count] = pop()) != kNoBlock) ++count;
    if (count > 0) spans.give(std::span(blocks).first(count), false);
  }
}

// Looks at a stack, and notes whether it has changed since the last look. Returns true if it has
// not changed for `quiet_ms`. Returns false for an empty stack: there is nothing to drain.
bool is_quiet(std::uintptr_t slab, ClassIndex c, std::uint32_t now_ms,
              std::uint32_t quiet_ms) noexcept {
  StackNotes& notes = notes_of(slab, c);
  const std::uint64_t header = stack_of(slab, c).header.load(std::memory_order_relaxed);
  const auto low = static_cast<std::uint32_t>(header);
  if (notes.watched.exchange(low, std::memory_order_relaxed) != low) {
    notes.quiet_ms.store(now_ms, std::memory_order_relaxed);
  }
  return depth_of(header, c) > 0 &&
         !is_within(now_ms, notes.quiet_ms.load(std::memory_order_relaxed), quiet_ms);
}

// Returns the limit of a stack that may hold as many blocks as there is room for.
constexpr std::uint32_t top_limit(ClassIndex c) noexcept {
  return bottom_of(c) + max_cached_blocks(c);
}

}  // namespace

void CacheCapacity::open(CpuSlabs* slabs, SharedSpans* spans, std::uint64_t cpu_budget) noexcept {
  slabs_ = slabs;
  spans_ = spans;
  budget_.open(cpu_budget, slabs->expected());
}

bool CacheCapacity::move_limit(std::uintptr_t slab, ClassIndex c, StackEvent event) noexcept {
  std::atomic<StackEvent>& noted = notes_of(slab, c).last;
  const StackEvent last = noted.load(std::memory_order_relaxed);
  if (last != event) noted.store(event, std::memory_order_relaxed);
  const std::uint32_t limit = limit_of(stack_of(slab, c), c);
  if (limit == 0) {
    const bool had_one = is_used(slab, c);
    raise_limit(slab, c, batch_blocks(c));
    return had_one && limit_of(stack_of(slab, c), c) > 0;
  }
  if (last != event && last != StackEvent::kNone) {
    raise_limit(slab, c, std::max(limit / policy::kLimitGrowthDivisor, batch_blocks(c)));
  }
  return false;
}

void CacheCapacity::raise_limit(std::uintptr_t slab, ClassIndex c, std::uint32_t step) noexcept {
  std::atomic<std::uint32_t>& limit = stack_of(slab, c).limit;
  note_used(slab, c);
  std::uint32_t seen = limit.load(std::memory_order_relaxed);
  step = std::min(step, top_limit(c) - std::clamp(seen, bottom_of(c), top_limit(c)));
  while (step > 1 && !grant(slab, c, step * stride_bytes(c))) step /= 2;
  if (step == 0 || (step == 1 && !grant(slab, c, stride_bytes(c)))) return;
  for (;;) {
    const std::uint32_t raised = std::max(seen, bottom_of(c)) + step;
    if (raised > top_limit(c)) break;
    if (limit.compare_exchange_weak(seen, raised)) return;
  }
  head_of(slab).granted_bytes.fetch_sub(step * stride_bytes(c));  // another thread was faster
}

void CacheCapacity::spare_stacks_in_child() noexcept {
  OwnerLock::fork_notes().spares.store(policy::kChildSpares, std::memory_order_relaxed);
}

bool CacheCapacity::spares_stacks() noexcept {
  std::atomic<std::uint32_t>& spares = OwnerLock::fork_notes().spares;
  const std::uint32_t left = spares.load(std::memory_order_relaxed);
  if (left == 0) return false;
  spares.store(left - 1, std::memory_order_relaxed);
  return true;
}

// Takes `bytes` out of the CPU's budget, if need be away from classes that lie idle.
bool CacheCapacity::grant(std::uintptr_t slab, ClassIndex c, std::uint64_t bytes) noexcept {
  std::atomic<std::uint64_t>& granted = head_of(slab).granted_bytes;
  const std::uint64_t budget = cpu_budget();
  if (bytes > budget) return false;
  if (granted.load(std::memory_order_relaxed) > budget - bytes) {
    if (spares_stacks()) return false;
    take_from_idle(slab, c, budget - bytes);
  }
  std::uint64_t seen = granted.load(std::memory_order_relaxed);
  while (seen + bytes <= budget) {
    if (granted.compare_exchange_weak(seen, seen + bytes)) return true;
  }
  return false;
}

// Takes limits back until no more than `most` bytes are granted. The clock's hand goes over the
// classes: one that had a hit since the hand last came by is spared once.
void CacheCapacity::take_from_idle(std::uintptr_t slab, ClassIndex except,
                                   std::uint64_t most) noexcept {
  SlabHead& head = head_of(slab);
  for (std::uint32_t looks = 0; looks < 2 * kClassSlots; ++looks) {
    if (head.granted_bytes.load(std::memory_order_relaxed) <= most) return;
    const ClassIndex c{head.clock_hand.fetch_add(1, std::memory_order_relaxed) % kClassSlots};
    if (c == except || !is_used(slab, c)) continue;
    const Stack& stack = stack_of(slab, c);
    if (stack.limit.load(std::memory_order_relaxed) == 0) continue;
    const auto hits =
        static_cast<std::uint32_t>(hits_of(stack.header.load(std::memory_order_relaxed)));
    if (notes_of(slab, c).seen.exchange(hits, std::memory_order_relaxed) != hits) continue;
    give_back_limit(slab, c);
    give_all(spans_[to_number(c)], [&] { return slabs_->pop_uncounted(c); });
  }
}

void CacheCapacity::give_back_limit(std::uintptr_t slab, ClassIndex c) noexcept {
  const std::uint32_t limit = stack_of(slab, c).limit.exchange(0, std::memory_order_relaxed);
  const std::uint64_t blocks = limit == 0 ? 0 : limit - bottom_of(c);
  head_of(slab).granted_bytes.fetch_sub(blocks * stride_bytes(c), std::memory_order_relaxed);
}

void CacheDrainer::open(CpuSlabs* slabs, SharedSpans* spans, CacheCapacity* capacity) noexcept {
  slabs_ = slabs;
  spans_ = spans;
  capacity_ = capacity;
}

std::uint32_t CacheDrainer::drain_all() noexcept {
  if (slabs_ == nullptr) return 0;
  return drain_where([](std::uintptr_t, ClassIndex) { return true; });
}

std::uint32_t CacheDrainer::drain_quiet(std::uint32_t now_ms, std::uint32_t quiet_ms) noexcept {
  if (slabs_ == nullptr) return 0;
  const std::uint64_t budget = capacity_->cpu_budget();
  return drain_where([=](std::uintptr_t slab, ClassIndex c) {
    const bool over = head_of(slab).granted_bytes.load(std::memory_order_relaxed) > budget;
    return over || is_quiet(slab, c, now_ms, quiet_ms);
  });
}

// Drains the stacks for which which(slab, c) returns true. A slab without any is left alone, as
// beginning a drain interrupts its CPU.
template <typename Which>
std::uint32_t CacheDrainer::drain_where(Which which) noexcept {
  std::uint32_t drained = 0;
  slabs_->for_each([&](auto& slabs, std::uint32_t number) {
    const std::uintptr_t slab = slabs.slab(number);
    std::array<bool, kClassSlots> chosen{};
    bool any = false;
    for_each_used_class(slab, [&](ClassIndex c) { any |= chosen[to_number(c)] = which(slab, c); });
    if (!any) return;
    const auto drain = slabs.begin_drain(number);
    if (!drain) return;
    for_each_class([&](ClassIndex c) {
      if (!chosen[to_number(c)]) return;
      capacity_->give_back_limit(slab, c);
      give_all(spans_[to_number(c)], [&] { return drain.pop(c); });
    });
    ++drained;
  });
  return drained;
}

}  // namespace bufpool
