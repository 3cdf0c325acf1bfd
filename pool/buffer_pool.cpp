// SPDX-License-Identifier: MIT
#include "pool/buffer_pool.h"

#include <algorithm>
#include <cstring>

#include "pool/backing/backing.h"
#include "pool/platform/platform.h"

namespace bufpool {
namespace {

// From here on buffers start on a cache line of their own.
constexpr std::size_t kLeastLined = 1024 - 128 + kHeaderRoom + 1;
static_assert(gap_bytes(class_step(kLeastLined)) >= kLine);
static_assert(gap_bytes(class_step(kLeastLined - 1)) == 16);

PoolMode wanted_mode(const Options& options) noexcept {
  const bool locked = static_cast<ModeChoice>(options.mode) == ModeChoice::kLocked;
  return locked ? PoolMode::kLocked : PoolMode::kRseq;
}

}  // namespace

bool BufferPool::open(const Options& options) noexcept {
  choose_classes(options);
  OwnerLock::enter_process();
  if (options.disable || !space_.open()) return false;
  // Where BUFPOOL_TRIMMER says what is wanted, no file is read after the start.
  const bool may_read = static_cast<TrimmerChoice>(options.trimmer) == TrimmerChoice::kAuto;
  space_.use_huge_pages(static_cast<HugePagesChoice>(options.hugepages), may_read);
  zero_ = static_cast<ZeroChoice>(options.zero);
  cookies_ = Cookies(platform::process_secret(), zero_ == ZeroChoice::kFree);
  max_buffers_ = options.max_buffers != 0 ? options.max_buffers : SharedSpans::kNoLimit;
  range_ = space_.range();
  mode_ = cache_.open(wanted_mode(options), options.cpu_cache, spans_.data(), cookies_);
  if (mode_ == PoolMode::kPassThrough) return false;
  for_each_class([&](ClassIndex c) { rooms_[to_number(c)] = buffer_bytes(c); });
  retention_.open(options, spans_.data(), &cache_);
  trimmer_.open(options, &retention_);
  stats_.open({.cache = &cache_,
               .spans = spans_.data(),
               .space = &space_,
               .retention = &retention_,
               .trimmer = &trimmer_,
               .at_fork = &at_fork_});
  all_sizes_ = most_ >= least_ ? most_ - least_ + 1 : 0;
  sizes_ = zero_ == ZeroChoice::kAlloc ? 0 : all_sizes_;
  return true;
}

// Every step of the ladder is served by the next larger class in use.
void BufferPool::choose_classes(const Options& options) noexcept {
  std::array<bool, kClassSlots> in_use{};
  std::string_view list = options.classes;
  std::uint64_t size = 0;
  const bool all = list.empty();
  while (next_size(list, size)) in_use[std::max(to_number(class_step(size)), 1u)] = true;

  ClassIndex server{0};
  std::size_t most = 0;
  for (std::uint32_t i = to_number(kLastClass) + 1; i-- > 0;) {
    if (i > 0 && (all || in_use[i])) server = ClassIndex{i};
    if (server == ClassIndex{0}) continue;
    most = std::max(most, buffer_bytes(server));
    served_by_[i] = server;
    stacks_[i] = empty_stack_address(server);
    gaps_[i] = gap_bytes(server);
  }
  most_ = std::min(most, options.max_size + kHeaderRoom);
  least_ = options.min_size;
}

BufferPool::Got BufferPool::take_block(std::size_t size, std::size_t asked,
                                       const void* caller) noexcept {
  if (const Block block = cache_.pop(stacks_[step_number(size)], asked)) return {block, {}};
  return refill(class_for(size), asked, caller);
}

// A class's spans are opened with its first get: small processes need few, and each is part of a
// page.
SharedSpans& BufferPool::spans_for(ClassIndex c) noexcept {
  SharedSpans& spans = spans_[to_number(c)];
  if (!spans.is_open() && opening_.lock()) {
    spans.open(c, &space_, max_buffers_);
    opening_.unlock();
  }
  return spans;
}

CpuCache::Refill BufferPool::refill_or_drain(ClassIndex c, std::size_t asked) noexcept {
  const CpuCache::Refill refill = cache_.refill(c, asked);
  if (refill.block != 0 || refill.why == Shortage::kLock || !retention_.make_room()) return refill;
  return cache_.refill(c, asked);
}

// The end of a get that missed. `caller`: see Trimmer::after_slow_path().
BufferPool::Got BufferPool::refill(ClassIndex c, std::size_t asked, const void* caller) noexcept {
  stats_.settle();
  if (const Block block = cache_.pop_again(c, asked)) return {block, {}};
  // A fork is under way, or a signal handler interrupted the thread that opens the spans.
  if (!spans_for(c).is_open()) return {0, Shortage::kLock};
  CpuCache::Refill refill = borrow(c, asked);
  if (refill.block == 0) refill = refill_or_drain(c, asked);
  if (refill.fresh_bytes > 0) {
    // A buffer with room to grow is about to have pages for what is asked for only.
    const bool roomy = asked < nominal_bytes(c) / 2;
    retention_.after_fresh(refill.fresh_bytes, roomy ? 0 : refill.regret_bytes);
  }
  trimmer_.after_slow_path(stride_bytes(c), caller);
  stats_.after_slow_path(refill.block != 0 ? class_at(refill.block) : c);
  return {refill.block, refill.why};
}

template <typename Ask>
void* BufferPool::pass_on(ClassIndex c, Shortage why, Ask ask) noexcept {
  auto& fallbacks = fallbacks_[to_number(c)][static_cast<std::size_t>(why)];
  fallbacks.fetch_add(1, std::memory_order_relaxed);
  stats_.tell_passed_on(c, why);
  return backing::keeping_errno(ask);
}

void* BufferPool::take_slowly(std::size_t size, const void* caller) noexcept {
  const ClassIndex c = class_for(size);
  const auto [block, why] = refill(c, size, caller);
  if (block == 0) return pass_on(c, why, [size] { return backing::allocate(size); });
  return hand_out(block, c);
}

void BufferPool::drain(Block block, const void* caller) noexcept {
  const ClassIndex c = class_at(block);
  stats_.settle();
  if (cache_.push_again(c, block)) return;
  cache_.overflow(c, block);
  trimmer_.after_slow_path(stride_bytes(c), caller);
}

void* BufferPool::take_zeroed(std::size_t size, const void* caller) noexcept {
  const ClassIndex c = class_for(size);
  const auto [block, why] = take_block(size, size, caller);
  if (block == 0) return pass_on(c, why, [size] { return backing::allocate_zeroed(size); });
  const bool known_zero = guard_line(block).state == cookies_.known_zero(block);
  void* const buffer = hand_out(block, c);
  // If all memory is handed out as zero, the part that realloc may add in place is zero, too.
  const bool whole = zero_ == ZeroChoice::kAlloc;
  if (!known_zero) std::memset(buffer, 0, whole ? buffer_bytes(class_at(block)) : size);
  return buffer;
}

// The size of a buffer that has `size` bytes at an aligned address inside.
std::size_t BufferPool::bytes_to_align(std::size_t alignment, std::size_t size) noexcept {
  if (alignment <= 16) return size;
  // A buffer on a line is at most this far below the aligned address that follows it.
  const std::size_t most_skipped = alignment <= kLine ? 0 : alignment - kLine;
  return std::max(size + most_skipped, kLeastLined);
}

void* BufferPool::take_aligned(std::size_t alignment, std::size_t size,
                               const void* caller) noexcept {
  if (alignment <= 16)
    return wants(size) ? take(size, KnownCaller{caller}) : take_zeroed(size, caller);
  const std::size_t whole = bytes_to_align(alignment, size);
  const auto aligned = [=] { return backing::allocate_aligned(alignment, size); };
  if (!serves(whole)) return backing::keeping_errno(aligned);
  const auto [block, why] = take_block(whole, size, caller);
  if (block == 0) return pass_on(class_for(whole), why, aligned);
  guard_line(block).state = cookies_.in_use(block);
  const std::size_t gap = gap_bytes(class_at(block));
  const std::uintptr_t buffer = block + gap;
  const std::uintptr_t entry = (buffer + alignment - 1) & ~(alignment - 1);
  if (zero_ == ZeroChoice::kAlloc) std::memset(reinterpret_cast<void*>(entry), 0, size);
  if (entry != buffer) {
    const Block line = entry - gap;
    guard_line(block) = GuardLine{cookies_.entered(block), entry};
    guard_line(line) = GuardLine{cookies_.aligned_entry(line), block};
  }
  return reinterpret_cast<void*>(entry);
}

void BufferPool::put_oddly(void* pointer, const void* caller) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  const ClassIndex c = class_at(address);
  const Block front = address - gaps_[to_number(c)];
  const std::uint64_t state = guard_line(front).state;
  if (state == cookies_.growing(front) || state == cookies_.borrowed(front)) {
    return put_block(front, c, caller);  // a cookie that nobody can guess: it is in use
  }
  if (is_foreign(address)) return backing::release(pointer);
  require_in_use(address, Fault::Call::kFree);
  const Block block = spans_[to_number(c)].block_around(address);
  const Block line = address - gap_bytes(c);
  if (line != block) guard_line(line).state = cookies_.free(line);
  put_block(block, c, caller);
}

