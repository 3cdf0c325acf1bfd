// SPDX-License-Identifier: MIT
#include "pool/blocks/pointer_check.h"

#include "pool/backing/backing.h"

namespace bufpool {
namespace {

Fault::Kind kind_off_start(const Fault& fault) noexcept {
  return fault.address < fault.buffer ? Fault::Kind::kInFront : Fault::Kind::kInnerPointer;
}

}  // namespace

std::optional<Fault> PointerCheck::fault_at(std::uintptr_t address, Fault::Call call) noexcept {
  const Fault never{Fault::Kind::kNotHandedOut, call, false, address, 0, 0, 0};
  SpanLookup spans = parts_.spans->lookup(parts_.tables->class_at(address));
  const Block block = spans.block_around(address);
  return spans.is_block(block) ? fault_in_block(block, never) : never;
}

std::optional<Fault> PointerCheck::fault_in_block(Block block, Fault fault) noexcept {
  const ClassIndex c = parts_.tables->class_of(block);
  const BlockState state = marks().state(block);
  const bool in_use = is_in_use(state);
  const std::uintptr_t start = buffer_address(block, gap_bytes(c));
  fault.buffer = state == BlockState::kEntered ? guard_line(block).link : start;
  if (in_use && fault.address == fault.buffer) return {};

  const auto place = in_use ? BlockPlace::kOut : parts_.spans->lookup(c).place_of(block);
  fault.buffer_is_free = !in_use && is_idle(block, state, place);
  fault.class_bytes = nominal_bytes(c);
  fault.overrun_from = start - stride_bytes(c);
  const bool entry = !in_use && was_entry(block, fault.address);
  if (entry) fault.buffer = fault.address;
  if (fault.address != fault.buffer) {
    fault.kind = kind_off_start(fault);
  } else if (!fault.buffer_is_free) {
    fault.kind = Fault::Kind::kOverrun;
  } else if (entry || is_free(state) || place != BlockPlace::kUnused) {
    fault.kind = Fault::Kind::kDoubleFree;
  }
  return fault;
}

// A block whose word is no mark of ours is free if its span or a CPU's cache has it.
bool PointerCheck::is_idle(Block block, BlockState state, BlockPlace place) noexcept {
  if (is_free(state)) return true;
  if (place == BlockPlace::kUnknown) return guard_line(block).state == 0;
  if (place != BlockPlace::kOut) return true;
  return parts_.cache->counters().holds(parts_.tables->class_of(block), block);
}

// Tells whether an aligned address inside a block is, or lately was, handed out of it.
bool PointerCheck::was_entry(Block block, std::uintptr_t address) const noexcept {
  const std::size_t gap = gap_bytes(parts_.tables->class_of(block));
  if (address % kLine != 0 || address < buffer_address(block, gap) + kLine) return false;
  return marks().was_entry(block, block_of_buffer(address, gap));
}

void PointerCheck::require_in_use(std::uintptr_t address, Fault::Call call) noexcept {
  if (const std::optional<Fault> fault = fault_at(address, call)) fail(*fault);
}

std::size_t PointerCheck::usable_size(std::uintptr_t address) noexcept {
  const Block front = front_of(address);
  const BlockState state = marks().state(front);
  const ClassIndex c = parts_.tables->class_at(address);
  if (state == BlockState::kInUse) return buffer_bytes(c);
  if (state == BlockState::kGrowing) return usable_size_of(front, address);
  if (parts_.spans->is_foreign(c, address)) {
    return backing::usable_size(reinterpret_cast<const void*>(address));
  }
  const std::optional<Fault> fault = fault_at(address, Fault::Call::kFree);
  // An overrun leaves the buffer as large as it was.
  if (fault && fault->kind != Fault::Kind::kOverrun) return 0;
  return usable_size_of(parts_.spans->lookup(c).block_around(address), address);
}

// The room to grow is realloc's, and is not told: programs add what they are told here to their
// memory in use.
std::size_t PointerCheck::usable_size_of(Block block, std::uintptr_t address) const noexcept {
  if (marks().is_growing(block)) {
    return buffer_bytes(parts_.sizes->class_for(growing_size(block).most()));
  }
  return end_address(block, parts_.tables->class_of(block)) - address;
}

void PointerCheck::fail(const Fault& fault) noexcept {
  if (on_fault_ != nullptr) on_fault_(fault);
  __builtin_trap();
}

}  // namespace bufpool
