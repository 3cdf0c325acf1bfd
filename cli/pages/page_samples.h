// SPDX-License-Identifier: MIT
// What a process has sampled of its buffers (BUFPOOL_SAMPLE), out of its statistics page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "pool/telemetry/stats_page_layout.h"

namespace bufpool {

// Buffers that came by the same calls. All counts are of samples: a buffer of `size` bytes was
// sampled with the probability 1 - exp(-size / every).
struct SampledStack {
  std::vector<std::uint64_t> frames;  // return addresses, innermost first; none: not known
  std::uint64_t gets = 0;             // buffers
  std::uint64_t bytes = 0;            // asked for by them
  std::uint64_t puts = 0;             // those of them that came back
  std::uint64_t put_bytes = 0;
  std::uint64_t held_ns = 0;     // how long these were held, all together
  std::uint64_t longest_ns = 0;  // and the longest of these times
};

// A sampled buffer that was held when the page was read.
struct SampledBuffer {
  std::uint64_t block = 0;     // its address is a few bytes behind this one
  std::uint64_t asked = 0;     // bytes
  std::uint64_t taken_ns = 0;  // when it was handed out, by CLOCK_MONOTONIC of its machine
  std::size_t stack = 0;       // its place in PageSamples::stacks
};

struct PageSamples {
  std::uint64_t every = 0;    // bytes asked for between two samples, on average
  std::uint64_t dropped = 0;  // samples that there was no room for, which are counted nowhere else
  // The first one is for all stacks that there was no room for. Others have been seen at least
  // once.
  std::vector<SampledStack> stacks;
  std::vector<SampledBuffer> buffers;
  // Samples of the sizes of each built-in class, as StatsHeader::sizes numbers them.
  std::vector<StatsSampledSize> sizes;
};

// Reads the samples of a page into `out`, which has a value afterwards if the process samples.
// Returns false if an area lies outside of the page. Pre: the header is that of the page.
[[nodiscard]] bool read_samples(std::span<const std::byte> page, const StatsHeader& header,
                                std::optional<PageSamples>& out);

}  // namespace bufpool
