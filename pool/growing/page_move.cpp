// SPDX-License-Identifier: MIT
#include "pool/growing/page_move.h"

#include "pool/backing/backing.h"
#include "pool/options/policy.h"

namespace bufpool {
namespace {

bool is_mapped_alone(const void* pointer) noexcept {
  return backing::usable_size(pointer) >= backing::kLeastMappedAlone;
}

}  // namespace

// Buffers of the pool start on a cache line.
std::uint32_t PageMove::offset_for(const void* from, ClassIndex c) noexcept {
  const std::uintptr_t block = reinterpret_cast<std::uintptr_t>(from) - gap_bytes(c);
  if (!has_slots(c) || block % kLine != 0) return WideTake::kAnywhere;
  return static_cast<std::uint32_t>(block % platform::kPageBytes);
}

// A mapping of somebody else's in the pool's range is the allocator's underneath.
PageMove::Place PageMove::place_of(const void* pointer) const noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  if (!parts_.tables->owns(address)) return {address, 0, {}};
  const ClassIndex c = parts_.tables->class_at(address);
  const Block front = parts_.check->front_of(address);
  if (is_whole_buffer(parts_.tables->marks().state(front))) return {address, front, c};
  if (parts_.check->is_foreign(address)) return {address, 0, {}};
  return {address, parts_.spans->lookup(c).block_around(address), c};
}

// Moves leave mappings, which must not add up. The allocator underneath unmaps its large blocks,
// and blocks of the pool get fresh pages where moves left several.
bool PageMove::may_come_from(const Place& from) const noexcept {
  if (!from.is_pools()) return is_mapped_alone(from.pointer());
  return !parts_.altered->has(from.block, from.c) ||
         parts_.altered->has_moved_in(from.block, from.c);
}

bool PageMove::may_come_to(const Place& to) noexcept {
  return to.is_pools() ? has_slots(to.c) : is_mapped_alone(to.pointer());
}

platform::Moved PageMove::move(void* from, void* to, std::size_t kept) noexcept {
  const Place source = place_of(from);
  const Place target = place_of(to);
  const bool alike = (source.address - target.address) % platform::kPageBytes == 0;
  if (kept < policy::kLeastMoved || !alike || !may_come_from(source) || !may_come_to(target)) {
    return platform::Moved::kNo;
  }
  const platform::ContentsMoved moved = platform::move_contents(from, to, kept);
  if (moved.how != platform::Moved::kYes) return moved.how;
  if (moved.in_pieces || is_strange(source)) {
    if (target.is_pools()) parts_.altered->note_moved_in(target.block);
    if (source.is_pools()) parts_.altered->note_moved_in(source.block);
  }
  if (source.is_pools()) settle(source, target, platform::PagesToMove(from, kept));
  return moved.how;
}

// Tells whether nothing is known of what the program did to the pages of a buffer.
bool PageMove::is_strange(const Place& from) const noexcept {
  return !from.is_pools() || parts_.altered->has_moved_in(from.block, from.c);
}

// Pages bring the wish for huge ones along.
void PageMove::settle(const Place& from, const Place& to,
                      const platform::PagesToMove& pages) noexcept {
  const bool wanted = to.is_pools() && parts_.spans->wide_blocks(to.c).has_huge_pages(to.block);
  if (wanted || !parts_.spans->wide_blocks(from.c).has_huge_pages(from.block)) return;
  auto* const first = reinterpret_cast<void*>(pages.first + (to.address - from.address));
  (void)platform::want_small_pages(first, pages.last - pages.first);
}

}  // namespace bufpool
