// SPDX-License-Identifier: MIT
#include "pool/free_path.h"

#include <algorithm>
#include <cstring>

#include "pool/backing/backing.h"
#include "pool/options/policy.h"
#include "pool/pages/zeroing.h"

namespace bufpool {

void FreePath::put_checked(void* pointer, const void* caller) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  const ClassIndex c = parts_.tables->class_at(address);
  const Block front = parts_.check->front_of(address);
  // A program cannot guess such a mark, so the buffer is in use.
  if (is_whole_buffer(marks().state(front))) return put_block(front, c, caller);
  if (parts_.check->is_foreign(address)) return backing::release(pointer);
  parts_.check->require_in_use(address, Fault::Call::kFree);
  // The address is an aligned one inside a block.
  const Block line = block_of_buffer(address, gap_bytes(c));
  marks().mark_free(line);
  put_block(parts_.spans->lookup(c).block_around(address), c, caller);
}

// Ends the long way. It does what put() does, and what the state of the buffer asks for.
void FreePath::put_block(Block block, ClassIndex c, const void* caller) noexcept {
  const bool grew = marks().is_growing(block) && span_blocks(c) == 1;
  const std::size_t written = grew ? used_by_growing(block, c) : kWordsBytes;
  end_use(block, c);
  const auto renewed = renew(block, c);
  if (renewed == AlteredPages::Renewed::kLost) return;
  if (zero_ == ZeroChoice::kFree) wipe(block, c);
  const bool all_empty = renewed == AlteredPages::Renewed::kEmpty;
  const std::size_t used = all_empty ? kWordsBytes : written;
  if ((grew || all_empty) && parts_.spans->wide_blocks(c).give(block, used)) {
    return parts_.trimmer->after_slow_path(0, caller);  // the span counts it as idle already
  }
  put_free(block, c, caller);
}

void FreePath::put(void* pointer, const void* caller) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  const Block block = parts_.check->front_of(address);
  if (!marks().is_plain(block)) return put_checked(pointer, caller);
  marks().mark_free(block);
  put_free(block, parts_.tables->class_at(address), caller);
}

void FreePath::put_free(Block block, ClassIndex c, const void* caller) noexcept {
  const std::uintptr_t stack = parts_.tables->stack_of_class(to_number(c));
  if (!parts_.cache->push(stack, block)) push(block, caller);
}

void FreePath::put_emptied(void* pointer, std::uintptr_t from, std::uintptr_t to,
                           const void* caller) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  const bool whole = is_whole_buffer(marks().state(parts_.check->front_of(address)));
  const bool foreign = !whole && parts_.check->is_foreign(address);
  if (zero_ != ZeroChoice::kOff || foreign) return put(pointer, caller);
  const ClassIndex c = parts_.tables->class_at(address);
  const Block block = parts_.spans->lookup(c).block_around(address);
  const Block line = block_of_buffer(address, gap_bytes(c));
  if (line != block) marks().mark_free(line);
  const bool grew = marks().is_growing(block);
  const std::size_t used = grew ? used_by_growing(block, c) : kWordsBytes;
  const bool altered = parts_.altered->has(block, c);
  end_use(block, c);
  const auto renewed = renew(block, c);
  if (renewed == AlteredPages::Renewed::kLost) return;
  // A move in several pieces may have copied some of them, so the pages are not empty for certain.
  if (altered && renewed == AlteredPages::Renewed::kNo) {
    if (!grew || !parts_.spans->wide_blocks(c).give(block, used)) put_free(block, c, caller);
    return;
  }
  const bool all_empty = renewed == AlteredPages::Renewed::kEmpty;
  parts_.spans->wide_blocks(c).give_emptied(block, all_empty ? kWordsBytes : used, from, to);
  parts_.trimmer->after_slow_path(stride_bytes(c), caller);
}

AlteredPages::Renewed FreePath::renew(Block block, ClassIndex c) noexcept {
  if (!parts_.altered->has(block, c)) return AlteredPages::Renewed::kNo;
  return parts_.altered->renew(block, c);
}

void FreePath::push(Block block, const void* caller) noexcept {
  const ClassIndex c = parts_.tables->class_of(block);
  if (parts_.cache->push_again(c, block)) return;
  if (parts_.stats->settle() && parts_.cache->push_again(c, block)) return;
  parts_.cache->overflow(c, block);
  parts_.trimmer->after_slow_path(stride_bytes(c), caller);
}

// Ends the use of a buffer, and of its sample. It gives back what it was lent, and growth is
// learned from the size that it reached.
void FreePath::end_use(Block block, ClassIndex c) noexcept {
  parts_.sampler->note_put(block);
  const BlockState state = marks().state(block);
  if (state == BlockState::kGrowing) parts_.predictor->note_end(growing_size(block).most());
  parts_.lending->end(block, c, state);
  marks().mark_free(block);
}

// Returns the bytes that the program may have written by a growing buffer, from the start of its
// block.
std::size_t FreePath::used_by_growing(Block block, ClassIndex c) const noexcept {
  if (zero_ != ZeroChoice::kOff) return stride_bytes(c);
  const std::size_t most = growing_size(block).most();
  return gap_bytes(c) + std::min(parts_.sizes->granted(most), buffer_bytes(c));
}

// Makes a block read as zero. Much of a large buffer may never have been touched, so its pages are
// given back instead of written.
void FreePath::wipe(Block block, ClassIndex c) noexcept {
  const std::uintptr_t start = to_address(block);
  const std::uintptr_t end = end_address(block, c);
  const std::size_t bytes = stride_bytes(c);
  const bool large = bytes >= policy::kLeastPurgedToWipe;
  if (large) parts_.spans->wide_blocks(c).before_purge(block, start, end);
  if (!large || !make_zero(start, end)) {
    std::memset(reinterpret_cast<void*>(start), 0, bytes);
  }
  marks().mark_known_zero(block);
}

}  // namespace bufpool
