// SPDX-License-Identifier: MIT
// Counts the idle memory of all classes together, and gives back what was decided on.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "pool/percpu/cpu_cache.h"
#include "pool/retention/retention_rules.h"
#include "pool/retention/returns_under_way.h"
#include "pool/spans/shared_spans.h"

namespace bufpool {

// Carries out what Retention decides. It decides nothing. Any thread that holds no lock may call
// anything at any time. Most functions make system calls. Functions that set memory aside say so to
// ReturnsUnderWay.
class IdleMemory {
 public:
  // Connects the parts. Pre: it is called once; `spans` (kClassSlots of them), `cache` and
  // `returns` outlive this.
  void open(SharedSpans* spans, CpuCache* cache, ReturnsUnderWay* returns) noexcept;

  // Returns the idle bytes in whole spans that are all free.
  std::uint64_t bytes_in_spans() const noexcept;

  // Returns all idle bytes that keep their pages: in spans and in the CPUs' caches.
  std::uint64_t bytes() const noexcept;

  // Purges whole idle spans, the oldest first. Returns the bytes that went back. These may be fewer
  // than wanted, as spans are in use or too young, or as the kernel refuses.
  std::uint64_t purge(Purge wanted) noexcept;

  // Purges pages in partly used spans that have been idle for `min_age_ms`. Returns the bytes.
  std::uint64_t sweep(std::uint32_t min_age_ms) noexcept;

  // Purges the idle spans of each class down to `most` bytes.
  void purge_classes(std::uint64_t most, std::uint32_t now_ms) noexcept;

  // Moves blocks out of the CPUs' caches into their spans: those of stacks that were quiet for
  // `quiet_ms`, or all.
  void drain_quiet(std::uint32_t quiet_ms) noexcept;
  void drain_all() noexcept;

  // Unmaps runs: those without memory, or all of which no block is out. With the second go the
  // pages that the kernel does not take back otherwise.
  enum class Runs : std::uint8_t { kEmpty, kIdle };
  void drop(Runs which, std::uint32_t now_ms) noexcept;

  // Lets every class ask the system for memory again that was refused some.
  void ask_again() noexcept;

  // Return how often something was given back, and how often a CPU's cache was drained.
  std::uint64_t trims() const noexcept { return trims_.load(std::memory_order_relaxed); }
  std::uint64_t cpu_drains() const noexcept { return cpu_drains_.load(std::memory_order_relaxed); }

 private:
  SharedSpans* oldest_spans(std::uint32_t now_ms, std::uint32_t min_age_ms) const noexcept;
  std::uint64_t purge_some(SharedSpans& spans, std::uint32_t now_ms, Purge wanted) noexcept;
  std::uint64_t sweep_class(SharedSpans& spans, std::uint32_t now_ms,
                            std::uint32_t min_age_ms) noexcept;
  void count_drains(std::uint32_t cpus) noexcept;
  void count_trim(std::uint64_t given) noexcept;

  std::span<SharedSpans> spans_;
  CpuCache* cache_ = nullptr;
  ReturnsUnderWay* returns_ = nullptr;
  std::atomic<std::uint64_t> trims_{0};
  std::atomic<std::uint64_t> cpu_drains_{0};
};

}  // namespace bufpool
