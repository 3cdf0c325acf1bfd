// SPDX-License-Identifier: MIT
// Blocks larger than what is asked for: idle ones of the next classes, and room to grow. The bytes
// that they hold resident beyond that are lent, and bounded over the whole process.
#include "pool/buffer_pool.h"
#include "pool/platform/platform.h"

namespace bufpool {
namespace {

// Less is lent without a question.
constexpr std::uint64_t kLentFreely = std::uint64_t{4} << 20;

}  // namespace

// Whether `bytes` more may be lent: half of the most that is worth keeping idle.
bool BufferPool::may_lend(std::uint64_t bytes) noexcept {
  const std::uint64_t lent = lent_.load(std::memory_order_relaxed) + bytes;
  return lent <= kLentFreely || lent <= retention_.budget_most() / 2;
}

void BufferPool::note_lent(Block block, ClassIndex c, std::uint64_t bytes) noexcept {
  if (!has_more_words(c)) return;
  lent_bytes(block) = bytes;
  if (bytes != 0) lent_.fetch_add(bytes, std::memory_order_relaxed);
}

// A buffer gives back the bytes that it was lent, and growth is learned from the size it reached.
void BufferPool::end_use(Block block, ClassIndex c) noexcept {
  const GuardLine& line = guard_line(block);
  const bool growing = line.state == cookies_.growing(block);
  if (growing) growth_.note_end(line.link & ~kGrewAgain);
  if (!has_more_words(c) || !(growing || line.state == cookies_.borrowed(block))) return;
  if (lent_bytes(block) != 0) lent_.fetch_sub(lent_bytes(block), std::memory_order_relaxed);
}

// A block of many small ones with room to grow. False: that is too much; it went back.
bool BufferPool::lend(Block block, ClassIndex wanted, std::uint64_t bytes) noexcept {
  const ClassIndex c = class_at(block);
  if (c == wanted && bytes < nominal_bytes(c) / 2) bytes = 0;  // no more than any buffer wastes
  if (may_lend(bytes)) {
    note_lent(block, c, bytes);
    return true;
  }
  guard_line(block).state = cookies_.free(block);
  if (!cache_.push_again(c, block)) cache_.overflow(c, block);
  return false;
}

// A block with pages that a buffer of `size` bytes does not need: it keeps them while they are few.
void BufferPool::lend_tail(Block block, ClassIndex c, std::size_t size,
                           std::uint64_t bytes) noexcept {
  if (bytes < platform::kPageBytes) bytes = 0;
  if (!may_lend(bytes) && purge_behind(block, c, size)) bytes = 0;
  note_lent(block, c, bytes);
}

// Where the class would need fresh pages, an idle block of the next classes, up to twice the size,
// has them already, and warm. Below kLeastBorrowed a block is a few pages, which are not worth the
// look. Each time costs this slow path, so a class that has borrowed for as long as the faults of
// pages of its own would have taken gets them.
CpuCache::Refill BufferPool::borrow(ClassIndex c, std::size_t asked) noexcept {
  constexpr std::size_t kLeastBorrowed = 32 << 10;
  constexpr std::uint32_t kTimesPerPage = 32;  // some 15 ns against 500
  if (nominal_bytes(c) < kLeastBorrowed || spans_[to_number(c)].idle_bytes() > 0) return {};
  std::atomic<std::uint32_t>& times = borrowed_[to_number(c)];
  if (times.load(std::memory_order_relaxed) >=
      stride_bytes(c) / platform::kPageBytes * kTimesPerPage) {
    times.store(0, std::memory_order_relaxed);
    return {};
  }
  const CpuCache::Refill borrowed = borrow_above(c, asked);
  if (borrowed.block != 0) times.fetch_add(1, std::memory_order_relaxed);
  return borrowed;
}

// Another thread may take the idle blocks between the look and the refill, which then has fresh
// pages like any other.
CpuCache::Refill BufferPool::borrow_above(ClassIndex c, std::size_t asked) noexcept {
  constexpr std::uint32_t kSteps = 4;
  for (std::uint32_t i = to_number(c) + 1; i <= to_number(c) + kSteps; ++i) {
    const ClassIndex lender{i};
    if (lender > kLastClass || served_by_[i] != lender) return {};
    if (!spans_[i].is_used() || !may_lend(stride_bytes(lender) - stride_bytes(c))) continue;
    if (const Block block = cache_.pop_again(lender, asked)) return {.block = block};
    if (spans_[i].idle_bytes() > 0) return cache_.refill(lender, asked);
  }
  return {};
}

void BufferPool::mark_borrowed(Block block, ClassIndex wanted) noexcept {
  const ClassIndex c = class_at(block);
  if (!has_more_words(c)) return;
  note_lent(block, c, stride_bytes(c) - stride_bytes(wanted));
  guard_line(block).state = cookies_.borrowed(block);
}

}  // namespace bufpool
