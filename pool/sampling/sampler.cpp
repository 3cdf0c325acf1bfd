// SPDX-License-Identifier: MIT
#include "pool/sampling/sampler.h"

#include <array>
#include <span>
#include <tuple>

#include "pool/platform/clock.h"
#include "pool/platform/memory.h"
#include "pool/platform/stack.h"
#include "pool/sampling/sampled_buffers.h"
#include "pool/sampling/sampled_stacks.h"

namespace bufpool {

bool Sampler::open(std::uint64_t every, const HitTables* tables) noexcept {
  void* const memory = platform::map(platform::page_above(sizeof(StatsSamples)));
  if (memory == nullptr) return false;
  std::array<std::uint64_t, 1> frame;
  std::ignore = platform::call_stack(frame);  // the first call is to be made by one thread
  tables_ = tables;
  words_.open(static_cast<StatsSamples*>(memory));
  words_.store(words_.records()->sampling.every, every);
  every_ = every;
  return true;
}

// A sample may be interrupted by one of a signal handler, and the handler may leave by longjmp: no
// flag says that one is under way, as it would stay set. Nothing on this way asks for memory.
void Sampler::sample(Block block, std::size_t asked) noexcept {
  SampledBuffers buffers(words_);
  StatsSampledBuffer* const record = buffers.claim(block);
  if (record == nullptr) return words_.add(words_.records()->sampling.dropped, 1);
  std::array<std::uint64_t, kStatsFrames> frames;
  const std::size_t depth = platform::call_stack(frames);
  SampledStacks stacks(words_);
  const std::size_t stack = stacks.find(std::span(frames).first(depth));
  stacks.count_get(stack, asked);
  StatsSampledSize& size = words_.records()->sizes[to_number(class_of_size(asked))];
  words_.add(size.gets, 1);
  words_.add(size.bytes, asked);
  buffers.add(*record, block, {asked, platform::fine_nanoseconds(), stack});
  tables_->marks().mark_to_look(block, tables_->class_of(block));
}

void Sampler::end(Block block) noexcept {
  const auto sample = SampledBuffers(words_).remove(block);
  if (!sample) return;
  const std::uint64_t now = platform::fine_nanoseconds();
  const std::uint64_t held = now > sample->taken_ns ? now - sample->taken_ns : 0;
  SampledStacks(words_).count_put(sample->stack, sample->asked, held);
}

}  // namespace bufpool
