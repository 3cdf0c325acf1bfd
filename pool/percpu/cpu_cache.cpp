// SPDX-License-Identifier: MIT
#include "pool/percpu/cpu_cache.h"

#include <algorithm>

#include "pool/platform/platform.h"
#include "pool/spans/wide_blocks.h"
#include "pool/sync/moment.h"

namespace bufpool {
namespace {

// Names the CPU that never has a slab: what runs on it misses.
constinit RseqArea no_area{CpuCache::kMaxCpus, 0, 0};
// The same of one thread's own, so that threads in locked mode share no cache line by it.
constinit thread_local RseqArea own_area
    [[gnu::tls_model("initial-exec")]]{CpuCache::kMaxCpus, 0, 0};
// The same for threads in vfork, which are not to be attached.
constinit RseqArea vfork_area{CpuCache::kMaxCpus, 0, 0};

// The step of a pop that moves a block without counting a hit.
constexpr std::uint64_t kUnseen = ~std::uint64_t{0};

// A fill leaves a quarter of a stack free, and a drain as much in it, so that neither is followed
// by the other at once.
std::size_t fill_count(ClassIndex c, const Stack& stack) noexcept {
  const std::size_t room = stack.limit.load(std::memory_order_relaxed) * 3 / 4;
  return 1 + std::min<std::size_t>(batch_blocks(c) - 1, room);
}

}  // namespace

alignas(4096) constinit char empty_slab[kSlabLayout.bytes] = {};
constinit thread_local RseqArea* thread_area [[gnu::tls_model("initial-exec")]] = &no_area;

RseqArea* leave_sequences() noexcept {
  RseqArea* const area = thread_area;
  thread_area = &vfork_area;
  // A signal handler may look next, and the child.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return area;
}

void return_to_sequences(RseqArea* area) noexcept { thread_area = area; }

PoolMode CpuCache::open(PoolMode wanted, std::uint64_t cpu_budget, SharedSpans* spans,
                        Cookies cookies) noexcept {
  cookies_ = cookies;
  spans_ = spans;
  mode_ = PoolMode::kRseq;
  if (wanted != PoolMode::kLocked && sequences_work()) {
    platform::prepare_restarts();
    budget_.open(cpu_budget, platform::usable_cpus());
    return mode_;
  }
  thread_area = &no_area;
  mode_ = open_shards() ? PoolMode::kLocked : PoolMode::kPassThrough;
  budget_.open(cpu_budget, shards_.count());
  return mode_;
}

bool CpuCache::open_shards() noexcept {
  const std::uint32_t count = std::min(platform::usable_cpus(), LockedShards::kMost);
  void* slabs = platform::map(count * kSlabLayout.bytes);
  if (slabs != nullptr) shards_.open(reinterpret_cast<std::uintptr_t>(slabs), count);
  return slabs != nullptr;
}

// The self-test: this thread is known to the kernel, and a block pushed by a sequence is popped by
// the next. Pre: nobody else uses the cache yet.
bool CpuCache::sequences_work() noexcept {
  if (!kHaveSequences || !attach_thread()) return false;
  constexpr Block kBlock = 64;
  for (int tries = 0; tries < 4; ++tries) {  // more than one, as the thread may be moved
    attach_thread();
    const std::uintptr_t slab = slab_here();
    if (slab == 0) return false;
    Stack& stack = stack_of(slab, kFirstClass);
    stack.limit.store(1);
    const bool pushed = push_slowly(kFirstClass, kBlock);
    const Block popped = pop_slowly(kFirstClass, kUnseen, 0);
    stack.limit.store(0);
    stack.header.store(0);
    if (pushed && popped == kBlock) return true;
  }
  return false;
}

// Makes this thread known, and the CPU it runs on. False: it has to do without sequences.
inline bool CpuCache::attach_thread() noexcept {
  if (mode_ == PoolMode::kRseq) return attach_to_cpu();
  thread_area = &own_area;
  return false;
}

bool CpuCache::attach_to_cpu() noexcept {
  if (thread_area == &vfork_area) return false;
  auto* area = static_cast<RseqArea*>(platform::rseq_area());
  if (area == nullptr) return false;
  // libc writes a negative number where the kernel refused to serve this thread.
  const std::uint32_t cpu = *const_cast<volatile std::uint32_t*>(&area->cpu_id);
  if (cpu >= kMaxCpus) return false;
  thread_area = area;
  install_slab(cpu);
  return true;
}

void CpuCache::install_slab(std::uint32_t cpu) noexcept {
  if (slabs_[cpu].load(std::memory_order_relaxed) != 0 || slab_refused_.stands()) return;
  void* slab = platform::map(kSlabLayout.bytes);
  if (slab == nullptr) return slab_refused_.note();
  const SlabDistance distance = reinterpret_cast<std::uintptr_t>(slab) - empty_slab_address();
  SlabDistance none = 0;
  if (!slabs_[cpu].compare_exchange_strong(none, distance)) {
    platform::unreserve(slab, kSlabLayout.bytes);
    return;
  }
  std::uint32_t seen = cpus_seen_.load();
  while (seen <= cpu && !cpus_seen_.compare_exchange_weak(seen, cpu + 1)) {
  }
  budget_.add_cache();
  std::atomic_ref(reach_[cpu]).store(distance, std::memory_order_release);
}

// The slab of the CPU that this thread runs on, or of its shard; 0: none. The thread may be on
// another CPU a moment later: what is done with the answer must bear that.
std::uintptr_t CpuCache::slab_here() const noexcept {
  if (mode_ == PoolMode::kLocked) return shards_.slab(shards_.shard_of_thread());
  const std::uint32_t cpu = *const_cast<volatile std::uint32_t*>(&thread_area->cpu_id_start);
  if (cpu >= kMaxCpus) return 0;
  const SlabDistance distance = slabs_[cpu].load(std::memory_order_relaxed);
  return distance == 0 ? 0 : empty_slab_address() + distance;
}

Block CpuCache::pop_slowly(ClassIndex c, std::uint64_t step, std::size_t asked) noexcept {
  if (mode_ == PoolMode::kLocked) return shards_.pop(shards_.shard_of_thread(), c, step, asked);
  return pop_twice(c, step, asked);
}

// Twice, as a sequence that was aborted looks like one that found nothing.
Block CpuCache::pop_twice(ClassIndex c, std::uint64_t step, std::size_t asked) noexcept {
  Block block = 0;
  for (int tries = 0; tries < 2 && block == 0; ++tries) {
    block = step == kOneHit - 1 ? pop(where_empty(c), asked)
                                : rseq_pop<-1>(thread_area, reach_.data(), where_empty(c), 0);
  }
  return block;
}

bool CpuCache::push_slowly(ClassIndex c, Block block) noexcept {
  if (mode_ == PoolMode::kLocked) return shards_.push(shards_.shard_of_thread(), c, block);
  return push_twice(c, block);
}

bool CpuCache::push_twice(ClassIndex c, Block block) noexcept {
  return push(where_empty(c), block) || push(where_empty(c), block);
}

Block CpuCache::pop_again(ClassIndex c, std::size_t asked) noexcept {
  attach_thread();
  return pop_slowly(c, kOneHit - 1, asked);
}

bool CpuCache::push_again(ClassIndex c, Block block) noexcept {
  attach_thread();
  return push_slowly(c, block);
}

CpuCache::Refill CpuCache::refill(ClassIndex c, std::size_t asked) noexcept {
  std::array<Block, kMaxBatch> blocks;
  std::size_t count = 1;
  if (const std::uintptr_t slab = slab_here()) {
    move_limit(slab, c, StackEvent::kRanEmpty);
    count = fill_count(c, stack_of(slab, c));
  }
  const Taken taken = spans_[to_number(c)].take(std::span(blocks).first(count), asked);
  if (taken.count == 0) return {.why = taken.why};
  missed_asked_[to_number(c)].fetch_add(asked, std::memory_order_relaxed);
  note_zero(c, std::span(blocks).first(taken.zeroed));
  std::uint32_t pushed = 1;
  while (pushed < taken.count && push_slowly(c, blocks[pushed])) ++pushed;
  if (pushed < taken.count) {
    const auto left = std::span(blocks).subspan(pushed, taken.count - pushed);
    spans_[to_number(c)].give_unfilled(left);
  }
  if (taken.new_outstanding_peak) note_peak(c);
  return {blocks[0], taken.fresh_bytes, taken.regret_bytes};
}

CpuCache::Refill CpuCache::take_wide(ClassIndex c, std::size_t asked,
                                     std::uint32_t offset) noexcept {
  Block block = 0;
  const Taken taken =
      WideBlocks(spans_[to_number(c)].state()).take(block, {gap_bytes(c) + asked, offset});
  if (taken.count == 0) return {.why = taken.why};
  missed_asked_[to_number(c)].fetch_add(asked, std::memory_order_relaxed);
  if (taken.new_outstanding_peak) note_peak(c);
  return {block, taken.fresh_bytes, taken.regret_bytes, taken.lent_bytes};
}

// What calloc need not write. The note faults a page in, so of those that only go to the cache it
// is written where a block is several pages: smaller ones are wiped for less.
void CpuCache::note_zero(ClassIndex c, std::span<const Block> blocks) const noexcept {
  constexpr std::size_t kLeastNoted = 16 << 10;
  const std::size_t most = nominal_bytes(c) < kLeastNoted ? 1 : kMaxBatch;
  for (const Block block : blocks.first(std::min(blocks.size(), most)))
    mark_known_zero(cookies_, block);
}

void CpuCache::drain(ClassIndex c, Block block) noexcept {
  std::array<Block, kMaxBatch> blocks;
  blocks[0] = block;
  std::size_t count = 1;
  if (const std::uintptr_t slab = slab_here()) {
    move_limit(slab, c, StackEvent::kRanFull);
    if (push_slowly(c, block)) return;
    const std::size_t most = fill_count(c, stack_of(slab, c));
    while (count < most && (blocks[count] = pop_slowly(c, kUnseen, 0)) != 0) ++count;
  }
  spans_[to_number(c)].give(std::span(blocks).first(count), true);
}

// A stack may hold more than it does once it has run both empty and full.
void CpuCache::move_limit(std::uintptr_t slab, ClassIndex c, StackEvent event) noexcept {
  Stack& stack = stack_of(slab, c);
  const StackEvent last = stack.last.load(std::memory_order_relaxed);
  if (last != event) stack.last.store(event, std::memory_order_relaxed);
  const std::uint32_t limit = stack.limit.load(std::memory_order_relaxed);
  if (limit == 0) {
    raise_limit(slab, c, batch_blocks(c));
  } else if (last != event && last != StackEvent::kNone) {
    raise_limit(slab, c, std::max(limit / 4, batch_blocks(c)));
  }
}

void CpuCache::raise_limit(std::uintptr_t slab, ClassIndex c, std::uint32_t step) noexcept {
  Stack& stack = stack_of(slab, c);
  note_used(slab, c);
  std::uint32_t limit = stack.limit.load(std::memory_order_relaxed);
  step = std::min(step, max_cached_blocks(c) - std::min(limit, max_cached_blocks(c)));
  while (step > 1 && !grant(slab, c, step * stride_bytes(c))) step /= 2;
  if (step == 0 || (step == 1 && !grant(slab, c, stride_bytes(c)))) return;
  while (limit + step <= max_cached_blocks(c)) {
    if (stack.limit.compare_exchange_weak(limit, limit + step)) return;
  }
  head_of(slab).granted_bytes.fetch_sub(step * stride_bytes(c));  // another thread was faster
}

bool CpuCache::spares_stacks() noexcept {
  const std::uint32_t left = spares_.load(std::memory_order_relaxed);
  if (left == 0) return false;
  spares_.store(left - 1, std::memory_order_relaxed);
  return true;
}

// Takes `bytes` out of the CPU's budget, if need be away from classes that lie idle.
bool CpuCache::grant(std::uintptr_t slab, ClassIndex c, std::uint64_t bytes) noexcept {
  std::atomic<std::uint64_t>& granted = head_of(slab).granted_bytes;
  const std::uint64_t budget = budget_.bytes();
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
// classes: one that had a hit since it last came by is spared once.
void CpuCache::take_from_idle(std::uintptr_t slab, ClassIndex except, std::uint64_t most) noexcept {
  SlabHead& head = head_of(slab);
  for (std::uint32_t looks = 0; looks < 2 * kClassSlots; ++looks) {
    if (head.granted_bytes.load(std::memory_order_relaxed) <= most) return;
    const ClassIndex c{head.clock_hand.fetch_add(1, std::memory_order_relaxed) % kClassSlots};
    if (c == except || !is_used(slab, c)) continue;
    Stack& stack = stack_of(slab, c);
    if (stack.limit.load(std::memory_order_relaxed) == 0) continue;
    const auto hits =
        static_cast<std::uint32_t>(hits_of(stack.header.load(std::memory_order_relaxed)));
    if (stack.seen.exchange(hits, std::memory_order_relaxed) != hits) continue;
    give_back_limit(slab, c);
    give_all(c, [&] { return pop_slowly(c, kUnseen, 0); });
  }
}

// Gives back to the spans what `pop` yields, until it yields 0.
template <typename Pop>
void CpuCache::give_all(ClassIndex c, Pop pop) noexcept {
  std::array<Block, kMaxBatch> blocks;
  for (std::size_t count = kMaxBatch; count == kMaxBatch;) {
    count = 0;
    while (count < kMaxBatch && (blocks[count] = pop()) != 0) ++count;
    if (count > 0) spans_[to_number(c)].give(std::span(blocks).first(count), false);
  }
}

std::uint32_t CpuCache::drain_all() noexcept {
  return drain_where([](std::uintptr_t, Stack&) { return true; });
}

std::uint32_t CpuCache::drain_quiet(std::uint32_t now_ms, std::uint32_t quiet_ms) noexcept {
  const std::uint64_t budget = budget_.bytes();
  return drain_where([=](std::uintptr_t slab, Stack& stack) {
    const bool over = head_of(slab).granted_bytes.load(std::memory_order_relaxed) > budget;
    return over || quiet_for(stack, now_ms, quiet_ms);
  });
}

// Looks at a stack; an empty one is never worth draining.
bool CpuCache::quiet_for(Stack& stack, std::uint32_t now_ms, std::uint32_t quiet_ms) noexcept {
  const std::uint64_t header = stack.header.load(std::memory_order_relaxed);
  const auto low = static_cast<std::uint32_t>(header);
  if (stack.watched.exchange(low, std::memory_order_relaxed) != low) {
    stack.quiet_ms.store(now_ms, std::memory_order_relaxed);
  }
  return depth_of(header) > 0 &&
         !is_within(now_ms, stack.quiet_ms.load(std::memory_order_relaxed), quiet_ms);
}

// Empties the stacks of every CPU for which `which` says so. Returns how many CPUs had any.
template <typename Which>
std::uint32_t CpuCache::drain_where(Which which) noexcept {
  std::uint32_t drained = 0;
  for (std::uint32_t shard = 0; shard < shards_.count(); ++shard)
    drained += drain_shard(shard, which);
  const std::uint32_t cpus = cpus_seen_.load(std::memory_order_acquire);
  for (std::uint32_t cpu = 0; cpu < cpus; ++cpu) drained += drain_cpu(cpu, which);
  return drained;
}

template <typename Which>
bool CpuCache::drain_shard(std::uint32_t shard, Which which) noexcept {
  bool any = false;
  for_each_used_class(shards_.slab(shard), [&](ClassIndex c) {
    if (!which(shards_.slab(shard), stack_of(shards_.slab(shard), c))) return;
    any = true;
    give_back_limit(shards_.slab(shard), c);
    give_all(c, [&] { return shards_.pop(shard, c, kUnseen, 0); });
  });
  return any;
}

// Whoever swings a CPU's pointer to the empty slab, and sees every sequence on it restarted, has
// the real slab for himself until he swings it back.
template <typename Which>
bool CpuCache::drain_cpu(std::uint32_t cpu, Which which) noexcept {
  std::atomic_ref<SlabDistance> reach(reach_[cpu]);
  const SlabDistance distance = reach.load(std::memory_order_relaxed);
  if (distance == 0) return false;
  const std::uintptr_t slab = empty_slab_address() + distance;
  std::array<bool, kClassSlots> chosen{};
  bool any = false;
  for_each_used_class(
      slab, [&](ClassIndex c) { any |= chosen[to_number(c)] = which(slab, stack_of(slab, c)); });
  if (!any || reach.exchange(0) == 0) return false;
  const bool alone = platform::restart_sequences(cpu);
  if (alone) {
    for_each_class([&](ClassIndex c) {
      if (!chosen[to_number(c)]) return;
      give_back_limit(slab, c);
      give_all(c, [&] { return pop_owned(stack_of(slab, c)); });
    });
  }
  reach.store(distance, std::memory_order_release);
  return alone;
}

void CpuCache::give_back_limit(std::uintptr_t slab, ClassIndex c) noexcept {
  const std::uint32_t limit = stack_of(slab, c).limit.exchange(0, std::memory_order_relaxed);
  head_of(slab).granted_bytes.fetch_sub(limit * stride_bytes(c), std::memory_order_relaxed);
}

// Pre: nobody else reaches the stack. Its depth is right before a block goes anywhere, so that a
// child forked meanwhile loses a batch at most.
Block CpuCache::pop_owned(Stack& stack) noexcept {
  const std::uint64_t header = stack.header.load(std::memory_order_relaxed);
  if (depth_of(header) == 0) return 0;
  stack.header.store(header - 1, std::memory_order_relaxed);
  return reinterpret_cast<const Block*>(&stack + 1)[depth_of(header) - 1];
}

// A drain that another thread had begun in the parent is nobody's in the child.
void CpuCache::repair_in_child() noexcept {
  spares_.store(kChildSpares, std::memory_order_relaxed);
  shards_.repair_in_child();
  const std::uint32_t cpus = cpus_seen_.load(std::memory_order_relaxed);
  for (std::uint32_t cpu = 0; cpu < cpus; ++cpu) {
    const SlabDistance distance = slabs_[cpu].load(std::memory_order_relaxed);
    std::atomic_ref reach(reach_[cpu]);
    if (reach.load(std::memory_order_relaxed) == distance) continue;
    reach.store(distance, std::memory_order_relaxed);
  }
}

}  // namespace bufpool