// The end of the long way: what put() does, and the wipe where one is wanted.
void BufferPool::put_block(Block block, ClassIndex c, const void* caller) noexcept {
  const bool grew = guard_line(block).state == cookies_.growing(block) && span_blocks(c) == 1;
  const std::size_t used = grew ? used_by_growing(block, c) : kLine;
  end_use(block, c);
  guard_line(block).state = cookies_.free(block);
  const Renewed renewed = has_altered_pages(block, c) ? renew(block, c) : Renewed::kNo;
  if (renewed == Renewed::kLost) return;
  if (zero_ == ZeroChoice::kFree) wipe(block, c);
  if ((grew || renewed == Renewed::kEmpty) && spans_[to_number(c)].give_grown(block, used)) {
    return trimmer_.after_slow_path(0, caller);  // it is known to be idle
  }
  if (!cache_.push_again(c, block)) {
    cache_.overflow(c, block);
    trimmer_.after_slow_path(stride_bytes(c), caller);
  }
}

// Bytes that the program may have written by a growing buffer, from the start of its block.
std::size_t BufferPool::used_by_growing(Block block, ClassIndex c) const noexcept {
  if (zero_ != ZeroChoice::kOff) return stride_bytes(c);
  const std::size_t most = guard_line(block).link & ~kGrewAgain;
  return gap_bytes(c) + std::min(buffer_bytes(class_for(most)), buffer_bytes(c));
}

