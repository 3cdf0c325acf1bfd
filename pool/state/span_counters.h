// SPDX-License-Identifier: MIT
// Holds what is counted of a class's spans.
#pragma once

#include <atomic>
#include <cstdint>

namespace bufpool {

// Counts all that went through the spans of a class. The headers of the CPUs' caches have the rest.
// The lock of the class guards the original.
struct SpanCounters {
  std::uint64_t misses;            // takes that served a get
  std::uint64_t overflows;         // gives that served a put
  std::uint64_t filled;            // blocks that were moved into CPUs' caches
  std::uint64_t drained;           // blocks that were moved back from them
  std::uint64_t outstanding_peak;  // most blocks that were out of the spans at once
  std::uint64_t idle_bytes;        // bytes with pages, of spans that are all free
  std::uint64_t free_bytes;        // bytes with pages, of free blocks in spans that are partly used
  std::uint64_t carved_bytes;      // bytes of the spans there are
  std::uint64_t purged_bytes;      // bytes that were given back to the kernel
  std::uint64_t faulted_bytes;     // bytes without pages that were about to be touched
  std::uint64_t regretted_bytes;   // those of the faulted bytes that had been purged shortly before

  bool operator==(const SpanCounters&) const noexcept = default;

  // Returns how many blocks are out of the spans: in use or in a CPU's cache.
  std::uint64_t outstanding() const noexcept { return misses + filled - overflows - drained; }
};

// Holds the figures that threads read without the lock. Each is as the last owner of the lock left
// it, so it may be a moment old. Any thread and any signal handler may call the readers.
class SpanFigures {
 public:
  // Return the figures of the same names in SpanCounters.
  std::uint64_t idle_bytes() const noexcept { return idle_bytes_.load(std::memory_order_relaxed); }
  std::uint64_t free_bytes() const noexcept { return free_bytes_.load(std::memory_order_relaxed); }
  std::uint64_t misses() const noexcept { return misses_.load(std::memory_order_relaxed); }
  std::uint64_t outstanding() const noexcept {
    return outstanding_.load(std::memory_order_relaxed);
  }

  // Returns when the oldest idle span became idle, in milliseconds of the coarse clock. It is 0 if
  // there is none.
  std::uint32_t oldest_idle_ms() const noexcept {
    return oldest_idle_ms_.load(std::memory_order_relaxed);
  }

  // Sets all figures. Pre: the caller has the lock of the class.
  void publish(const SpanCounters& counters, std::uint32_t oldest_idle_ms) noexcept {
    idle_bytes_.store(counters.idle_bytes, std::memory_order_relaxed);
    free_bytes_.store(counters.free_bytes, std::memory_order_relaxed);
    misses_.store(counters.misses, std::memory_order_relaxed);
    outstanding_.store(counters.outstanding(), std::memory_order_relaxed);
    oldest_idle_ms_.store(oldest_idle_ms, std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> idle_bytes_{0};
  std::atomic<std::uint64_t> free_bytes_{0};
  std::atomic<std::uint32_t> oldest_idle_ms_{0};
  std::atomic<std::uint64_t> misses_{0};
  std::atomic<std::uint64_t> outstanding_{0};
};

}  // namespace bufpool
