// SPDX-License-Identifier: MIT
#include "pool/sampling/sampled_stacks.h"

#include <algorithm>

namespace bufpool {
namespace {

// A stack is looked for in so many records, so that a full table costs little.
constexpr std::size_t kMostTries = 64;
constexpr std::size_t kPlaces = kStatsSampledStacks - 1;

// Returns a number that is not 0, and differs from stack to stack.
std::uint64_t hash_of(std::span<const std::uint64_t> frames) noexcept {
  std::uint64_t hash = 0x9e3779b97f4a7c15;
  for (const std::uint64_t frame : frames) {
    hash = (hash ^ frame) * 0xbf58476d1ce4e5b9;
    hash ^= hash >> 29;
  }
  return std::max<std::uint64_t>(hash, 1);
}

}  // namespace

// A record belongs to its hash. Whoever finds one without frames writes them: who claimed it may be
// about to, or a fork may have cut that off. All write the same.
std::size_t SampledStacks::find(std::span<const std::uint64_t> frames) noexcept {
  const std::uint64_t hash = hash_of(frames);
  for (std::size_t i = 0; i < kMostTries; ++i) {
    const std::size_t number = 1 + (hash + i) % kPlaces;
    StatsSampledStack& record = words_.records()->stacks[number];
    std::uint64_t found = SampleWords::load(record.hash);
    if (found == 0 && !words_.change(record.hash, 0, hash)) found = SampleWords::load(record.hash);
    if (found != 0 && found != hash) continue;
    if (SampleWords::load(record.depth) == 0) describe(record, frames);
    return number;
  }
  return kOther;
}

void SampledStacks::describe(StatsSampledStack& record,
                             std::span<const std::uint64_t> frames) noexcept {
  const std::size_t depth = std::min(frames.size(), kStatsFrames);
  for (std::size_t i = 0; i < depth; ++i) words_.store(record.frames[i], frames[i]);
  words_.store(record.depth, depth);
}

void SampledStacks::count_get(std::size_t stack, std::uint64_t asked) noexcept {
  StatsSampledStack& record = words_.records()->stacks[stack];
  words_.add(record.gets, 1);
  words_.add(record.bytes, asked);
}

void SampledStacks::count_put(std::size_t stack, std::uint64_t asked,
                              std::uint64_t held_ns) noexcept {
  StatsSampledStack& record = words_.records()->stacks[stack];
  words_.add(record.puts, 1);
  words_.add(record.put_bytes, asked);
  words_.add(record.held_ns, held_ns);
  words_.raise(record.longest_ns, held_ns);
}

}  // namespace bufpool