// Much of a large buffer may never have been touched, so its pages are given back instead of
// written.
void BufferPool::wipe(Block block, ClassIndex c) noexcept {
  constexpr std::size_t kLarge = 1 << 20;
  const std::size_t bytes = stride_bytes(c);
  if (bytes >= kLarge) spans_[to_number(c)].before_purge(block, block, block + bytes);
  if (bytes < kLarge || !make_zero(block, block + bytes)) {
    std::memset(reinterpret_cast<void*>(block), 0, bytes);
  }
  guard_line(block).state = cookies_.known_zero(block);
}

// A mapping of somebody else's that got into the range, where nothing of ours is mapped.
bool BufferPool::is_foreign(std::uintptr_t address) noexcept {
  const std::uint64_t c = class_number(address);
  return !spans_[c].is_used() || !spans_[c].maps(address);
}

std::size_t BufferPool::usable_size(const void* pointer) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  const Block front = address - gaps_[class_number(address)];
  if (guard_line(front).state == cookies_.in_use(front)) return buffer_bytes(class_at(address));
  if (guard_line(front).state == cookies_.growing(front)) return usable_size_of(front, address);
  if (is_foreign(address)) return backing::usable_size(pointer);
  const ClassIndex c = class_at(address);
  const Block block = spans_[to_number(c)].block_around(address);
  const bool start = block + gap_bytes(c) == address;
  if (start && guard_line(block).state == cookies_.in_use(block)) return buffer_bytes(c);
  const std::optional<Fault> fault = fault_at(address, Fault::Call::kFree);
  // An overrun leaves the buffer as large as it was.
  if (fault && fault->kind != Fault::Kind::kOverrun) return 0;
  return usable_size_of(block, address);
}

// Room to grow is realloc's: programs add what they are told here to their memory in use.
std::size_t BufferPool::usable_size_of(Block block, std::uintptr_t address) const noexcept {
  const GuardLine& line = guard_line(block);
  if (line.state == cookies_.growing(block))
    return buffer_bytes(class_for(line.link & ~kGrewAgain));
  return block + stride_bytes(class_at(block)) - address;
}

std::uint64_t BufferPool::warm_up(std::size_t size, std::uint64_t count) noexcept {
  if (!serves(size)) return 0;
  const ClassIndex c = class_for(size);
  const std::uint64_t warmed = spans_for(c).warm_up(count);
  retention_.add_warmed(warmed * stride_bytes(c));
  return warmed;
}

// While a fork is under way no class is opened, so that those that are not have no owner.
void BufferPool::before_fork() noexcept {
  retention_.before_fork();
  OwnerLock::begin_fork();
  opening_.await_owner();
  cache_.slabs().await_owners();
  for (SharedSpans& spans : spans_) {
    if (spans.is_open()) spans.await_owner();
  }
  space_.await_owners();
}

void BufferPool::after_fork_in_parent() noexcept { OwnerLock::end_fork(); }

// A signal handler that comes before the end is turned away from all locks.
void BufferPool::after_fork_in_child() noexcept {
  trimmer_.forget_in_child();
  retention_.repair_in_child();
  space_.repair_in_child();
  for (SharedSpans& spans : spans_) {
    if (spans.is_open()) spans.repair_in_child();
  }
  opening_.repair_in_child();
  cache_.slabs().repair_in_child();
  cache_.capacity().spare_stacks_in_child();
  if (mode_ != PoolMode::kPassThrough) note_fork();
  stats_.after_fork_in_child();
  OwnerLock::enter_process();
}

}  // namespace bufpool
