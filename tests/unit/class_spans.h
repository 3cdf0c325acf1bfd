// SPDX-License-Identifier: MIT
// Makes shared spans in address space of the test's own, which goes back at its end.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "pool/purging/span_purge.h"
#include "pool/purging/span_sweep.h"
#include "pool/spans/shared_spans.h"
#include "pool/spans/span_lookup.h"

namespace bufpool {

// Holds address space of a test's own.
class OwnSpace {
 public:
  OwnSpace() {
    OwnerLock::enter_process();
    EXPECT_TRUE(space_->open());
  }
  ~OwnSpace() { space_->close(); }
  OwnSpace(const OwnSpace&) = delete;
  OwnSpace& operator=(const OwnSpace&) = delete;

  ChunkSpace* get() const { return space_.get(); }

 private:
  std::unique_ptr<ChunkSpace> space_ = std::make_unique<ChunkSpace>();
};

// Holds the spans of one class.
struct ClassSpans {
  explicit ClassSpans(ClassIndex c) : index(c) { spans.open(c, space.get()); }

  // Takes `count` blocks, all of them as misses.
  std::vector<Block> take(std::size_t count) {
    std::vector<Block> blocks;
    Block block = 0;
    while (blocks.size() < count && spans.take(std::span(&block, 1)).count == 1) {
      blocks.push_back(block);
    }
    return blocks;
  }
  void put(Block block) { spans.give(std::span(&block, 1), true); }
  void put(std::span<const Block> blocks) {
    for (const Block block : blocks) put(block);
  }

  SpanLookup lookup() { return SpanLookup(spans.state()); }
  SpanBatch detach_idle(std::uint32_t now_ms, std::uint32_t min_age_ms, std::uint64_t most_bytes) {
    return SpanPurge(spans.state()).detach_idle_spans(now_ms, Milliseconds{min_age_ms}, most_bytes);
  }
  std::uint64_t purge(SpanBatch& batch, std::uint32_t now_ms) {
    return SpanPurge(spans.state()).purge(batch, now_ms);
  }
  std::uint64_t sweep(std::uint32_t now_ms, std::uint32_t min_age_ms) {
    return SpanSweep(spans.state()).sweep(now_ms, Milliseconds{min_age_ms});
  }

  std::size_t stride() const { return stride_bytes(index); }
  std::size_t in_span() const { return span_blocks(index); }

  ClassIndex index;
  OwnSpace space;
  SharedSpans spans;
};

// Fills all of a block with a byte of its own, and checks that it is still there.
inline void fill_block(Block block, std::size_t bytes) {
  std::memset(reinterpret_cast<void*>(block), static_cast<int>(block >> 4 | 1) & 0xff, bytes);
}
inline bool all_bytes_are(Block block, std::size_t bytes, unsigned char value) {
  const auto* data = reinterpret_cast<const unsigned char*>(block);
  return data[0] == value && std::memcmp(data, data + 1, bytes - 1) == 0;
}
inline bool still_filled(Block block, std::size_t bytes) {
  return all_bytes_are(block, bytes, static_cast<unsigned char>(block >> 4 | 1));
}

}  // namespace bufpool
