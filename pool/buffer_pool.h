// SPDX-License-Identifier: MIT
// Hands out buffers and takes them back: the facade of the pool.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool/addresses/chunk_space.h"
#include "pool/blocks/all_spans.h"
#include "pool/blocks/altered_pages.h"
#include "pool/blocks/hit_tables.h"
#include "pool/blocks/pointer_check.h"
#include "pool/blocks/served_sizes.h"
#include "pool/buffer_resize.h"
#include "pool/free_path.h"
#include "pool/growing/lending.h"
#include "pool/growing/page_move.h"
#include "pool/growing/realloc_predictor.h"
#include "pool/miss_path.h"
#include "pool/options/options.h"
#include "pool/percpu/cpu_cache.h"
#include "pool/platform/caller.h"
#include "pool/platform/memory.h"
#include "pool/pool_control.h"
#include "pool/pool_figures.h"
#include "pool/retention/retention.h"
#include "pool/retention/returns_under_way.h"
#include "pool/retention/trimmer.h"
#include "pool/sampling/sampler.h"
#include "pool/stats/stats_teller.h"
#include "pool/telemetry/fork_account.h"
#include "pool/telemetry/snapshot.h"

namespace bufpool {

// Hands out buffers of the size classes and takes them back. A hit ends here, in the CPU's cache.
// All else goes to the path that is named after it.
//
// All members are constant-initialised to zero: before open() the pool wants nothing and owns
// nothing. Any thread may call all but open(). A signal handler may, too, as far as it may call the
// allocator underneath, to which requests are passed on. errno stays as it is, but where a request
// fails: then it is ENOMEM. `caller()` is where the program called us from
// (pool/platform/caller.h).
class BufferPool {
 public:
  // Chooses the addresses and decides the mode. It returns false, and the pool wants nothing, if
  // there are no addresses to be had or `options` say to do without. Pre: it is called once, while
  // no other thread uses the pool.
  [[nodiscard]] bool open(const Options& options) noexcept;

  // Returns the sizes that the pool serves.
  const ServedSizes& sizes() const noexcept { return sizes_; }

  // Tells whether a request of `size` bytes is the pool's to take(). No request is if buffers are
  // wiped on the way out, or sampled: the sizes that sizes().serves() tells are for the slow calls
  // then.
  [[gnu::always_inline]] bool wants(std::size_t size) const noexcept { return tables_.wants(size); }

  // Returns a buffer of at least `size` bytes, aligned to 16, and to a cache line from 1 KiB up. A
  // request that the pool cannot serve is passed on. It returns nullptr if the allocator underneath
  // has no memory.
  // Pre: wants(size). With malloc around it a hit is 35 instructions (tests/golden/fast_path.txt):
  // no call, no lock, no atomic read-modify-write.
  template <typename Caller = UnknownCaller>
  [[nodiscard, gnu::always_inline]] void* take(std::size_t size, Caller caller = {}) noexcept {
    const std::uint64_t step = step_number(size);
    const Block block = cache_.pop(tables_.stack_for_step(step), size);
    if (block == kNoBlock) [[unlikely]]
      return miss_path_.take(size, caller());
    tables_.marks().mark_in_use(block);
    return reinterpret_cast<void*>(buffer_address(block, tables_.gap_for_step(step)));
  }

  // Does what take() does, and the first `size` bytes are zero. Memory that is known to be zero is
  // not touched. Pre: sizes().serves(size).
  [[nodiscard]] void* take_zeroed(std::size_t size, const void* caller = nullptr) noexcept;

  // Does what take() does, at a multiple of `alignment`, also where wants() is false. A request
  // without room for the alignment is passed on. Pre: `alignment` is a power of two,
  // sizes().serves(size).
  [[nodiscard]] void* take_aligned(std::size_t alignment, std::size_t size,
                                   const void* caller = nullptr) noexcept;

