// SPDX-License-Identifier: MIT
// What this process has sampled of its buffers, on its page. Nothing here allocates: what a reader
// asks for would be sampled, too. Pre: BUFPOOL_SAMPLE is set.
#pragma once

#include <cstdint>
#include <span>

#include "tests/programs/own_page.h"

namespace promise {

// Of so many bytes a get is a sample but once in e^64 times, where BUFPOOL_SAMPLE=4K.
inline constexpr std::size_t kSampled = 256 << 10;

struct OwnSamples {
  const bufpool::StatsSampling* sampling;
  std::span<const bufpool::StatsSampledStack> stacks;
  std::span<const bufpool::StatsSampledBuffer> buffers;
  std::span<const bufpool::StatsSampledSize> sizes;
};

inline OwnSamples own_samples() {
  const auto* const page = reinterpret_cast<const char*>(own_page().start);
  keep(page != nullptr, "there is a page");
  const auto& header = *reinterpret_cast<const bufpool::StatsHeader*>(page);
  keep(header.sampling != 0, "it has samples");
  const auto at = [page]<typename T>(const bufpool::StatsArea& area, const T*) {
    return std::span(reinterpret_cast<const T*>(page + area.at), area.count);
  };
  return {reinterpret_cast<const bufpool::StatsSampling*>(page + header.sampling),
          at(header.sampled_stacks, static_cast<const bufpool::StatsSampledStack*>(nullptr)),
          at(header.sampled_buffers, static_cast<const bufpool::StatsSampledBuffer*>(nullptr)),
          at(header.sampled_sizes, static_cast<const bufpool::StatsSampledSize*>(nullptr))};
}

// How many sampled buffers of that size are held now; 0: of any size.
inline std::size_t held(std::size_t bytes) {
  std::size_t count = 0;
  for (const bufpool::StatsSampledBuffer& buffer : own_samples().buffers) {
    if (buffer.block >= 4096 && (bytes == 0 || buffer.asked == bytes)) ++count;
  }
  return count;
}

// The sums over all stacks.
inline bufpool::StatsSampledStack all_stacks() {
  bufpool::StatsSampledStack sum{};
  for (const bufpool::StatsSampledStack& stack : own_samples().stacks) {
    sum.gets += stack.gets;
    sum.bytes += stack.bytes;
    sum.puts += stack.puts;
    sum.put_bytes += stack.put_bytes;
  }
  return sum;
}

// Ends the program unless so many samples are left, of which each began and did not end. A C++
// runtime keeps a buffer from its start on, which may be one.
inline void keep_held(std::size_t count) {
  const bufpool::StatsSampledStack sum = all_stacks();
  keep(held(0) == count, "no sample is left");
  keep(sum.gets - sum.puts == count, "all that came went");
  keep(own_samples().sampling->dropped == 0, "and none was dropped");
}

}  // namespace promise
