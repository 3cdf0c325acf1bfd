// SPDX-License-Identifier: MIT
#include "cli/pages/page_samples.h"

#include <algorithm>

#include "cli/pages/page_bytes.h"

namespace bufpool {
namespace {

using page::Bytes;
using page::is_inside;
using page::is_sound;
using page::record_of;

// No block begins so low: the words below stand for records that are not filled.
constexpr std::uint64_t kLeastAddress = 4096;

// No process has more records. A page that says so is no page of ours, and to read it would take
// long.
constexpr std::uint32_t kMostStacks = 1 << 13;
constexpr std::uint32_t kMostBuffers = 1 << 17;

SampledStack stack_of(const StatsSampledStack& record) {
  SampledStack stack;
  const std::size_t depth = std::min<std::uint64_t>(record.depth, std::size(record.frames));
  stack.frames.assign(record.frames, record.frames + depth);
  stack.gets = record.gets;
  stack.bytes = record.bytes;
  stack.puts = record.puts;
  stack.put_bytes = record.put_bytes;
  stack.held_ns = record.held_ns;
  stack.longest_ns = record.longest_ns;
  return stack;
}

// Returns the place of each record among those that are in use. The others have the first one's.
std::vector<std::size_t> read_stacks(Bytes bytes, const StatsArea& area, PageSamples& out) {
  std::vector<std::size_t> places(area.count);
  for (std::uint32_t i = 0; i < area.count; ++i) {
    const auto record = record_of<StatsSampledStack>(bytes, area, i);
    if (i > 0 && record.hash == 0) continue;
    places[i] = out.stacks.size();
    out.stacks.push_back(stack_of(record));
  }
  return places;
}

void read_buffers(Bytes bytes, const StatsArea& area, const std::vector<std::size_t>& places,
                  PageSamples& out) {
  for (std::uint32_t i = 0; i < area.count; ++i) {
    const auto record = record_of<StatsSampledBuffer>(bytes, area, i);
    if (record.block < kLeastAddress) continue;
    const std::size_t stack = record.stack < places.size() ? places[record.stack] : 0;
    out.buffers.push_back({record.block, record.asked, record.taken_ns, stack});
  }
}

}  // namespace

bool read_samples(Bytes bytes, const StatsHeader& header, std::optional<PageSamples>& out) {
  out.reset();
  if (header.sampling == 0 || header.sampled_stacks.count == 0) return true;
  if (!is_inside(bytes, header.sampling, sizeof(StatsSampling)) ||
      !is_sound(bytes, header.sampled_stacks, sizeof(StatsSampledStack)) ||
      !is_sound(bytes, header.sampled_buffers, sizeof(StatsSampledBuffer)) ||
      !is_sound(bytes, header.sampled_sizes, sizeof(StatsSampledSize))) {
    return false;
  }
  if (header.sampled_stacks.count > kMostStacks || header.sampled_buffers.count > kMostBuffers) {
    return false;
  }
  const auto all = page::record_at<StatsSampling>(bytes, header.sampling);
  PageSamples& samples = out.emplace();
  samples.every = all.every;
  samples.dropped = all.dropped;
  const std::vector<std::size_t> places = read_stacks(bytes, header.sampled_stacks, samples);
  read_buffers(bytes, header.sampled_buffers, places, samples);
  for (std::uint32_t i = 0; i < header.sampled_sizes.count; ++i) {
    samples.sizes.push_back(record_of<StatsSampledSize>(bytes, header.sampled_sizes, i));
  }
  return true;
}

}  // namespace bufpool
