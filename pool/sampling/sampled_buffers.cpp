// SPDX-License-Identifier: MIT
#include "pool/sampling/sampled_buffers.h"

#include <span>

namespace bufpool {
namespace {

constexpr std::size_t kWays = 8;
constexpr std::size_t kSets = kStatsSampledBuffers / kWays;
static_assert((kSets & (kSets - 1)) == 0);

// A record that is claimed and not filled has this in place of the block's address.
constexpr std::uint64_t kClaimed = 1;

std::span<StatsSampledBuffer> set_of(const SampleWords& words, Block block) noexcept {
  const std::size_t set = to_address(block) * 0x9e3779b97f4a7c15 >> 32 & (kSets - 1);
  return std::span(words.records()->buffers).subspan(set * kWays, kWays);
}

}  // namespace

StatsSampledBuffer* SampledBuffers::claim(Block block) noexcept {
  for (StatsSampledBuffer& record : set_of(words_, block)) {
    if (SampleWords::load(record.block) != 0) continue;
    if (words_.change(record.block, 0, kClaimed)) return &record;
  }
  return nullptr;
}

void SampledBuffers::add(StatsSampledBuffer& record, Block block, const Sample& sample) noexcept {
  words_.store(record.asked, sample.asked);
  words_.store(record.taken_ns, sample.taken_ns);
  words_.store(record.stack, sample.stack);
  words_.store(record.block, to_address(block));
}

// Only the owner of a block removes its record. Of two threads that free a buffer, one does.
std::optional<SampledBuffers::Sample> SampledBuffers::remove(Block block) noexcept {
  for (StatsSampledBuffer& record : set_of(words_, block)) {
    if (SampleWords::load(record.block) != to_address(block)) continue;
    const Sample sample{SampleWords::load(record.asked), SampleWords::load(record.taken_ns),
                        SampleWords::load(record.stack)};
    if (words_.change(record.block, to_address(block), 0)) return sample;
  }
  return {};
}

}  // namespace bufpool
