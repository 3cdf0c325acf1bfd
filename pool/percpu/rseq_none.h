// SPDX-License-Identifier: MIT
// The contract of rseq_x86_64.h where there are no tested sequences: everything misses.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool/percpu/slab.h"

namespace bufpool {

struct alignas(32) RseqArea {
  std::uint32_t cpu_id_start;
  std::uint32_t cpu_id;
  std::uint64_t rseq_cs;
};

using SlabDistance = std::uintptr_t;

template <std::int64_t step>
inline Block rseq_pop(RseqArea*, const SlabDistance*, std::uintptr_t, std::uint64_t) noexcept {
  return 0;
}

inline bool rseq_push(RseqArea*, const SlabDistance*, std::uintptr_t, Block) noexcept {
  return false;
}

}  // namespace bufpool
