// SPDX-License-Identifier: MIT
#include "pool/slabs/slab_records.h"

#include <utility>

#include "pool/platform/safe_calls.h"
#include "pool/platform/shared_memory.h"

namespace bufpool {

// The call that maps a page again is none that programs make by themselves.
bool SlabRecords::place(std::uintptr_t slab, std::uint32_t number, bool is_new) noexcept {
  void* const records = reinterpret_cast<void*>(slab);
  if (!is_new && !platform::replace_by_private(records, platform::kPageBytes)) return false;
  void* const page = stats_ != nullptr ? stats_->shards().page(number) : nullptr;
  if (page == nullptr) return true;
  if (!refused_ && !platform::expects_filter()) {
    const auto mapped = platform::map_again(page, platform::kPageBytes, records);
    if (mapped == platform::MappedAgain::kYes) return true;
    refused_ = true;
    if (mapped == platform::MappedAgain::kLost) return false;
  }
  stats_->shards().note_elsewhere();
  return true;
}

void SlabRecords::note_fork() noexcept {
  if (!shared_) return;
  // A parent that had placed no records itself passes on what it inherited.
  if (notes().copied_by.load() == thread()) {
    notes().has_copies = true;
  } else if (!notes().is_child) {
    notes().under_way = 0;
  }
  if (notes().under_way > 0) --notes().under_way;
  notes().is_child = true;
  drop_copies();
}

// A child whose parent made no copy of the slab has none of its blocks. What they were counted as
// is in the account of the fork (ForkAccount), which a child of _Fork or of a raw clone does not
// have.
void SlabRecords::fill_in_child(std::uintptr_t slab, std::uint32_t number) noexcept {
  if (!head_of(slab).open.load()) return;
  open_slab(slab);
  if (!keeps_by_itself() && !notes().has_copies) return;
  if (copies_.has(number)) copies_.fill(number, slab);
  if (!std::exchange(has_sums_, true)) copies_.fill_sums(slab);
}

void SlabRecords::end_placing() noexcept {
  shared_ = stats_ != nullptr && stats_->shards().exist();
  has_sums_ = false;
  notes().is_child = false;
  notes().has_copies = false;
  notes().under_way = 0;
  drop_copies();
}

}  // namespace bufpool
