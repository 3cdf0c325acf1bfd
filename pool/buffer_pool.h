// SPDX-License-Identifier: MIT
// The pool: buffers of the size classes by take and put.
//
// All members are constant-initialised: before open() the pool wants nothing and owns nothing.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "pool/growing/growth.h"
#include "pool/memory/chunk_space.h"
#include "pool/memory/guard_line.h"
#include "pool/memory/size_classes.h"
#include "pool/options/options.h"
#include "pool/percpu/cpu_cache.h"
#include "pool/platform/caller.h"
#include "pool/platform/platform.h"
#include "pool/returning/retention.h"
#include "pool/returning/trimmer.h"
#include "pool/spans/shared_spans.h"
#include "pool/stats/stats_teller.h"
#include "pool/sync/owner_lock.h"
#include "pool/telemetry/fault.h"
#include "pool/telemetry/fork_account.h"
#include "pool/telemetry/snapshot.h"

namespace bufpool {

// The pool in a few sums.
struct PoolTotals {
  std::uint64_t carved_bytes;
  std::uint64_t in_use_bytes;
  std::uint64_t idle_bytes;
  std::uint64_t idle_buffers;
};

// What a program does to pages.
enum class Alteration : std::uint8_t {
  kInPlace,   // they are protected, locked, advised
  kReplaced,  // they may be gone, or others in their place
};

class BufferPool {
 public:
  // Chooses the addresses and decides the mode. False: there are none to be had, or `options` say
  // to do without; the pool stays as it was. Call once, while no other thread uses the pool.
  [[nodiscard]] bool open(const Options& options) noexcept;

  // Unmaps all buffers. For a pool that nobody uses any more.
  void close() noexcept { space_.close(); }

  // Whether a request of `size` bytes is the pool's to take(). Where buffers are wiped on the way
  // out none is: serves() tells, and the slow calls serve.
  [[gnu::always_inline]] bool wants(std::size_t size) const noexcept {
    return size - least_ < sizes_;
  }

  [[nodiscard]] bool serves(std::size_t size) const noexcept { return size - least_ < all_sizes_; }

  // Bytes of the buffer that a request takes. Pre: serves(size).
  [[nodiscard]] std::size_t granted(std::size_t size) const noexcept {
    return buffer_bytes(class_for(size));
  }

  // A buffer of at least `size` bytes, aligned to 16, and to a cache line from 1 KiB up. Never null
  // while the allocator underneath has memory: what the pool cannot serve it passes on.
  // Pre: wants(size). `caller()` is where the program asked for it (pool/platform/caller.h). With
  // malloc around it a hit is 35 instructions (tests/golden/fast_path.txt): no call, no lock, no
  // atomic read-modify-write.
  template <typename Caller = UnknownCaller>
  [[nodiscard, gnu::always_inline]] void* take(std::size_t size, Caller caller = {}) noexcept {
    const std::uint64_t step = step_number(size);
    const Block block = cache_.pop(stacks_[step], size);
    if (block == 0) [[unlikely]]
      return take_slowly(size, caller());
    guard_line(block).state = cookies_.in_use(block);
    return reinterpret_cast<void*>(block + gaps_[step]);
  }

  // Whether put() may be called for `pointer`.
  [[gnu::always_inline]] bool owns(const void* pointer) const noexcept {
    return range_.contains(reinterpret_cast<std::uintptr_t>(pointer));
  }

  // Gives a buffer back. Pre: owns(pointer). Any other address ends in the fault handler.
  // With free around it a hit is 33 instructions, no call, no lock, no atomic read-modify-write.
  template <typename Caller = UnknownCaller>
  [[gnu::always_inline]] void put(void* pointer, Caller caller = {}) noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    const std::uint64_t c = class_number(address);
    const Block block = address - gaps_[c];
    if (guard_line(block).state != cookies_.plain(block)) [[unlikely]]
      return put_oddly(pointer, caller());
    guard_line(block).state = cookies_.free(block);
    if (!cache_.push(stacks_[c], block)) [[unlikely]]
      drain(block, caller());
  }

  // As take(), all zero up to `size`; memory known to be zero is not touched.
  [[nodiscard]] void* take_zeroed(std::size_t size, const void* caller = nullptr) noexcept;

