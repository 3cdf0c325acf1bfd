// SPDX-License-Identifier: MIT
// How the library arranges the records of samples, in its own memory and on the statistics page. A
// reader goes by the areas of the page's header.
#pragma once

#include <cstddef>

#include "pool/telemetry/snapshot.h"
#include "pool/telemetry/stats_page_layout.h"

namespace bufpool {

inline constexpr std::size_t kStatsSampledStacks = 1024;
inline constexpr std::size_t kStatsSampledBuffers = 8192;

// Holds all records. Memory that reads as zero holds none.
struct StatsSamples {
  StatsSampling sampling;
  StatsSampledSize sizes[kSnapshotClasses];
  StatsSampledStack stacks[kStatsSampledStacks];
  alignas(64) StatsSampledBuffer buffers[kStatsSampledBuffers];
};

}  // namespace bufpool
