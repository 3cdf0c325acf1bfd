// SPDX-License-Identifier: MIT
#include "pool/buffer_pool.h"

#include <algorithm>
#include <cstring>

#include "pool/backing.h"
#include "pool/platform.h"

namespace bufpool {
namespace {

// From here on buffers start on a cache line of their own.
constexpr std::size_t kLeastLined = 1024 - 128 + kHeaderRoom + 1;
static_assert(gap_bytes(class_step(kLeastLined)) == 64);
static_assert(gap_bytes(class_step(kLeastLined - 1)) == 16);

constexpr std::size_t kLine = 64;

PoolMode wanted_mode(const Options& options) noexcept {
  const bool locked = static_cast<ModeChoice>(options.mode) == ModeChoice::kLocked;
  return locked ? PoolMode::kLocked : PoolMode::kRseq;
}

}  // namespace

bool BufferPool::open(const Options& options) noexcept {
  if (options.disable || !space_.open()) return false;
  OwnerLock::enter_process();
  cookies_ = Cookies(platform::process_secret());
  for_each_class(
      [&](ClassIndex c) { spans_[to_number(c)].open(c, space_.region(c), space_.records(c)); });
  mode_ = cache_.open(wanted_mode(options), options.cpu_cache, spans_.data());
  if (mode_ == PoolMode::kPassThrough) return false;
  choose_classes(options);
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
    stacks_[i] = CpuCache::where_empty(server);
    gaps_[i] = gap_bytes(server);
  }
  most = std::min(most, options.max_size + kHeaderRoom);
  least_ = options.min_size;
  sizes_ = most >= least_ ? most - least_ + 1 : 0;
}

Block BufferPool::take_block(std::size_t size, std::size_t asked) noexcept {
  const Block block = cache_.pop(stacks_[step_number(size)], asked);
  return block != 0 ? block : cache_.refill(class_for(size), asked);
}

void BufferPool::drain(Block block) noexcept { cache_.drain(space_.class_at(block), block); }

void* BufferPool::take_slowly(std::size_t size) noexcept {
  const ClassIndex c = class_for(size);
  const Block block = cache_.refill(c, size);
  if (block == 0) return pass_on(c, backing::allocate(size));
  guard_line(block).state = cookies_.in_use(block);
  return reinterpret_cast<void*>(block + gap_bytes(c));
}

void* BufferPool::pass_on(ClassIndex c, void* pointer) noexcept {
  fallbacks_[to_number(c)].fetch_add(1, std::memory_order_relaxed);
  return pointer;
}

void* BufferPool::take_zeroed(std::size_t size) noexcept {
  const ClassIndex c = class_for(size);
  const Block block = take_block(size, size);
  if (block == 0) return pass_on(c, backing::allocate_zeroed(size));
  const bool known_zero = guard_line(block).state == 0;
  guard_line(block).state = cookies_.in_use(block);
  void* const buffer = reinterpret_cast<void*>(block + gap_bytes(c));
  if (!known_zero) std::memset(buffer, 0, size);
  return buffer;
}

void* BufferPool::take_aligned(std::size_t alignment, std::size_t size) noexcept {
  if (alignment <= 16) return take(size);
  // A buffer on a line is at most this far below the aligned address that follows it.
  const std::size_t most_skipped = alignment <= kLine ? 0 : alignment - kLine;
  const std::size_t whole = std::max(size + most_skipped, kLeastLined);
  if (!wants(whole)) return backing::allocate_aligned(alignment, size);
  const Block block = take_block(whole, size);
  if (block == 0) return pass_on(class_for(whole), backing::allocate_aligned(alignment, size));
  guard_line(block).state = cookies_.in_use(block);
  const std::uintptr_t buffer = block + kLine;
  const std::uintptr_t entry = (buffer + alignment - 1) & ~(alignment - 1);
  if (entry != buffer) {
    const Block line = entry - kLine;
    guard_line(line) = GuardLine{cookies_.aligned_entry(line), block};
  }
  return reinterpret_cast<void*>(entry);
}

// The block that an aligned address inside it was handed out of; 0: it was not.
Block BufferPool::block_of_entry(std::uintptr_t address) const noexcept {
  const Block line = address - gaps_[space_.region_number(address)];
  if (guard_line(line).state != cookies_.aligned_entry(line)) return 0;
  return guard_line(line).link;
}

void BufferPool::put_oddly(void* pointer) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  const ClassIndex c = space_.class_at(address);
  if (c < kFirstClass || c > kLastClass) fail(Fault::Kind::kNotHandedOut, address);
  const SharedSpans& spans = spans_[to_number(c)];
  const Block around = spans.block_around(address);
  if (!spans.is_block(around)) fail(Fault::Kind::kNotHandedOut, address);
  if (around + gap_bytes(c) == address) {
    fail(cookies_.is_free(around) ? Fault::Kind::kDoubleFree : Fault::Kind::kOverrun, address);
  }
  const Block block = address < around + gap_bytes(c) + kLine ? 0 : block_of_entry(address);
  if (block != around) fail(Fault::Kind::kInnerPointer, address);
  guard_line(address - gap_bytes(c)) = GuardLine{0, 0};
  put(reinterpret_cast<void*>(block + gap_bytes(c)));
}

void BufferPool::fail(Fault::Kind kind, std::uintptr_t address) noexcept {
  const ClassIndex c = space_.class_at(address);
  Fault fault{kind, address, 0, 0, 0};
  if (kind != Fault::Kind::kNotHandedOut) {
    const Block block = spans_[to_number(c)].block_around(address);
    fault.buffer = block + gap_bytes(c);
    fault.overrun_from = fault.buffer - stride_bytes(c);
    fault.class_bytes = nominal_bytes(c);
  }
  if (on_fault_ != nullptr) on_fault_(fault);
  __builtin_trap();
}

std::size_t BufferPool::usable_size(const void* pointer) const noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  const ClassIndex c = space_.class_at(address);
  const Block block = spans_[to_number(c)].block_around(address);
  return block + stride_bytes(c) - address;
}

std::uint64_t BufferPool::trim(std::uint64_t keep) noexcept {
  cpu_drains_.fetch_add(cache_.drain_all(), std::memory_order_relaxed);
  const auto now = static_cast<std::uint32_t>(platform::coarse_milliseconds());
  std::uint64_t idle = 0;
  for (SharedSpans& spans : spans_) idle += spans.counters().idle_bytes;
  std::uint64_t given = 0;
  for (SharedSpans& spans : spans_) {
    while (idle > keep) {
      SpanBatch batch = spans.take_idle(now, 0, idle - keep);
      if (batch.count == 0) break;
      const std::uint64_t bytes = spans.purge(batch, now);
      if (bytes == 0) break;
      idle -= std::min(idle, bytes);
      given += bytes;
    }
  }
  return given;
}

void BufferPool::before_fork() noexcept {
  cache_.lock_for_fork();
  for (SharedSpans& spans : spans_) spans.lock_for_fork();
}

void BufferPool::after_fork_in_parent() noexcept {
  for (SharedSpans& spans : spans_) spans.unlock_after_fork();
  cache_.unlock_after_fork();
}

void BufferPool::after_fork_in_child() noexcept {
  OwnerLock::enter_process();
  after_fork_in_parent();
  cache_.repair_in_child();
  if (mode_ == PoolMode::kPassThrough) return;
  at_fork_ = Snapshot{};
  count_since_start(at_fork_);
}

}  // namespace bufpool