  // Whether the pool has a buffer with room for the alignment, too.
  [[nodiscard]] bool serves_aligned(std::size_t alignment, std::size_t size) const noexcept {
    return serves(size) && serves(bytes_to_align(alignment, size));
  }

  // As take(), at a multiple of `alignment`. Pre: `alignment` is a power of two, wants(size).
  [[nodiscard]] void* take_aligned(std::size_t alignment, std::size_t size,
                                   const void* caller = nullptr) noexcept;

  // For realloc: the buffer resized where it is or moved; nullptr: `size` is not the pool's, or
  // there is no block. Pre: owns(pointer), size > 0. A buffer that goes on growing where it has
  // room takes the short way. Any other address ends in the fault handler.
  template <typename Caller = UnknownCaller>
  [[nodiscard, gnu::always_inline]] void* resize(void* pointer, std::size_t size,
                                                 Caller caller = {}) noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    const std::uint64_t c = class_number(address);
    const Block block = address - gaps_[c];
    GuardLine& line = guard_line(block);
    const bool grows = line.state == cookies_.growing(block) && line.link > kGrewAgain &&
                       (size | kGrewAgain) >= line.link;
    if (!grows || size > rooms_[c]) return resize_slowly(pointer, size, caller());
    line.link = size | kGrewAgain;
    return pointer;
  }

  // Bytes of the buffer that may be written. Pre: owns(pointer).
  // 0: it is no buffer in use.
  [[nodiscard]] std::size_t usable_size(const void* pointer) noexcept;

  // The program is about to alter pages: a buffer that it gives back so is no use to the next. May
  // be called by a signal handler.
  void note_altered(std::uintptr_t start, std::size_t bytes, Alteration how) noexcept;

  // Gives idle memory back, down to `keep` bytes. Returns the bytes given back.
  std::uint64_t trim(std::uint64_t keep) noexcept {
    return mode_ == PoolMode::kPassThrough ? 0 : retention_.trim(keep);
  }

  // Faults `count` buffers of `size` bytes in, for gets to come. Returns how many it could.
  std::uint64_t warm_up(std::size_t size, std::uint64_t count) noexcept;

  // See Trimmer::at_start().
  void start_trimmer_if_wanted() noexcept { trimmer_.at_start(); }

  // See Trimmer::leave_for_good().
  void end_trimmer() noexcept { trimmer_.leave_for_good(); }

  // The program is about to lock itself in: no system call is made from now on that it does not
  // know already, where the pool can do without.
  void avoid_new_calls() noexcept {
    stats_.settle_for_good();
    space_.avoid_new_calls();
  }

  // Keeps the statistics page. It is kept once enable() was called.
  StatsTeller& stats() noexcept { return stats_; }

  // See Trimmer::step_aside().
  [[nodiscard]] bool send_trimmer_aside() noexcept { return trimmer_.step_aside(); }
  void let_trimmer_back() noexcept { trimmer_.come_back(); }

  // Smallest and largest request of the range: as the options say, whether there is a pool or not;
  // the defaults before they are known.
  std::size_t least() const noexcept { return most_ == 0 ? kMinSize : least_; }
  std::size_t most() const noexcept { return most_ == 0 ? kMaxSize + kHeaderRoom : most_; }
  PoolMode mode() const noexcept { return mode_; }
  // Most idle bytes of one CPU's cache, as it is in force; 0: there are no caches.
  std::uint64_t cpu_cache_bytes() noexcept {
    return mode_ == PoolMode::kPassThrough ? 0 : cache_.capacity().cpu_budget();
  }
  // Bytes mapped for buffers.
  std::size_t reserved_bytes() const noexcept { return space_.committed_bytes(); }

  void set_fault_handler(FaultHandler handler) noexcept { on_fault_ = handler; }

  // Fork: before, after in the parent, after in the child.
  void before_fork() noexcept;
  void after_fork_in_parent() noexcept;
  void after_fork_in_child() noexcept;

  // Buffers this process asked for, whether they were handed out or had to be passed on; cheap
  // where they are few.
  [[nodiscard]] std::uint64_t gets() noexcept;

  // Everything there is to tell, as it is now; what happened before a fork is the parent's.
  void snapshot(Snapshot& out) noexcept;
  [[nodiscard]] PoolTotals totals() noexcept;

 private:
  [[gnu::cold, gnu::noinline]] void* take_slowly(std::size_t size, const void* caller) noexcept;
  [[gnu::cold, gnu::noinline]] void put_oddly(void* pointer, const void* caller) noexcept;
  [[gnu::cold, gnu::noinline]] void drain(Block block, const void* caller) noexcept;
  // The result of a get: a block, or 0 and the reason why there is none.
  struct Got {
    Block block;
    Shortage why;
  };
  [[nodiscard]] Got take_block(std::size_t size, std::size_t asked, const void* caller) noexcept;
  [[nodiscard]] CpuCache::Refill borrow(ClassIndex c, std::size_t asked) noexcept;
  [[nodiscard]] CpuCache::Refill borrow_above(ClassIndex c, std::size_t asked) noexcept;
  [[nodiscard]] CpuCache::Refill refill_or_drain(ClassIndex c, std::size_t asked) noexcept;
  [[nodiscard]] Got refill(ClassIndex c, std::size_t asked, const void* caller) noexcept;
  [[nodiscard]] SharedSpans& spans_for(ClassIndex c) noexcept;
  void put_block(Block block, ClassIndex c, const void* caller) noexcept;
  [[nodiscard]] std::size_t used_by_growing(Block block, ClassIndex c) const noexcept;
  void wipe(Block block, ClassIndex c) noexcept;
  [[nodiscard, gnu::noinline]] void* resize_slowly(void* pointer, std::size_t size,
                                                   const void* caller) noexcept;
  [[nodiscard]] void* resize_growing(Block block, ClassIndex c, std::size_t size,
                                     const void* caller) noexcept;
  [[nodiscard]] std::size_t usable_size_of(Block block, std::uintptr_t address) const noexcept;

  // The fault in a call for `address`; nothing: a buffer in use starts there.
  [[nodiscard]] std::optional<Fault> fault_at(std::uintptr_t address, Fault::Call call) noexcept;
  [[nodiscard]] std::optional<Fault> fault_in_block(Block block, Fault fault) noexcept;
  [[nodiscard]] bool is_idle(Block block, SharedSpans::Place place) noexcept;
  [[nodiscard]] bool was_entry(Block block, std::uintptr_t address) const noexcept;
  void require_in_use(std::uintptr_t address, Fault::Call call) noexcept;
  [[nodiscard]] void* grow(void* pointer, std::size_t size, bool again,
                           const void* caller) noexcept;
  // Where a buffer is to be resized to: a block of `room` bytes that holds `size`, of which the
  // first `kept` are there already.
  struct Relocation {
    std::size_t room;
    std::size_t size;
    std::size_t kept;
    bool again;  // it has grown before
  };
  [[nodiscard]] void* relocate(void* pointer, const Relocation& to, const void* caller) noexcept;
  [[nodiscard]] Block take_to_grow(const Relocation& to, Block from, const void* caller) noexcept;
  [[nodiscard]] Block take_wide(ClassIndex c, std::size_t size, Block from,
                                const void* caller) noexcept;
  [[nodiscard]] platform::Moved move_pages(Block from, Block to, std::size_t kept,
                                           const void* caller) noexcept;
  void give_tail_back(Block block, ClassIndex c, std::size_t size) noexcept;
  [[nodiscard]] bool purge_behind(Block block, ClassIndex c, std::size_t size) noexcept;
  [[nodiscard]] bool may_lend(std::uint64_t bytes) noexcept;
  [[nodiscard]] bool lend(Block block, ClassIndex wanted, std::uint64_t bytes) noexcept;
  void lend_tail(Block block, ClassIndex c, std::size_t size, std::uint64_t bytes) noexcept;
  void note_lent(Block block, ClassIndex c, std::uint64_t bytes) noexcept;
  void end_use(Block block, ClassIndex c) noexcept;
  void mark_borrowed(Block block, ClassIndex wanted) noexcept;
  [[nodiscard]] bool has_altered_pages(Block block, ClassIndex c) const noexcept;
  void mark_altered(Block block, ClassIndex c, Alteration how) noexcept;
  enum class Renewed : std::uint8_t {
    kYes,
    kEmpty,  // and the block's span knows that they have no memory: it must come back to it
    kNo,     // the pages are usable as they are
    kLost,
  };
  [[nodiscard]] Renewed renew(Block block, ClassIndex c) noexcept;
  // The buffer in a block that was taken for a request of class `wanted`.
  [[gnu::always_inline]] void* hand_out(Block block, ClassIndex wanted) noexcept {
    const std::uint64_t c = class_number(block);
    guard_line(block).state = cookies_.in_use(block);
    if (c != to_number(wanted)) mark_borrowed(block, wanted);
    return reinterpret_cast<void*>(block + gaps_[c]);
  }
  [[nodiscard]] void* move(void* pointer, Block to, std::size_t kept, const void* caller) noexcept;
  // The result of the allocator underneath, in place of a buffer of the class.
  template <typename Ask>
  [[nodiscard]] void* pass_on(ClassIndex c, Shortage why, Ask ask) noexcept;
  [[gnu::cold, noreturn]] void fail(const Fault& fault) noexcept;

  ClassIndex class_for(std::size_t size) const noexcept {
    return served_by_[to_number(class_step(size))];
  }
  // Pre: the address is in the range.
  [[gnu::always_inline]] std::uint64_t class_number(std::uintptr_t address) const noexcept {
    return range_.class_number(address);
  }
  [[gnu::always_inline]] ClassIndex class_at(std::uintptr_t address) const noexcept {
    return ClassIndex{static_cast<std::uint32_t>(class_number(address))};
  }
  [[nodiscard]] bool is_foreign(std::uintptr_t address) noexcept;
  static std::size_t bytes_to_align(std::size_t alignment, std::size_t size) noexcept;

  void choose_classes(const Options& options) noexcept;
  [[nodiscard]] std::uint64_t gets_since_start() noexcept;
  template <typename Out>
  void count_process(Out& out) noexcept;
  void count_since_start(Snapshot& out) noexcept;
  void look_at_idle(Snapshot& out) noexcept;
  void count_class(ClassIndex c, const SpanCounters& spans, ClassSnapshot& out) noexcept;
  void note_fork() noexcept;

  // All that the hit paths read stands together. open() writes it, once.
  alignas(64) std::size_t least_ = 0;
  std::size_t sizes_ = 0;
  ChunkRange range_;
  Cookies cookies_;
  // Per step of the ladder, of the class that serves it: its stack in the empty slab, and how far
  // a buffer lies behind its block.
  std::array<std::uintptr_t, kClassSlots> stacks_{};
  std::array<std::size_t, kClassSlots> gaps_{};
  // Per class: what a growing buffer may grow to in place.
  std::array<std::size_t, kClassSlots> rooms_{};

  std::array<ClassIndex, kClassSlots> served_by_{};
  PoolMode mode_ = PoolMode::kPassThrough;
  FaultHandler on_fault_ = nullptr;
  std::array<std::array<std::atomic<std::uint64_t>, kShortages>, kClassSlots> fallbacks_{};
  // Bytes of the buffers that realloc took of a class beyond what their sizes needed.
  std::array<std::atomic<std::uint64_t>, kClassSlots> room_to_grow_{};
  // Times that a class's gets were served by larger ones, since it had fresh pages last.
  std::array<std::atomic<std::uint32_t>, kClassSlots> borrowed_{};
  // Bytes that buffers keep resident beyond what they need; see buffer_lending.cpp.
  std::atomic<std::uint64_t> lent_{0};
  std::size_t most_ = 0;  // 0: open() was not called yet
  std::size_t all_sizes_ = 0;
  std::uint64_t max_buffers_ = 0;
  ZeroChoice zero_ = ZeroChoice::kOff;
  Growth growth_;
  Retention retention_;
  Trimmer trimmer_;
  StatsTeller stats_;
  OwnerLock opening_;  // of classes' spans
  ForkAccount at_fork_{};
  // Large members come last: a small process touches few of their pages.
  CpuCache cache_;
  std::array<SharedSpans, kClassSlots> spans_{};
  ChunkSpace space_;
};

}  // namespace bufpool