  // Tells whether put(), resize() and usable_size() may be called for `pointer`.
  [[gnu::always_inline]] bool owns(const void* pointer) const noexcept {
    return tables_.owns(reinterpret_cast<std::uintptr_t>(pointer));
  }

  // Gives a buffer back. An address that is none ends in the fault handler. Pre: owns(pointer).
  // With free around it a hit is 33 instructions, no call, no lock, no atomic read-modify-write.
  template <typename Caller = UnknownCaller>
  [[gnu::always_inline]] void put(void* pointer, Caller caller = {}) noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    const std::uint64_t c = tables_.class_number(address);
    const Block block = block_of_buffer(address, tables_.gap_of_class(c));
    if (!tables_.marks().is_plain(block)) [[unlikely]]
      return free_path_.put_checked(pointer, caller());
    tables_.marks().mark_free(block);
    if (!cache_.push(tables_.stack_of_class(c), block)) [[unlikely]]
      free_path_.push(block, caller());
  }

  // Resizes a buffer where it is, or moves it. It returns nullptr where BufferResize::resize()
  // does. A buffer that goes on growing where it has room takes the short way. Pre: owns(pointer),
  // size > 0.
  template <typename Caller = UnknownCaller>
  [[nodiscard, gnu::always_inline]] void* resize(void* pointer, std::size_t size,
                                                 Caller caller = {}) noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    const std::uint64_t c = tables_.class_number(address);
    const Block block = block_of_buffer(address, tables_.gap_of_class(c));
    const bool grows_on =
        tables_.marks().is_growing(block) && growing_size(block).grows_on_to(size);
    if (!grows_on || size > tables_.room_of_class(c)) {
      return resize_.resize(pointer, size, caller());
    }
    set_growing_size(block, GrowingSize::again(size));
    return pointer;
  }

  // Resizes a large buffer that crosses the border between the pool and the allocator underneath;
  // it does what BufferResize::move_across() does, and has its preconditions.
  [[nodiscard]] void* resize(void* pointer, std::size_t kept, std::size_t size,
                             const void* caller) noexcept {
    return resize_.move_across(pointer, kept, size, caller);
  }

  // Returns the bytes of the buffer that may be written, or 0 if it is no buffer in use.
  // Pre: owns(pointer).
  [[nodiscard]] std::size_t usable_size(const void* pointer) noexcept {
    return check_.usable_size(reinterpret_cast<std::uintptr_t>(pointer));
  }

  // Return what concerns the pool as a whole, and the figures of it. Both may be used before
  // open(), and refer to this pool.
  [[nodiscard]] PoolControl control() noexcept;
  [[nodiscard]] PoolFigures figures() noexcept;

 private:
  void connect_paths() noexcept;
  [[nodiscard]] void* take_slowly(std::size_t size, const void* caller) noexcept;
  [[nodiscard]] Block block_of_whole(const void* buffer) const noexcept;

  // This fills the first line of the page, so that the next member begins on the second, for the
  // reason that VisibleSlabs gives.
  PoolMode mode_ = PoolMode::kPassThrough;
  // The hit paths read this member and the distances of the slabs in `cache_`
  // (CpuSlabs::visible()). They read no other member.
  HitTables tables_;

  ServedSizes sizes_;
  ZeroChoice zero_ = ZeroChoice::kOff;
  PointerCheck check_;
  AlteredPages altered_;
  Sampler sampler_;
  MissPath miss_path_;
  FreePath free_path_;
  PageMove page_move_;
  BufferResize resize_;
  Lending lending_;
  ReallocPredictor predictor_;
  ReturnsUnderWay returns_;
  Retention retention_;
  Trimmer trimmer_;
  StatsTeller stats_;
  alignas(platform::kPageBytes) ForkAccount at_fork_{};
  // Large members come last: a small process touches few of their pages.
  CpuCache cache_;
  AllSpans spans_;
  ChunkSpace space_;
};

}  // namespace bufpool
