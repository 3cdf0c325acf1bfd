// SPDX-License-Identifier: MIT
// The faults of addresses that a program hands in. They are found out from facts that do not
// depend on one another: where in its block the address lies, the cookies, the span's record, and
// what is in the CPUs' caches.
#include <optional>

#include "pool/buffer_pool.h"

namespace bufpool {
namespace {

Fault::Kind kind_off_start(const Fault& fault) noexcept {
  return fault.address < fault.buffer ? Fault::Kind::kInFront : Fault::Kind::kInnerPointer;
}

}  // namespace

std::optional<Fault> BufferPool::fault_at(std::uintptr_t address, Fault::Call call) noexcept {
  const ClassIndex c = class_at(address);
  const Fault never{Fault::Kind::kNotHandedOut, call, false, address, 0, 0, 0};
  SharedSpans& spans = spans_[to_number(c)];
  const Block block = spans.block_around(address);
  return spans.is_block(block) ? fault_in_block(block, never) : never;
}

std::optional<Fault> BufferPool::fault_in_block(Block block, Fault fault) noexcept {
  const ClassIndex c = class_at(block);
  const GuardLine& line = guard_line(block);
  const bool in_use = cookies_.is_in_use(block);
  fault.buffer = line.state == cookies_.entered(block) ? line.link : block + gap_bytes(c);
  if (in_use && fault.address == fault.buffer) return {};

  const auto place = in_use ? SharedSpans::Place::kOut : spans_[to_number(c)].place_of(block);
  fault.buffer_is_free = !in_use && is_idle(block, place);
  fault.class_bytes = nominal_bytes(c);
  fault.overrun_from = block + gap_bytes(c) - stride_bytes(c);
  const bool entry = !in_use && was_entry(block, fault.address);
  if (entry) fault.buffer = fault.address;
  if (fault.address != fault.buffer) {
    fault.kind = kind_off_start(fault);
  } else if (!fault.buffer_is_free) {
    fault.kind = Fault::Kind::kOverrun;
  } else if (entry || cookies_.is_free(block) || place != SharedSpans::Place::kUnused) {
    fault.kind = Fault::Kind::kDoubleFree;
  }
  return fault;
}

// A block whose word is no cookie of ours is free if its span or a CPU's cache has it.
bool BufferPool::is_idle(Block block, SharedSpans::Place place) noexcept {
  if (cookies_.is_free(block)) return true;
  if (place == SharedSpans::Place::kUnknown) return guard_line(block).state == 0;
  return place != SharedSpans::Place::kOut || cache_.counters().holds(class_at(block), block);
}

// Whether an aligned address inside a block is, or lately was, handed out of it.
bool BufferPool::was_entry(Block block, std::uintptr_t address) const noexcept {
  const std::size_t gap = gap_bytes(class_at(block));
  if (address % kLine != 0 || address < block + gap + kLine) return false;
  const Block line = address - gap;
  const GuardLine& words = guard_line(line);
  const bool cookie =
      words.state == cookies_.aligned_entry(line) || words.state == cookies_.free(line);
  return cookie && words.link == block;
}

void BufferPool::require_in_use(std::uintptr_t address, Fault::Call call) noexcept {
  if (const std::optional<Fault> fault = fault_at(address, call)) fail(*fault);
}

void BufferPool::fail(const Fault& fault) noexcept {
  if (on_fault_ != nullptr) on_fault_(fault);
  __builtin_trap();
}

}  // namespace bufpool
