// SPDX-License-Identifier: MIT
// Shared spans in address space of the test's own, given back at its end.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "pool/platform.h"
#include "pool/shared_spans.h"

namespace bufpool {

class OwnRegion {
 public:
  explicit OwnRegion(std::size_t bytes) : bytes_(bytes), start_(platform::reserve(bytes)) {
    EXPECT_NE(start_, nullptr);
  }
  ~OwnRegion() { platform::unreserve(start_, bytes_); }
  OwnRegion(const OwnRegion&) = delete;
  OwnRegion& operator=(const OwnRegion&) = delete;

  Region part(std::size_t from, std::size_t bytes) const {
    return {reinterpret_cast<std::uintptr_t>(start_) + from, bytes};
  }

 private:
  std::size_t bytes_;
  void* start_;
};

// The spans of one class in a region of `bytes`.
struct ClassSpans {
  static constexpr std::size_t kRecordBytes = 1 << 20;

  explicit ClassSpans(ClassIndex c, std::size_t bytes = std::size_t{1} << 30)
      : index(c), memory(bytes + kRecordBytes) {
    OwnerLock::enter_process();
    spans.open(c, memory.part(0, bytes), memory.part(bytes, kRecordBytes));
  }

  // Takes `count` blocks, all as misses.
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

  std::size_t stride() const { return stride_bytes(index); }
  std::size_t in_span() const { return span_blocks(index); }

  ClassIndex index;
  OwnRegion memory;
  SharedSpans spans;
};

// Fills all of a block with a byte of its own, and looks whether it is still there.
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
