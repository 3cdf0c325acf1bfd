// SPDX-License-Identifier: MIT
// Holds the counters of the parent when this process was forked. Nothing else is kept: most
// children soon exec or exit, and each page that is written for one is a page to copy.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "pool/telemetry/snapshot.h"

namespace bufpool {

#define BUFPOOL_MEMBER_counter(name) std::uint64_t name = 0;
#define BUFPOOL_MEMBER_gauge(name)
#define BUFPOOL_MEMBER_peak(name)

struct ClassForkAccount {
  std::uint64_t in_use = 0;
#define BUFPOOL_CLASS_COUNTER(name, unit, kind, sentence) BUFPOOL_MEMBER_##kind(name)
#include "pool/telemetry/counters.def"
};

// Holds what the parent had counted. A class that the parent never used is all zero.
struct ForkAccount {
  std::uint64_t made_ms = 0;   // when, by platform::coarse_milliseconds(); 0: never forked
  std::uint64_t all_gets = 0;  // as BufferPool::gets() counts them
  // The peaks were reset since. What was in use at the fork is no longer the least that they are.
  std::atomic<bool> peaks_are_reset{false};
#define BUFPOOL_PROCESS_COUNTER(name, unit, kind, sentence) BUFPOOL_MEMBER_##kind(name)
#include "pool/telemetry/counters.def"
  std::array<ClassForkAccount, kSnapshotClasses> classes{};
};

// Returns the least that the peak of a class is in this process.
inline std::uint64_t least_peak(const ForkAccount& account, const ClassForkAccount& then) noexcept {
  return account.peaks_are_reset.load(std::memory_order_relaxed) ? 0 : then.in_use;
}

#undef BUFPOOL_MEMBER_counter
#undef BUFPOOL_MEMBER_gauge
#undef BUFPOOL_MEMBER_peak

}  // namespace bufpool
