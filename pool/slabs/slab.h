// SPDX-License-Identifier: MIT
// Lays out the memory of one CPU's cache. Each class has a stack of blocks and a record that leads
// to it. The stacks hold addresses, and the blocks themselves are not touched.
//
//   page of records | page of notes | stacks
//
// The page of records is a part of the statistics page if there is one, so that readers outside of
// the process see what stacks hold and did. The kernel does not copy it for a forked child. All
// other pages are private memory.
//
// A slab that is all zero is empty (there is a 0 below its tops) and full (limit 0), so every pop
// and push in it misses.
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
#include "pool/platform/memory.h"
#include "pool/telemetry/stats_page_layout.h"

namespace bufpool {

// Holds the record of a class's stack. It is a StatsStack of the statistics page. Any thread may
// read every field at any time. `limit` is changed by any thread, without a lock, by atomic
// operations, as bytes of the CPU's budget hang on it. All other fields and the blocks are written
// by one at a time: the sequences of the CPU, the OwnedSlab that has taken the slab from them, or
// the owner of the shard's lock.
struct Stack {
  std::atomic<std::uint64_t> header;  // {hits:48, top:16}: one store commits a pop and its count
  std::atomic<std::uint64_t> moved;   // blocks that came without a put, less those without a get
  std::atomic<std::uint64_t> asked;   // bytes asked for by the hits
  std::atomic<std::uint32_t> limit;   // the top at which a push overflows; 0: no block may come
  std::uint32_t bottom;               // the lowest top, for readers of the statistics page
};
static_assert(sizeof(Stack) == sizeof(StatsStack));
static_assert(offsetof(Stack, header) == offsetof(StatsStack, header));
static_assert(offsetof(Stack, moved) == offsetof(StatsStack, moved));
static_assert(offsetof(Stack, asked) == offsetof(StatsStack, asked));
static_assert(offsetof(Stack, bottom) == offsetof(StatsStack, bottom));

// Says why a thread last left the hit path of a stack. Only a stack that runs both empty and full
// gains from a higher limit. One that only fills or only empties passes blocks on to another CPU.
enum class StackEvent : std::uint32_t { kNone, kRanEmpty, kRanFull };

// Holds hints about a class's stack, which any thread writes: one that missed writes `seen` and
// `last`, and one that drains writes `watched` and `quiet_ms`.
struct StackNotes {
  std::atomic<std::uint32_t> seen;  // low bits of hits at the last look for idle classes
  std::atomic<StackEvent> last;
  std::atomic<std::uint32_t> watched;   // low bits of the header when a pass last looked
  std::atomic<std::uint32_t> quiet_ms;  // when they last changed
  std::atomic<std::uint32_t> spilled;   // blocks that overflowed, less those that were taken back
};

// A stack's top is where its next block goes, counted in words from its record. So a sequence needs
// no more than the record's address to find the block, wherever the stack is. The word below the
// lowest top is never written, and a pop that finds 0 there misses.
inline constexpr std::uint64_t kOneHit = kStatsTopMask + 1;

// A pop adds one of these to a header. The first counts a hit. The second is for a block that only
// moves from the stack to the spans.
inline constexpr std::int64_t kCountedPop = static_cast<std::int64_t>(kOneHit) - 1;
inline constexpr std::int64_t kUncountedPop = -1;

// What a push adds to the count of blocks that moved. The first is for a block that the program
// put, the second for one that only moves from the spans to the stack.
inline constexpr std::int64_t kCountedPush = 0;
inline constexpr std::int64_t kUncountedPush = 1;

// Holds the start of the page of notes: what is known of the slab as a whole.
struct SlabHead {
  std::atomic<std::uint64_t> granted_bytes;  // to the limits of its stacks
  std::atomic<std::uint32_t> clock_hand;     // where the search for a class to take from goes on
  std::atomic<bool> claimed;                 // a thread is to call open_slab(), or did
  std::atomic<bool> open;                    // open_slab() has ended
  // Bit i says that class i had a limit once. No other stack has a page.
  std::array<std::atomic<std::uint64_t>, (kClassSlots + 63) / 64> used;
};
static_assert(sizeof(SlabHead) <= kLine);

struct SlabLayout {
  std::array<std::uint32_t, kClassSlots> stack{};   // where a class's record is
  std::array<std::uint32_t, kClassSlots> bottom{};  // its lowest top
  std::size_t bytes = 0;
};

inline constexpr std::size_t kNotesAt = platform::kPageBytes;
inline constexpr std::size_t kStacksAt = 2 * platform::kPageBytes;

// Returns where in a slab each class's record is, in bytes, its lowest top, and how long a slab is,
// in whole pages. A stack has room for as many blocks as the class may cache, and a word below.
constexpr SlabLayout make_slab_layout() {
  SlabLayout layout;
  std::size_t end = kStacksAt;
  for_each_class([&](ClassIndex c) {
    const std::size_t record = kStatsStacksAt + to_number(c) * sizeof(Stack);
    const std::size_t first = (end + sizeof(Block) + kLine - 1) & ~(kLine - 1);
    layout.stack[to_number(c)] = static_cast<std::uint32_t>(record);
    layout.bottom[to_number(c)] = static_cast<std::uint32_t>((first - record) / sizeof(Block));
    end = first + max_cached_blocks(c) * sizeof(Block);
  });
  layout.bytes = platform::page_above(end);
  return layout;
}

inline constexpr SlabLayout kSlabLayout = make_slab_layout();
static_assert(kSlabLayout.bytes / sizeof(Block) < kStatsTopMask, "a top has 16 bits");
static_assert(kStatsStacksAt + kClassSlots * sizeof(Stack) <= platform::kPageBytes);
static_assert(kLine + kClassSlots * sizeof(StackNotes) <= platform::kPageBytes);

// Returns the lowest top of a class's stack.
constexpr std::uint32_t bottom_of(ClassIndex c) noexcept {
  return kSlabLayout.bottom[to_number(c)];
}

// Return the parts of a stack's header: its top, how many blocks the stack holds, and how many hits
// it has had. Pre of depth_of(): the stack is of class `c`.
constexpr std::uint32_t top_of(std::uint64_t header) noexcept {
  return static_cast<std::uint32_t>(header & kStatsTopMask);
}
constexpr std::uint32_t depth_of(std::uint64_t header, ClassIndex c) noexcept {
  return top_of(header) - bottom_of(c);
}
constexpr std::uint64_t hits_of(std::uint64_t header) noexcept { return header / kOneHit; }

// This slab is always empty and always full. All distances are counted from it.
[[gnu::visibility("hidden")]] extern constinit char empty_slab[kSlabLayout.bytes];
inline std::uintptr_t empty_slab_address() noexcept {
  return reinterpret_cast<std::uintptr_t>(empty_slab);
}

// Returns the address of a class's stack in the empty slab. The stack of a CPU is the CPU's
// SlabDistance away from it.
inline std::uintptr_t empty_stack_address(ClassIndex c) noexcept {
  return empty_slab_address() + kSlabLayout.stack[to_number(c)];
}

// Return the parts of the slab at an address.
inline Stack& stack_of(std::uintptr_t slab, ClassIndex c) noexcept {
  return *reinterpret_cast<Stack*>(slab + kStatsStacksAt + to_number(c) * sizeof(Stack));
}
inline SlabHead& head_of(std::uintptr_t slab) noexcept {
  return *reinterpret_cast<SlabHead*>(slab + kNotesAt);
}
inline StackNotes& notes_of(std::uintptr_t slab, ClassIndex c) noexcept {
  return reinterpret_cast<StackNotes*>(slab + kNotesAt + kLine)[to_number(c)];
}

// Returns where the next block of a stack goes, as its header says. The last one is below.
inline Block* next_block(Stack& stack, std::uint64_t header) noexcept {
  return reinterpret_cast<Block*>(&stack) + top_of(header);
}
// Returns the blocks of a stack, the lowest first.
inline Block* blocks_of(Stack& stack, ClassIndex c) noexcept {
  return reinterpret_cast<Block*>(&stack) + bottom_of(c);
}

// Returns how many blocks the stack may hold. Pre: the stack is of class `c`.
inline std::uint32_t limit_of(const Stack& stack, ClassIndex c) noexcept {
  const std::uint32_t limit = stack.limit.load(std::memory_order_relaxed);
  return limit == 0 ? 0 : limit - bottom_of(c);
}

// Empties all stacks, and takes their limits. Their counts are kept. Pre: nobody else reaches them.
inline void open_slab(std::uintptr_t slab) noexcept {
  for_each_class([slab](ClassIndex c) {
    Stack& stack = stack_of(slab, c);
    stack.header.store(bottom_of(c), std::memory_order_relaxed);
    stack.limit.store(0, std::memory_order_relaxed);
    stack.bottom = bottom_of(c);
  });
  head_of(slab).granted_bytes.store(0, std::memory_order_relaxed);
  head_of(slab).open.store(true, std::memory_order_release);
}

// Returns whether the class had a limit in this slab once. The stack of a class that never had one
// lies on pages that nobody has touched.
inline bool is_used(std::uintptr_t slab, ClassIndex c) noexcept {
  const std::uint64_t word = head_of(slab).used[to_number(c) / 64].load(std::memory_order_relaxed);
  return (word >> to_number(c) % 64 & 1) != 0;
}

// Returns whether any class had a limit in this slab once.
inline bool is_used(std::uintptr_t slab) noexcept {
  const auto& words = head_of(slab).used;
  return std::any_of(words.begin(), words.end(), [](const auto& word) { return word.load() != 0; });
}

// Notes that the class has a limit in this slab from now on. It takes no lock.
inline void note_used(std::uintptr_t slab, ClassIndex c) noexcept {
  head_of(slab).used[to_number(c) / 64].fetch_or(std::uint64_t{1} << to_number(c) % 64,
                                                 std::memory_order_relaxed);
}

// Sets the header, and counts that `moved` blocks of the change are neither put nor got. Pre:
// nobody else reaches the stack.
inline void set_header(Stack& stack, std::uint64_t header, std::int64_t moved) noexcept {
  if (moved != 0) {
    const std::uint64_t before = stack.moved.load(std::memory_order_relaxed);
    stack.moved.store(before + static_cast<std::uint64_t>(moved), std::memory_order_relaxed);
  }
  stack.header.store(header, std::memory_order_relaxed);
}

// Takes the last block off the stack without counting a hit. Returns kNoBlock if the stack is
// empty. Pre: nobody else reaches the stack. Its depth is right before a block goes anywhere, so
// that a child forked meanwhile loses a batch at most.
inline Block pop_owned(Stack& stack) noexcept {
  const std::uint64_t header = stack.header.load(std::memory_order_relaxed);
  const Block block = next_block(stack, header)[-1];
  if (block == kNoBlock) return kNoBlock;
  set_header(stack, header + static_cast<std::uint64_t>(kUncountedPop), kUncountedPop);
  return block;
}

// Returns whether `block` is in the stack. If others change the stack meanwhile, the result is that
// of some moment.
inline bool holds(Stack& stack, ClassIndex c, Block block) noexcept {
  Block* const blocks = blocks_of(stack, c);
  const std::uint32_t depth = depth_of(stack.header.load(std::memory_order_relaxed), c);
  for (std::uint32_t i = 0; i < depth; ++i) {
    if (std::atomic_ref(blocks[i]).load(std::memory_order_relaxed) == block) return true;
  }
  return false;
}

// Copies the blocks of a class's stack from the number `from` on. Returns how many it copied. If
// others change the stack meanwhile, a block may be gone already, or be in the next part as well.
inline std::size_t copy_blocks(Stack& stack, ClassIndex c, std::size_t from,
                               std::span<Block> to) noexcept {
  const std::size_t depth = depth_of(stack.header.load(std::memory_order_acquire), c);
  const std::size_t end = std::min<std::size_t>(depth, max_cached_blocks(c));
  const std::size_t count = std::min(to.size(), end - std::min(from, end));
  Block* const blocks = blocks_of(stack, c);
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
    for (std::uint64_t used = words[i].load(std::memory_order_relaxed); used != 0;
         used &= used - 1) {
      visit(ClassIndex{i * 64 + static_cast<std::uint32_t>(std::countr_zero(used))});
    }
  }
}

}  // namespace bufpool
