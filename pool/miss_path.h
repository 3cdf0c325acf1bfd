// SPDX-License-Identifier: MIT
// Serves a get that missed.
#pragma once

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "pool/addresses/chunk_space.h"
#include "pool/backing/backing.h"
#include "pool/blocks/all_spans.h"
#include "pool/blocks/hit_tables.h"
#include "pool/blocks/served_sizes.h"
#include "pool/growing/lending.h"
#include "pool/percpu/cpu_cache.h"
#include "pool/retention/retention.h"
#include "pool/retention/returns_under_way.h"
#include "pool/retention/trimmer.h"
#include "pool/stats/stats_teller.h"
#include "pool/sync/refusal.h"

namespace bufpool {

// Finds a block where the CPU's stack had none, and passes on to the allocator underneath what
// finds none.
//
// Any thread may call all, and a signal handler may as far as it may call the allocator
// underneath. The caller holds no lock. `caller` is where the
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
    ReturnsUnderWay* returns = nullptr;
    const SpaceMappings* mappings = nullptr;
  };
  // Connects the parts, which outlive this. Pre: it is called once.
  void open(const Parts& parts) noexcept { parts_ = parts; }

  // Ends a BufferPool::take() whose stack had no block. It returns null only if the allocator
  // underneath has no memory. Pre: `size` is served.
  [[nodiscard, gnu::cold, gnu::noinline]] void* take(std::size_t size, const void* caller) noexcept;

  // Holds a block, or kNoBlock and the reason why there is none.
  struct Got {
    Block block;
    Shortage why;
  };
  // Returns a block for `size` bytes, off the stack or else as find() has it. Pre: `size` is
  // served.
  [[nodiscard]] Got take_block(std::size_t size, std::size_t asked, const void* caller) noexcept;

  // Holds a block with room to grow, or kNoBlock if there is none.
  struct Wide {
    Block block = kNoBlock;
    std::uint64_t idle_bytes = 0;  // they have pages, and `asked` bytes do not need them
  };
  // Takes such a block past the stack. `offset` tells where in a page it begins, as in WideTake.
  // Pre: a span of the class is one block.
  [[nodiscard]] Wide take_wide(ClassIndex c, std::size_t asked, std::uint32_t offset,
                               const void* caller) noexcept;

  // Marks a block that was taken for a request of class `wanted` as in use, and returns its buffer.
  [[nodiscard, gnu::always_inline]] void* hand_out(Block block, ClassIndex wanted) noexcept {
    const std::uint64_t c = parts_.tables->class_number(to_address(block));
    parts_.tables->marks().mark_in_use(block);
    if (c != to_number(wanted)) {
      parts_.lending->note_borrowed(block, parts_.tables->class_of(block), wanted);
    }
    return reinterpret_cast<void*>(buffer_address(block, parts_.tables->gap_of_class(c)));
  }

  // Holds a block, or kNoBlock and what the allocator underneath gave, which may be nullptr.
  struct Served {
    Block block;
    void* passed;
  };
  // Ends a request of class `c` and `asked` bytes for which `got` is what the pool had. Without a
  // block the request is passed on: `ask` asks the allocator underneath. If neither has memory, a
  // block of a larger class serves. errno stays as it is unless all fail.
  template <typename Ask>
  [[nodiscard]] Served serve(ClassIndex c, Got got, std::size_t asked, Ask ask) noexcept {
    if (got.block != kNoBlock) return {got.block, nullptr};
    if (got.why != Shortage::kMemory) return pass_on(c, got.why, ask);
    return serve_short(c, asked, ask);
  }

  // Returns how often a request of a class was passed on for a reason.
  [[nodiscard]] std::uint64_t passed_on(ClassIndex c, Shortage why) const noexcept {
    return passed_on_[to_number(c)][static_cast<std::size_t>(why)].load(std::memory_order_relaxed);
  }

 private:
  // Counts that there was no buffer of the class, and returns the result of `ask`, which asks the
  // allocator underneath.
  template <typename Ask>
  [[nodiscard]] Served pass_on(ClassIndex c, Shortage why, Ask ask) noexcept {
    auto& passed = passed_on_[to_number(c)][static_cast<std::size_t>(why)];
    passed.fetch_add(1, std::memory_order_relaxed);
    parts_.stats->tell_passed_on(c, why);
    return {kNoBlock, backing::keeping_errno(ask)};
  }

  // Does what serve() does where the pool had no memory. The allocator underneath comes first, as
  // its blocks fit. It comes last if it was refused memory a moment ago, as each try costs it
  // several system calls, and if mappings are short: a new one would keep those of the classes from
  // becoming larger.
  template <typename Ask>
  [[nodiscard]] Served serve_short(ClassIndex c, std::size_t asked, Ask ask) noexcept {
    const int kept = errno;
    const bool asks_first = !parts_.mappings->are_short() && !backing_refused_.stands();
    void* const memory = asks_first ? ask() : nullptr;
    errno = kept;
    if (memory != nullptr) return pass_on(c, Shortage::kMemory, [=] { return memory; });
    if (asks_first) backing_refused_.note();
    if (const Block block = take_larger(c, asked); block != kNoBlock) return {block, nullptr};
    const auto last = [&]() -> void* { return asks_first ? nullptr : ask(); };
    return pass_on(c, Shortage::kMemory, last);
  }

  [[nodiscard]] Got find(ClassIndex c, std::size_t asked, const void* caller) noexcept;
  [[nodiscard, gnu::always_inline]] Block look_again(ClassIndex c, std::size_t asked) noexcept;
  [[gnu::noinline]] void after_miss(ClassIndex c, std::size_t asked, const CpuCache::Refill& got,
                                    const void* caller) noexcept;
  [[nodiscard]] CpuCache::Refill borrow(ClassIndex c, std::size_t asked) noexcept;
  [[nodiscard]] CpuCache::Refill borrow_from_larger(ClassIndex c, std::size_t asked) noexcept;
  [[nodiscard, gnu::noinline]] void* take_elsewhere(ClassIndex c, Got got,
                                                    std::size_t size) noexcept;
  [[nodiscard, gnu::noinline]] CpuCache::Refill refill(ClassIndex c, std::size_t asked) noexcept;
  [[nodiscard]] Block take_larger(ClassIndex c, std::size_t asked) noexcept;

  Parts parts_;
  std::array<std::array<std::atomic<std::uint64_t>, kShortages>, kClassSlots> passed_on_{};
  // Counts how often a class's gets were served by larger ones, since it had fresh pages last.
  std::array<std::atomic<std::uint32_t>, kClassSlots> borrowed_{};
  Refusal backing_refused_;  // to serve a request that the pool had no memory for
};

}  // namespace bufpool
