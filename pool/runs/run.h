// SPDX-License-Identifier: MIT
// A run is some chunks in a row that belong to one class. Spans are cut from its front. The record
// of the run holds the records of its spans and of its pages. It lies apart from the run's memory.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/addresses/chunk_space.h"
#include "pool/addresses/guard_line.h"
#include "pool/platform/memory.h"
#include "pool/runs/geometry.h"
#include "pool/runs/page_map.h"
#include "pool/runs/span_lists.h"

namespace bufpool {

// Holds the record of a run. The lock of its class guards all that is not atomic and not constant.
struct Run {
  // These are constant from make_run() on.
  std::uintptr_t start;
  std::size_t chunks;
  std::size_t record_bytes;
  Span* spans;  // `span_count` records, of which the first `cut` mean something

  // The thread that has set `committing` changes these, and all read them.
  std::atomic<std::size_t> committed;     // bytes from the start that are mapped
  std::atomic<std::uint32_t> ready;       // spans that are mapped, cut or not
  std::atomic<std::uint32_t> span_count;  // spans that there is room for
  std::atomic<bool> committing;           // a thread maps pages of the run

  std::atomic<bool> sweeping;          // a thread gives pages back: no span is cut, no other sweeps
  std::atomic<std::uint32_t> lookers;  // threads that read the record: the run is not dropped

  std::uint32_t cut;        // spans, from the front, that stand in a list or are in use
  std::uint32_t oldest_ms;  // if has_quiet: when the span that is quiet longest became quiet
  std::uint32_t empty_ms;   // if is_empty: when no page was found to have memory
  std::uint32_t cut_ms;     // if had_huge: when the last span was cut
  std::uint32_t swept;      // the number of the sweep that looked at the run last
  bool touched;             // a block came or went since the last look for quiet spans
  bool has_quiet;
  bool is_empty;
  bool left_small_gains;  // the last look passed over some spans, see policy::kLeastHugeGain

  bool had_huge;                 // some of its pages may be huge ones
  std::atomic<bool> huge;        // huge pages are asked for in what is mapped next
  std::atomic<bool> wants_huge;  // the system was asked for some in a part of it

  PageMap empty;

  Run* next;  // in RunList
  Run* prev;
  Run* next_uncut;

  // Returns the address behind the last chunk.
  std::uintptr_t end() const noexcept { return start + chunks * kChunkBytes; }

  // Returns the address of the span with the number `span`, which may be one behind the last.
  std::uintptr_t start_of(std::uint32_t span, const Geometry& geometry) const noexcept {
    return start + span * geometry.span_bytes;
  }
  // Returns the pages that hold a part of the addresses [from, to).
  PageRange pages_of(std::uintptr_t from, std::uintptr_t to) const noexcept {
    return {(from - start) / platform::kPageBytes,
            (to - start + platform::kPageBytes - 1) / platform::kPageBytes};
  }
  // Returns the pages that lie wholly in the addresses [from, to).
  PageRange pages_in(std::uintptr_t from, std::uintptr_t to) const noexcept {
    const std::size_t first = (from - start + platform::kPageBytes - 1) / platform::kPageBytes;
    const std::size_t last = (to - start) / platform::kPageBytes;
    return {first, last < first ? first : last};
  }
  std::uintptr_t address_of(std::size_t page) const noexcept {
    return start + page * platform::kPageBytes;
  }
};

// Returns where a span begins.
inline std::uintptr_t start_of(const Span& span, const Geometry& geometry) noexcept {
  return span.run->start_of(span.number, geometry);
}

// Returns the pages that hold a part of a span.
inline PageRange pages_of(const Span& span, const Geometry& geometry) noexcept {
  const std::uintptr_t start = start_of(span, geometry);
  return span.run->pages_of(start, start + geometry.span_bytes);
}

// Returns the pages that hold a part of the block with the number `index` in its span.
inline PageRange pages_of_block(const Span& span, std::uint32_t index,
                                const Geometry& geometry) noexcept {
  const std::uintptr_t start = start_of(span, geometry) + index * geometry.distance;
  return span.run->pages_of(start, start + geometry.distance);
}

// Returns the block with the number `index` in its span.
inline Block block_at(const Span& span, std::uint32_t index, const Geometry& geometry) noexcept {
  return Block{start_of(span, geometry) + index * geometry.distance + span.offset};
}

// Returns the number of a block in its span.
inline std::uint64_t index_of(const Span& span, Block block, const Geometry& geometry) noexcept {
  return geometry.blocks_in(to_address(block) - start_of(span, geometry));
}

// Returns the span that holds a block of the run.
inline Span& span_of(const Run& run, Block block, const Geometry& geometry) noexcept {
  const std::uint64_t number = geometry.blocks_in(to_address(block) - run.start);
  return run.spans[number / geometry.span_blocks];
}

// Returns whether the block with the number `index` in its span is free.
inline bool is_free(const Span& span, std::uint64_t index) noexcept {
  return (span.free[index / 64] >> index % 64 & 1) != 0;
}

// Takes `chunks` chunks for a run and makes its record; maps nothing. It returns nullptr if there
// are no chunks or no memory for the record. It takes the locks of the region and of the records.
// Pre: the caller holds no lock.
[[nodiscard]] Run* make_run(ChunkSpace& space, const Geometry& geometry,
                            std::size_t chunks) noexcept;

// Unmaps a run, gives its chunks back and forgets it. It returns false if the kernel refuses, as it
// may where mappings are used up; nothing changed then. It takes the locks of the region and of the
// records. Pre: the caller holds no lock; no other thread reaches the run, and its chunks were
// left.
[[nodiscard]] bool drop_run(ChunkSpace& space, ClassIndex c, Run* run) noexcept;

// Forgets a run of which nothing is mapped. Its chunks stay taken, because somebody else has mapped
// something there. It takes the lock of the records. Pre: as for drop_run().
void abandon_run(ChunkSpace& space, Run* run) noexcept;

}  // namespace bufpool
