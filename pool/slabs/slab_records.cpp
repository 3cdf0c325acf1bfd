// SPDX-License-Identifier: MIT
#include "pool/slabs/slab_records.h"

#include <cstring>

#include "pool/platform/safe_calls.h"
#include "pool/platform/shared_memory.h"

namespace bufpool {

// The call that maps a page again is none that programs make by themselves.
bool SlabRecords::place(std::uintptr_t slab, std::uint32_t number, bool is_new) noexcept {
  void* const page = stats_ != nullptr ? stats_->shards().page(number) : nullptr;
  if (page == nullptr && is_new) return true;
  void* const records = reinterpret_cast<void*>(slab);
  if (page != nullptr && !refused_ && !platform::expects_filter()) {
    if (platform::map_again(page, platform::kPageBytes, records)) return true;
    // Others may have mapped something there since.
    refused_ = true;
    return platform::map_private(records, platform::kPageBytes);
  }
  if (page != nullptr) stats_->shards().note_elsewhere();
  return is_new || platform::replace_by_private(records, platform::kPageBytes);
}

void SlabRecords::copy(std::uintptr_t slab) noexcept {
  constexpr std::size_t kBytes = kClassSlots * sizeof(Stack);
  std::memcpy(reinterpret_cast<void*>(slab + kRecordsCopyAt + kStatsStacksAt),
              reinterpret_cast<const void*>(slab + kStatsStacksAt), kBytes);
}

void SlabRecords::note_fork() noexcept {
  if (!shared_) return;
  // A parent that had placed no records itself passes on what it inherited.
  if (notes().copied_by.load() == thread()) {
    has_copies_ = true;
  } else if (!is_noted_) {
    notes().under_way = 0;
  }
  if (notes().under_way > 0) --notes().under_way;
  is_noted_ = true;
  drop_copies();
}

// A child whose parent made no copy of the slab has none of its blocks. What they were counted as
// is in the account of the fork (ForkAccount), which a child of _Fork or of a raw clone does not
// have.
void SlabRecords::fill_in_child(std::uintptr_t slab) const noexcept {
  if (!head_of(slab).open.load()) return;
  open_slab(slab);
  const bool has_blocks = has_copy(slab);
  if (!has_blocks && is_noted_) return;
  std::uint64_t granted = 0;
  for_each_class([&](ClassIndex c) {
    const Stack& from = stack_of(slab + kRecordsCopyAt, c);
    Stack& to = stack_of(slab, c);
    const std::uint64_t header = from.header.load(std::memory_order_relaxed);
    to.asked.store(from.asked.load(std::memory_order_relaxed), std::memory_order_relaxed);
    to.moved.store(from.moved.load(std::memory_order_relaxed), std::memory_order_relaxed);
    to.header.store(has_blocks ? header : hits_of(header) * kOneHit + bottom_of(c),
                    std::memory_order_relaxed);
    if (!has_blocks) return;
    to.limit.store(from.limit.load(std::memory_order_relaxed), std::memory_order_relaxed);
    granted += limit_of(to, c) * stride_bytes(c);
  });
  head_of(slab).granted_bytes.store(granted, std::memory_order_relaxed);
}

void SlabRecords::end_placing() noexcept {
  shared_ = stats_ != nullptr && stats_->shards().exist();
  is_noted_ = false;
  has_copies_ = false;
  notes().under_way = 0;
  drop_copies();
}

}  // namespace bufpool
