// SPDX-License-Identifier: MIT
// Serves a get that missed.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/backing/backing.h"
#include "pool/blocks/all_spans.h"
#include "pool/blocks/hit_tables.h"
#include "pool/blocks/served_sizes.h"
#include "pool/growing/lending.h"
#include "pool/percpu/cpu_cache.h"
#include "pool/returning/retention.h"
#include "pool/returning/trimmer.h"
#include "pool/stats/stats_teller.h"

namespace bufpool {

// Finds a block where the CPU's stack had none, and passes on to the allocator underneath what
// finds none.
//
// Any thread and any signal handler may call all. The caller holds no lock. `caller` is where the
// program called us from, see Trimmer::after_slow_path(). `asked` is the bytes asked for, for the
// counters.
class MissPath {
 public:
  struct Parts {
    const HitTables* tables = nullptr;
    const ServedSizes* sizes = nullptr;
    CpuCache* cache = nullptr;
    AllSpans* spans = nullptr;
    Retention* retention = nullptr;
    Trimmer* trimmer = nullptr;
    Lending* lending = nullptr;
    StatsTeller* stats = nullptr;
  };
  // The parts outlive this. Pre: it is called once.
  void open(const Parts& parts) noexcept { parts_ = parts; }

  // Ends a BufferPool::take() whose stack had no block. It returns null only if the allocator
  // underneath has no memory. Pre: `size` is served.
  [[nodiscard, gnu::cold, gnu::noinline]] void* take(std::size_t size, const void* caller) noexcept;

  // It is a block, or 0 and the reason why there is none.
  struct Got {
    Block block;
    Shortage why;
  };
  // Returns a block for `size` bytes, off the stack or else as find() has it. Pre: `size` is
  // served.
  [[nodiscard]] Got take_block(std::size_t size, std::size_t asked, const void* caller) noexcept;

  // It is a block with room to grow.
  struct Wide {
    Block block = 0;               // it is 0 if there is none
    std::uint64_t idle_bytes = 0;  // they have pages, and `asked` bytes do not need them
  };
  // Takes such a block past the stack. `offset` tells where in a page it begins, as in WideTake.
  // Pre: a span of the class is one block.
  [[nodiscard]] Wide take_wide(ClassIndex c, std::size_t asked, std::uint32_t offset,
                               const void* caller) noexcept;

  // Marks a block that was taken for a request of class `wanted` as in use, and returns its buffer.
  [[nodiscard, gnu::always_inline]] void* hand_out(Block block, ClassIndex wanted) noexcept {
    const std::uint64_t c = parts_.tables->class_number(block);
    parts_.tables->marks().mark_in_use(block);
    if (c != to_number(wanted)) {
      parts_.lending->note_borrowed(block, parts_.tables->class_at(block), wanted);
    }
    return reinterpret_cast<void*>(block + parts_.tables->gap_of_class(c));
  }

  // Counts that there was no buffer of the class, and returns the result of `ask`, which asks the
  // allocator underneath. errno stays as it is unless that fails.
  template <typename Ask>
  [[nodiscard]] void* pass_on(ClassIndex c, Shortage why, Ask ask) noexcept {
    auto& passed = passed_on_[to_number(c)][static_cast<std::size_t>(why)];
    passed.fetch_add(1, std::memory_order_relaxed);
    parts_.stats->tell_passed_on(c, why);
    return backing::keeping_errno(ask);
  }

  // Returns how often pass_on() was called for a class and a reason.
  [[nodiscard]] std::uint64_t passed_on(ClassIndex c, Shortage why) const noexcept {
    return passed_on_[to_number(c)][static_cast<std::size_t>(why)].load(std::memory_order_relaxed);
  }

 private:
  [[nodiscard]] Got find(ClassIndex c, std::size_t asked, const void* caller) noexcept;
  [[nodiscard]] CpuCache::Refill borrow(ClassIndex c, std::size_t asked) noexcept;
  [[nodiscard]] CpuCache::Refill borrow_from_larger(ClassIndex c, std::size_t asked) noexcept;
  [[nodiscard]] CpuCache::Refill refill(ClassIndex c, std::size_t asked) noexcept;

  Parts parts_;
  std::array<std::array<std::atomic<std::uint64_t>, kShortages>, kClassSlots> passed_on_{};
  // Counts how often a class's gets were served by larger ones, since it had fresh pages last.
  std::array<std::atomic<std::uint32_t>, kClassSlots> borrowed_{};
};

}  // namespace bufpool
