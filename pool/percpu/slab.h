// SPDX-License-Identifier: MIT
// The memory layout of one CPU's cache: per class a stack of blocks behind a header. The stacks
// hold addresses; the blocks themselves are not touched.
//
// A slab that is all zero is empty (depth 0) and full (limit 0), so every pop and push in it
// misses.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "pool/addresses/guard_line.h"
#include "pool/addresses/size_classes.h"
#include "pool/telemetry/stats_page_writer.h"

namespace bufpool {

// The reason why a thread last left the hit path of a stack. Only a stack that runs both empty and
// full gains from a higher limit; one that only fills or only empties passes blocks on to another
// CPU.
enum class StackEvent : std::uint32_t { kNone, kRanEmpty, kRanFull };

// The head of a class's stack. Any thread may read every field at any time. Who writes:
//   - `header`, `asked` and the blocks are written by one at a time: the sequences of the CPU, the
//     OwnedSlab that has taken the slab from them, or the owner of the shard's lock.
//   - All other fields are written by any thread, without a lock. `limit` is changed by atomic
//     operations, as bytes of the CPU's budget hang on it. The others are hints: a thread that
//     missed writes `seen` and `last`, and a thread that drains writes `watched` and `quiet_ms`.
//
// What a stack did is told in its words, which are on the statistics page if there is one: a copy
// of the header that is stored right before the header itself, the bytes that the hits asked for,
// and a copy of `moved`. Nobody reads the copies here.
struct Stack {
  std::atomic<std::uint64_t> header;  // {hits:48, depth:16}: one store commits a pop and its count
  std::atomic<StatsStack*> words;     // never null once the class was used in this slab
  std::atomic<std::uint64_t> moved;   // blocks that came without a put, less those without a get
  std::atomic<std::uint32_t> limit;   // depth at which a push overflows
  std::atomic<std::uint32_t> seen;    // low bits of hits at the last look for idle classes
  std::atomic<StackEvent> last;
  std::atomic<std::uint32_t> watched;   // low bits of the header when a pass last looked
  std::atomic<std::uint32_t> quiet_ms;  // since when they have been the same
  std::uint32_t unused;
  // The blocks follow.
};
static_assert(sizeof(Stack) % sizeof(Block) == 0);

inline constexpr std::uint64_t kDepthMask = 0xffff;
inline constexpr std::uint64_t kOneHit = kDepthMask + 1;

// A pop adds one of these to a header. The first counts a hit. The second is for a block that only
// moves from the stack to the spans.
inline constexpr std::int64_t kCountedPop = static_cast<std::int64_t>(kOneHit) - 1;
inline constexpr std::int64_t kUncountedPop = -1;

// What a push adds to the count of blocks that moved. The first is for a block that the program
// put, the second for one that only moves from the spans to the stack.
inline constexpr std::int64_t kCountedPush = 0;
inline constexpr std::int64_t kUncountedPush = 1;

// The parts of a stack's header: how many blocks the stack holds, and how many hits it has had.
constexpr std::uint32_t depth_of(std::uint64_t header) noexcept {
  return static_cast<std::uint32_t>(header & kDepthMask);
}
constexpr std::uint64_t hits_of(std::uint64_t header) noexcept { return header / kOneHit; }

// The start of a slab: the bytes that the CPU has granted to its classes' limits, and where the
// search for a class to take from goes on.
struct SlabHead {
  std::atomic<std::uint64_t> granted_bytes;
  std::atomic<std::uint32_t> clock_hand;
  std::uint32_t cpu;  // whose slab it is; not set in locked mode
  // Bit i: class i had a limit once; no other stack has a page.
  std::array<std::atomic<std::uint64_t>, (kClassSlots + 63) / 64> used;
};
static_assert(sizeof(SlabHead) <= 64);

struct SlabLayout {
  std::array<std::uint32_t, kClassSlots> stack{};
  std::size_t words = 0;  // a StatsStack for each class, for a process without a statistics page
  std::size_t bytes = 0;
};

// Returns where in a slab each class's stack begins, in bytes, with room for as many blocks as the
// class may cache, and how long a slab is, in whole pages.
constexpr SlabLayout make_slab_layout() {
  SlabLayout layout;
  std::size_t at = 64;  // after the SlabHead, on a line of its own
  for_each_class([&](ClassIndex c) {
    layout.stack[to_number(c)] = static_cast<std::uint32_t>(at);
    at += (sizeof(Stack) + max_cached_blocks(c) * sizeof(Block) + 63) & ~std::size_t{63};
  });
  layout.words = at;
  layout.bytes = (at + kClassSlots * sizeof(StatsStack) + 4095) & ~std::size_t{4095};
  return layout;
}

inline constexpr SlabLayout kSlabLayout = make_slab_layout();
static_assert(kSlabLayout.bytes < 1 << 20);
static_assert(max_cached_blocks(kFirstClass) < kDepthMask, "the depth has 16 bits");

// A slab that is always empty and always full. All distances are counted from it.
[[gnu::visibility("hidden")]] extern constinit char empty_slab[kSlabLayout.bytes];
inline std::uintptr_t empty_slab_address() noexcept {
  return reinterpret_cast<std::uintptr_t>(empty_slab);
}

// The address of a class's stack in the empty slab. The stack of a CPU is the CPU's SlabDistance
// away from it.
inline std::uintptr_t empty_stack_address(ClassIndex c) noexcept {
  return empty_slab_address() + kSlabLayout.stack[to_number(c)];
}

// The parts of the slab at an address.
inline Stack& stack_of(std::uintptr_t slab, ClassIndex c) noexcept {
  return *reinterpret_cast<Stack*>(slab + kSlabLayout.stack[to_number(c)]);
}
inline SlabHead& head_of(std::uintptr_t slab) noexcept {
  return *reinterpret_cast<SlabHead*>(slab);
}
inline StatsStack& own_words_of(std::uintptr_t slab, ClassIndex c) noexcept {
  return reinterpret_cast<StatsStack*>(slab + kSlabLayout.words)[to_number(c)];
}
inline Block* blocks_of(Stack& stack) noexcept { return reinterpret_cast<Block*>(&stack + 1); }

// Whether the class had a limit in this slab once. The stack of one that never had lies on pages
// that nobody has touched.
inline bool is_used(std::uintptr_t slab, ClassIndex c) noexcept {
  const std::uint64_t word = head_of(slab).used[to_number(c) / 64].load(std::memory_order_acquire);
  return (word >> to_number(c) % 64 & 1) != 0;
}

// Notes that the class has a limit in this slab from now on. It takes no lock.
inline void note_used(std::uintptr_t slab, ClassIndex c) noexcept {
  head_of(slab).used[to_number(c) / 64].fetch_or(std::uint64_t{1} << to_number(c) % 64,
                                                 std::memory_order_release);
}

// Counts blocks that moved, neither put nor got. Any thread may call it.
inline void add_moved(Stack& stack, std::int64_t blocks) noexcept {
  stack.moved.fetch_add(static_cast<std::uint64_t>(blocks), std::memory_order_relaxed);
}

// Sets the header, and tells it, and that `moved` blocks of the change are neither put nor got.
// Pre: nobody else reaches the stack.
inline void set_header(Stack& stack, std::uint64_t header, std::int64_t moved) noexcept {
  StatsStack& words = *stack.words.load(std::memory_order_relaxed);
  if (moved != 0) {
    add_moved(stack, moved);
    put_word(words.moved, stack.moved.load(std::memory_order_relaxed));
  }
  put_word(words.header, header);
  stack.header.store(header, std::memory_order_relaxed);
}

// Takes the last block off the stack without counting a hit; 0 if it is empty. Pre: nobody else
// reaches the stack. Its depth is right before a block goes anywhere, so that a child forked
// meanwhile loses a batch at most.
inline Block pop_owned(Stack& stack) noexcept {
  const std::uint64_t header = stack.header.load(std::memory_order_relaxed);
  if (depth_of(header) == 0) return 0;
  set_header(stack, header + static_cast<std::uint64_t>(kUncountedPop), kUncountedPop);
  return blocks_of(stack)[depth_of(header) - 1];
}

// Whether `block` is in the stack. If others change the stack meanwhile, the answer is that of some
// moment.
inline bool holds(Stack& stack, Block block) noexcept {
  Block* const blocks = blocks_of(stack);
  const std::uint32_t depth = depth_of(stack.header.load(std::memory_order_relaxed));
  for (std::uint32_t i = 0; i < depth; ++i) {
    if (std::atomic_ref(blocks[i]).load(std::memory_order_relaxed) == block) return true;
  }
  return false;
}

// Copies the blocks of a class's stack from the number `from` on. Returns how many it copied. If
// others change the stack meanwhile, a block may be gone already, or be in the next part as well.
inline std::size_t copy_blocks(Stack& stack, ClassIndex c, std::size_t from,
                               std::span<Block> to) noexcept {
  const std::size_t depth = depth_of(stack.header.load(std::memory_order_acquire));
  const std::size_t end = std::min<std::size_t>(depth, max_cached_blocks(c));
  const std::size_t count = std::min(to.size(), end - std::min(from, end));
  Block* const blocks = blocks_of(stack);
  for (std::size_t i = 0; i < count; ++i) {
    to[i] = std::atomic_ref(blocks[from + i]).load(std::memory_order_relaxed);
  }
  return count;
}

// Calls visit(ClassIndex) for every class that the slab has served, ascending.
template <typename Visit>
void for_each_used_class(std::uintptr_t slab, Visit visit) noexcept {
  const auto& words = head_of(slab).used;
  for (std::uint32_t i = 0; i < words.size(); ++i) {
    for (std::uint64_t used = words[i].load(std::memory_order_acquire); used != 0;
         used &= used - 1) {
      visit(ClassIndex{i * 64 + static_cast<std::uint32_t>(std::countr_zero(used))});
    }
  }
}

}  // namespace bufpool
