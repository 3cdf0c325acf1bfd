// SPDX-License-Identifier: MIT
#include "pool/growing/lending.h"

#include "pool/options/policy.h"

namespace bufpool {

bool Lending::allows(std::uint64_t bytes) noexcept {
  const std::uint64_t lent = lent_.load(std::memory_order_relaxed) + bytes;
  return lent <= policy::kLentFreely ||
         lent <= retention_->budget().learn_limits().most() / policy::kLentPartOfBudget;
}

void Lending::note_room(Block block, ClassIndex c, std::uint64_t bytes) noexcept {
  if (!has_more_words(c)) return;
  lent_bytes(block) = bytes;
  if (bytes != 0) lent_.fetch_add(bytes, std::memory_order_relaxed);
}

bool Lending::lends_room(Block block, ClassIndex c, std::uint64_t bytes) noexcept {
  if (!has_more_words(c)) return false;
  const std::uint64_t lent = lent_bytes(block);
  if (bytes <= lent) return true;
  if (!allows(bytes - lent)) return false;
  lent_bytes(block) = bytes;
  lent_.fetch_add(bytes - lent, std::memory_order_relaxed);
  return true;
}

void Lending::note_borrowed(Block block, ClassIndex c, ClassIndex wanted) noexcept {
  if (!has_more_words(c)) return;
  note_room(block, c, stride_bytes(c) - stride_bytes(wanted));
  marks_.mark_borrowed(block);
}

void Lending::end(Block block, ClassIndex c, BlockState state) noexcept {
  if (!has_more_words(c)) return;
  if (state != BlockState::kGrowing && state != BlockState::kBorrowed) return;
  if (lent_bytes(block) != 0) lent_.fetch_sub(lent_bytes(block), std::memory_order_relaxed);
}

}  // namespace bufpool
