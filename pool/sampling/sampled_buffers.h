// SPDX-License-Identifier: MIT
// Remembers the sampled buffers that are held now.
#pragma once

#include <cstdint>
#include <optional>

#include "pool/addresses/guard_line.h"
#include "pool/sampling/sample_words.h"

namespace bufpool {

// Adds and removes in the table of sampled buffers. The table has sets of a few records, and a
// block's record is in the set that its address leads to. Any thread and any signal handler may
// call all for a block that the caller owns. Nothing here waits. A fork in the middle of add()
// costs the child one record.
class SampledBuffers {
 public:
  // Uses the table of these words, which outlive this.
  explicit SampledBuffers(const SampleWords& words) noexcept : words_(words) {}

  // Claims a record for a block. Returns nullptr if none of its set is free. Until add() the record
  // is of no block.
  [[nodiscard]] StatsSampledBuffer* claim(Block block) noexcept;

  // Holds what is known of a sample.
  struct Sample {
    std::uint64_t asked;
    std::uint64_t taken_ns;
    std::uint64_t stack;
  };
  // Fills a record. Pre: claim() returned it for the block.
  void add(StatsSampledBuffer& record, Block block, const Sample& sample) noexcept;

  // Removes the record of a block, and returns what it held, or nothing if there is none.
  [[nodiscard]] std::optional<Sample> remove(Block block) noexcept;

 private:
  const SampleWords& words_;
};

}  // namespace bufpool
