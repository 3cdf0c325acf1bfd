// SPDX-License-Identifier: MIT
// The contract of rseq_x86_64.h for processors without tested sequences: every pop and push misses,
// so that every request takes the locked way.
#pragma once

#include <cstdint>

#include "pool/percpu/rseq_abi.h"
#include "pool/percpu/slab.h"

namespace bufpool {

// Whether there are sequences for this processor.
inline constexpr bool kHaveSequences = false;

// Returns 0, as if the stack were empty. It takes no lock.
inline Block rseq_pop(RseqArea*, const SlabDistance*, const std::uintptr_t&,
                      std::uint64_t) noexcept {
  return 0;
}

// Returns 0, too.
inline Block rseq_pop_uncounted(RseqArea*, const SlabDistance*, std::uintptr_t) noexcept {
  return 0;
}

// Returns false, as if the stack were full. It takes no lock.
inline bool rseq_push(RseqArea*, const SlabDistance*, const std::uintptr_t&, Block) noexcept {
  return false;
}

// Returns false, too.
inline bool rseq_push_uncounted(RseqArea*, const SlabDistance*, const std::uintptr_t&,
                                Block) noexcept {
  return false;
}

}  // namespace bufpool
