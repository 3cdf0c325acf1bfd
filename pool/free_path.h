// SPDX-License-Identifier: MIT
// Serves a put that does not end on the CPU's stack at once.
#pragma once

#include <cstddef>

#include "pool/blocks/all_spans.h"
#include "pool/blocks/altered_pages.h"
#include "pool/blocks/hit_tables.h"
#include "pool/blocks/pointer_check.h"
#include "pool/blocks/served_sizes.h"
#include "pool/growing/lending.h"
#include "pool/growing/realloc_predictor.h"
#include "pool/options/options.h"
#include "pool/percpu/cpu_cache.h"
#include "pool/retention/trimmer.h"
#include "pool/sampling/sampler.h"
#include "pool/stats/stats_teller.h"

namespace bufpool {

// Takes buffers back that need a look: ones that grew, were borrowed or aligned, whose pages the
// program altered, or which are to be wiped; addresses that are no buffers; and blocks that found
// their stack full.
//
// Any thread and any signal handler may call all. The caller holds no lock. `caller` is where the
// program called us from, see Trimmer::after_slow_path().
class FreePath {
 public:
  struct Parts {
    const HitTables* tables = nullptr;
    const ServedSizes* sizes = nullptr;
    PointerCheck* check = nullptr;
    AlteredPages* altered = nullptr;
    Sampler* sampler = nullptr;
    CpuCache* cache = nullptr;
    AllSpans* spans = nullptr;
    Trimmer* trimmer = nullptr;
    Lending* lending = nullptr;
    StatsTeller* stats = nullptr;
    ReallocPredictor* predictor = nullptr;
  };
  // Connects the parts, which outlive this. `zero` tells which memory is wiped. Pre: it is called
  // once.
  void open(const Parts& parts, ZeroChoice zero) noexcept {
    parts_ = parts;
    zero_ = zero;
  }

  // Takes any address of the pool's range back. One that is no buffer in use ends in the fault
  // handler, and one that somebody else has mapped goes to the allocator underneath.
  [[gnu::cold, gnu::noinline]] void put_checked(void* pointer, const void* caller) noexcept;

  // Takes a buffer of the pool's range back as BufferPool::put() does, for callers below it.
  void put(void* pointer, const void* caller) noexcept;

  // Puts a block that is marked as free into the CPU's cache, and a part of the stack into the
  // spans where the stack is full.
  [[gnu::cold, gnu::noinline]] void push(Block block, const void* caller) noexcept;

  // Does what put() does for a buffer whose whole pages in [from, to) were moved away. If buffers
  // are not wiped, the span of the block knows after it that they have no memory. Pre: a span of
  // the class is one block.
  void put_emptied(void* pointer, std::uintptr_t from, std::uintptr_t to,
                   const void* caller) noexcept;

  // So many bytes of a block keep their page when the pages behind its guard line's words go.
  static constexpr std::size_t kWordsBytes = kLine;

 private:
  void put_block(Block block, ClassIndex c, const void* caller) noexcept;
  void put_free(Block block, ClassIndex c, const void* caller) noexcept;
  void end_use(Block block, ClassIndex c) noexcept;
  [[nodiscard]] AlteredPages::Renewed renew(Block block, ClassIndex c) noexcept;
  [[nodiscard]] std::size_t used_by_growing(Block block, ClassIndex c) const noexcept;
  void wipe(Block block, ClassIndex c) noexcept;

  const BlockMarks& marks() const noexcept { return parts_.tables->marks(); }

  Parts parts_;
  ZeroChoice zero_ = ZeroChoice::kOff;
};

}  // namespace bufpool
