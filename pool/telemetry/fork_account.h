// SPDX-License-Identifier: MIT
// Holds the counters of the parent when this process was forked. Nothing else is kept: most
// children soon exec or exit, and each page that is written for one is a page to copy.
#pragma once

#include <array>
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
  std::uint64_t all_gets = 0;  // as BufferPool::gets() counts them
#define BUFPOOL_PROCESS_COUNTER(name, unit, kind, sentence) BUFPOOL_MEMBER_##kind(name)
#include "pool/telemetry/counters.def"
  std::array<ClassForkAccount, kSnapshotClasses> classes{};
};

#undef BUFPOOL_MEMBER_counter
#undef BUFPOOL_MEMBER_gauge
#undef BUFPOOL_MEMBER_peak

}  // namespace bufpool
