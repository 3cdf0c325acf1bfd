// SPDX-License-Identifier: MIT
#include "pool/blocks/hit_tables.h"

#include "pool/percpu/cpu_slabs.h"

namespace bufpool {

// The range of sizes comes last: a request before that finds a pool that wants nothing.
void HitTables::open(const ServedSizes& sizes, SizeRange fast, const ChunkRange& range,
                     const BlockMarks& marks) noexcept {
  for (std::uint32_t i = 0; i <= to_number(kLastClass); ++i) {
    const ClassIndex server = sizes.server_of(ClassIndex{i});
    if (server == ClassIndex{0}) continue;
    stacks_[i] = empty_stack_address(server);
    gaps_[i] = gap_bytes(server);
  }
  for_each_class([&](ClassIndex c) { rooms_[to_number(c)] = buffer_bytes(c); });
  marks_ = marks;
  range_ = range;
  fast_range_ = fast;
}

}  // namespace bufpool
