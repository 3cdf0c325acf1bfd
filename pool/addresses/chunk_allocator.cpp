// SPDX-License-Identifier: MIT
#include "pool/addresses/chunk_allocator.h"

#include <algorithm>

#include "pool/platform/memory.h"

namespace bufpool {

// No other thread uses it any more, so there is nothing to lock.
void ChunkAllocator::close() noexcept BUFPOOL_NO_THREAD_ANALYSIS {
  platform::unreserve(reinterpret_cast<void*>(start_), next_ - start_);
}

std::uintptr_t ChunkAllocator::take(std::size_t chunks) noexcept {
  const ScopedLock locked(lock_);
  if (!locked) return 0;
  std::uintptr_t start = take_free(chunks);
  if (start == 0 && chunks <= (end_ - next_) >> kChunkShift) {
    start = next_;
    next_ += chunks * kChunkBytes;
  }
  if (start != 0) taken_.fetch_add(chunks, std::memory_order_relaxed);
  return start;
}

// Chunks come from the smallest range that is large enough, so that larger ones stay whole. The
// lower one serves of two that are equally large.
std::uintptr_t ChunkAllocator::take_free(std::size_t chunks) noexcept {
  std::size_t best = count_;
  for (std::size_t i = 0; i < count_; ++i) {
    if (free_[i].chunks < chunks) continue;
    if (best == count_ || free_[i].chunks < free_[best].chunks) best = i;
  }
  if (best == count_) return 0;
  Range& range = free_[best];
  const std::uintptr_t start = range.start;
  range.start += chunks * kChunkBytes;
  range.chunks -= chunks;
  if (range.chunks == 0) erase(best);
  return start;
}

void ChunkAllocator::give(std::uintptr_t start, std::size_t chunks) noexcept {
  taken_.fetch_sub(chunks, std::memory_order_relaxed);
  const ScopedLock locked(lock_);
  if (locked) add_free({start, chunks});
}

void ChunkAllocator::add_free(Range range) noexcept {
  const auto above = std::lower_bound(
      free_.begin(), free_.begin() + count_, range.start,
      [](const Range& other, std::uintptr_t address) { return other.start < address; });
  auto at = static_cast<std::size_t>(above - free_.begin());
  if (at < count_ && free_[at].start == range.end()) {
    range.chunks += free_[at].chunks;
    erase(at);
  }
  if (at > 0 && free_[at - 1].end() == range.start) {
    range = {free_[at - 1].start, free_[at - 1].chunks + range.chunks};
    erase(--at);
  }
  if (range.end() == next_) {
    next_ = range.start;
    return;
  }
  if (count_ == kMostRanges) return;
  std::move_backward(free_.begin() + at, free_.begin() + count_, free_.begin() + count_ + 1);
  free_[at] = range;
  ++count_;
}

void ChunkAllocator::erase(std::size_t at) noexcept {
  std::move(free_.begin() + at + 1, free_.begin() + count_, free_.begin() + at);
  --count_;
}

}  // namespace bufpool
