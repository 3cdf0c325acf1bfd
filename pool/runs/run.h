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

// The record of a run. The lock of its class guards all that is not atomic and not constant.
struct Run {
  // Constant from make_run() on.
  std::uintptr_t start;
  std::size_t chunks;
  std::size_t record_bytes;
  Span* spans;  // `span_count` records, of which the first `cut` mean something

  // Changed by the thread that has set `committing`, and read by all.
  std::atomic<std::size_t> committed;     // bytes from the start that are mapped
  std::atomic<std::uint32_t> ready;       // spans that are mapped, cut or not
  std::atomic<std::uint32_t> span_count;  // spans that there is room for
  std::atomic<bool> committing;           // a thread maps pages of the run

  std::atomic<bool> sweeping;          // a thread gives pages back: no span is cut, no other sweeps
  std::atomic<std::uint32_t> lookers;  // threads that read the record: the run is not dropped

  std::uint32_t cut;        // spans, from the front, that stand in a list or are in use
  std::uint32_t oldest_ms;  // if has_quiet: since when the span that is quiet longest has been so
  std::uint32_t empty_ms;   // if is_empty: since when no page has had memory
  std::uint32_t cut_ms;     // of a run with huge pages: when the last span was cut
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

  // The address behind the last chunk.
  std::uintptr_t end() const noexcept { return start + chunks * kChunkBytes; }

  // The address of the span with the number `span`, which may be one behind the last.
  std::uintptr_t start_of(std::uint32_t span, const Geometry& geometry) const noexcept {
    return start + span * geometry.span_bytes;
  }
  // The pages that hold a part of the addresses [from, to).
  PageRange pages_of(std::uintptr_t from, std::uintptr_t to) const noexcept {
    return {(from - start) / platform::kPageBytes,
            (to - start + platform::kPageBytes - 1) / platform::kPageBytes};
  }
  // The pages that lie wholly in the addresses [from, to).
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

// The pages that hold a part of a span.
inline PageRange pages_of(const Span& span, const Geometry& geometry) noexcept {
  const std::uintptr_t start = start_of(span, geometry);
  return span.run->pages_of(start, start + geometry.span_bytes);
}

// The pages that hold a part of the block with the number `index` in its span.
inline PageRange pages_of_block(const Span& span, std::uint32_t index,
                                const Geometry& geometry) noexcept {
  const std::uintptr_t start = start_of(span, geometry) + index * geometry.distance;
  return span.run->pages_of(start, start + geometry.distance);
}

// The block with the number `index` in its span.
inline Block block_at(const Span& span, std::uint32_t index, const Geometry& geometry) noexcept {
  return start_of(span, geometry) + index * geometry.distance + span.offset;
}

// The span that holds an address. Pre: the address is in the run, in front of its last whole span's
// end.
inline Span& span_at(const Run& run, std::uintptr_t address, const Geometry& geometry) noexcept {
  return run.spans[geometry.blocks_in(address - run.start) / geometry.span_blocks];
}

// Whether the block with the number `index` in its span is free.
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
