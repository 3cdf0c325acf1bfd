// SPDX-License-Identifier: MIT
// Serves a realloc that does not end where the buffer is at once.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/blocks/all_spans.h"
#include "pool/blocks/hit_tables.h"
#include "pool/blocks/pointer_check.h"
#include "pool/blocks/served_sizes.h"
#include "pool/free_path.h"
#include "pool/growing/lending.h"
#include "pool/growing/page_move.h"
#include "pool/growing/realloc_predictor.h"
#include "pool/miss_path.h"
#include "pool/options/options.h"
#include "pool/platform/memory.h"
#include "pool/sampling/sampler.h"

namespace bufpool {

// Resizes buffers: in place while their class holds them, or else by a move, once, to where there
// is room to grow.
//
// Any thread may call all, and a signal handler may as far as it may call the allocator
// underneath. The caller holds no lock.
class BufferResize {
 public:
  struct Parts {
    const HitTables* tables = nullptr;
    const ServedSizes* sizes = nullptr;
    PointerCheck* check = nullptr;
    AllSpans* spans = nullptr;
    Lending* lending = nullptr;
    StatsTeller* stats = nullptr;
    ReallocPredictor* predictor = nullptr;
    MissPath* miss_path = nullptr;
    FreePath* free_path = nullptr;
    PageMove* page_move = nullptr;
    Sampler* sampler = nullptr;
  };
  // Connects the parts, which outlive this. `zero` tells which memory is handed out as zero. Pre:
  // it is called once.
  void open(const Parts& parts, ZeroChoice zero) noexcept {
    parts_ = parts;
    zero_ = zero;
  }

  // Returns the buffer resized, where it is or moved. It returns nullptr, and nothing happened, if
  // the pool does not serve `size`, if there is no block, or if the address is somebody else's. An
  // address of the pool's range that is no buffer in use ends in the fault handler. `caller` is
  // where the program called us from, see Trimmer::after_slow_path().
  [[nodiscard, gnu::noinline]] void* resize(void* pointer, std::size_t size,
                                            const void* caller) noexcept;

  // Moves a buffer of which `kept` bytes are to stay between the pool and the allocator underneath,
  // by its pages, to where there is room for `size` bytes. It returns nullptr, and nothing
  // happened, if that is not worth it, if there is no memory, or if the buffer would not cross the
  // border. errno stays as it is. A signal handler may call it as far as it may call the allocator
  // underneath. Pre: `pointer` is a buffer in use of either, and
  // 0 < kept <= size.
  [[nodiscard]] void* move_across(void* pointer, std::size_t kept, std::size_t size,
                                  const void* caller) noexcept;

  // Returns the bytes that realloc took of a class beyond what the sizes of the buffers needed,
  // over all times.
  [[nodiscard]] std::uint64_t room_to_grow(ClassIndex c) const noexcept {
    return room_to_grow_[to_number(c)].load(std::memory_order_relaxed);
  }

 private:
  // Names a buffer that starts at the start of its block.
  struct Buffer {
    Block block;
    ClassIndex c;

    std::uintptr_t address() const noexcept { return buffer_address(block, gap_bytes(c)); }
    void* pointer() const noexcept { return reinterpret_cast<void*>(address()); }
    std::size_t room() const noexcept { return buffer_bytes(c); }
  };
  // Describes the place that a buffer is to move to: a block that has room for `room` bytes and is
  // to hold `size`, of which the first `kept` are the old buffer's.
  struct Target {
    std::size_t room;
    GrowingSize size;
    std::size_t kept;
  };

  [[nodiscard]] void* resize_whole(Buffer from, std::size_t size, const void* caller) noexcept;
  [[nodiscard]] void* resize_growing(Buffer from, std::size_t size, const void* caller) noexcept;
  [[nodiscard]] void* resize_aligned(std::uintptr_t address, std::size_t size,
                                     const void* caller) noexcept;
  [[nodiscard]] void* grow(Buffer from, GrowingSize size, std::size_t kept,
                           const void* caller) noexcept;
  [[nodiscard]] void* shrink(Buffer from, std::size_t size, const void* caller) noexcept;
  [[nodiscard]] void* move(void* from, const Target& target, const void* caller) noexcept;
  [[nodiscard]] void* move_out(void* from, std::size_t kept, std::size_t size,
                               const void* caller) noexcept;
  [[nodiscard]] bool moves_by_pages(std::size_t kept, std::size_t size) const noexcept;
  [[nodiscard]] void* copy_to_plain(void* pointer, std::size_t size, std::size_t kept,
                                    const void* caller) noexcept;

  [[nodiscard]] Block take_to_grow(const void* from, const Target& target,
                                   const void* caller) noexcept;
  [[nodiscard]] bool lend(Block block, ClassIndex wanted, std::size_t size,
                          const void* caller) noexcept;
  void lend_tail(Block block, ClassIndex c, std::size_t size, std::uint64_t idle_bytes) noexcept;
  void give_back(void* pointer, platform::Moved pages, std::size_t kept,
                 const void* caller) noexcept;
  void clear_behind(Buffer buffer, std::size_t kept) const noexcept;
  bool may_keep_tail(Buffer buffer, std::size_t size) noexcept;
  [[nodiscard]] bool purge_behind(Block block, ClassIndex c, std::size_t size) noexcept;

  const BlockMarks& marks() const noexcept { return parts_.tables->marks(); }
  Buffer buffer_in(Block block) const noexcept { return {block, parts_.tables->class_of(block)}; }

  Parts parts_;
  ZeroChoice zero_ = ZeroChoice::kOff;
  std::array<std::atomic<std::uint64_t>, kClassSlots> room_to_grow_{};
};

}  // namespace bufpool
