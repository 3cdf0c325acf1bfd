// SPDX-License-Identifier: MIT
// Holds what leads restartable sequences to the slabs.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/platform/memory.h"
#include "pool/platform/shared_memory.h"
#include "pool/slabs/rseq_abi.h"
#include "pool/telemetry/stats_page_writer.h"

namespace bufpool {

// Holds the distances of the slabs that sequences see, which differ from where a slab is while it
// has an owner. They stand in whole pages, which the kernel may wipe in a forked child. Any thread
// may call anything at any time.
class VisibleSlabs {
 public:
  // Returns the distances by the CPU's number, kMaxCpus + 1 of them, with kNoCpus that are 0 before
  // them. In locked mode they are those of the shards, as each thread's area names the CPU
  // kMaxCpus.
  const SlabDistance* distances() const noexcept { return wiped_.distances.data(); }
  SlabDistance at(std::uint32_t cpu) const noexcept {
    return *const_cast<const volatile SlabDistance*>(&wiped_.distances[cpu]);
  }
  SlabDistance& of(std::uint32_t cpu) noexcept { return wiped_.distances[cpu]; }

  // Lets sequences see the slab of a CPU. It writes only what differs, as each page that is written
  // after a fork is one to copy.
  void show(std::uint32_t cpu, SlabDistance distance) noexcept {
    std::atomic_ref visible(of(cpu));
    if (visible.load(std::memory_order_relaxed) == distance) return;
    visible.store(distance, std::memory_order_release);
  }

  // Takes the slab of a CPU out of sight. Returns false if sequences saw none.
  bool hide(std::uint32_t cpu) noexcept {
    std::atomic_ref visible(of(cpu));
    return visible.load(std::memory_order_relaxed) != 0 && visible.exchange(0) != 0;
  }

  // Has the kernel wipe these pages in every forked child, however it is forked. It finds no slab
  // visible, and all words zero. Returns false if the kernel cannot.
  [[nodiscard]] bool forget_in_children() noexcept {
    return platform::wipe_on_fork(&wiped_, sizeof wiped_);
  }
  // Writes to these pages in a forked child, in which the kernel wiped them. A page that is written
  // first is one fault less than one that is read first, and the child's first request reads it.
  void begin_in_child() noexcept { wiped_.stats_word.tries.store(0, std::memory_order_relaxed); }
  // Return the words that say whether there is a statistics page, and whether the records of slabs
  // are placed.
  StatsWord* stats_word() noexcept { return &wiped_.stats_word; }
  std::atomic<bool>* placed() noexcept { return &wiped_.placed; }

 private:
  // The distances begin on the second line of their page. On its first line they cost up to twice
  // the time of a hit: a load waits for the store before it whose address has the same low 12 bits,
  // and many a block begins a page, as its mark does.
  struct alignas(platform::kPageBytes) Wiped {
    StatsWord stats_word{};
    std::atomic<bool> placed{false};
    alignas(16) std::array<SlabDistance, 6> no_cpus{};  // sequences find these below distances[0]
    std::array<SlabDistance, kMaxCpus + 1> distances{};
  };

  static_assert(offsetof(Wiped, distances) == 64);
  static_assert(offsetof(Wiped, distances) - offsetof(Wiped, no_cpus) ==
                sizeof(SlabDistance) * std::tuple_size_v<decltype(Wiped::no_cpus)>);
  static_assert(std::tuple_size_v<decltype(Wiped::no_cpus)> >= kNoCpus);

  Wiped wiped_;
};

}  // namespace bufpool
