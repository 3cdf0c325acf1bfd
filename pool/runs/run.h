// SPDX-License-Identifier: MIT
// A run: chunks in a row that belong to one class, cut into spans from the front, with the records
// of its spans and pages. The records lie elsewhere.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/memory/chunk_space.h"
#include "pool/memory/guard_line.h"
#include "pool/memory/size_classes.h"
#include "pool/platform/memory.h"
#include "pool/runs/page_map.h"
#include "pool/runs/span_lists.h"

namespace bufpool {

// How the blocks of a class lie in a run.
struct Geometry {
  constexpr Geometry() noexcept = default;
  explicit constexpr Geometry(ClassIndex c) noexcept
      : index(c),
        span_blocks(bufpool::span_blocks(c)),
        span_bytes(bufpool::span_bytes(c)),
        distance(span_bytes / span_blocks),
        inverse(~std::uint64_t{0} / distance + 1) {}

  // A division by the blocks' distance that is a multiplication: exact, as an offset in a run times
  // what the rounded inverse is too large by stays below 2^64.
  std::uint64_t blocks_in(std::uint64_t offset) const noexcept {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>(static_cast<Wide>(offset) * inverse >> 64);
  }

  std::uint32_t spans_in(std::size_t bytes) const noexcept {
    return static_cast<std::uint32_t>(bytes / span_bytes);
  }

  ClassIndex index{0};
  std::uint32_t span_blocks = 0;
  std::size_t span_bytes = 0;
  std::size_t distance = 0;  // from one block to the next
  std::uint64_t inverse = 0;
};

// The pages that bytes lie in, counted from the start of a run.
struct PageRange {
  std::size_t first;
  std::size_t last;
  std::size_t count() const noexcept { return last - first; }
};

struct Run {
  std::uintptr_t start;
  std::size_t chunks;
  std::size_t record_bytes;
  // Changed by whoever has set `committing`, read by all: bytes from the start that are mapped,
  // spans in them, and spans that there is room for.
  std::atomic<std::size_t> committed;
  std::atomic<std::uint32_t> ready;
  std::atomic<std::uint32_t> span_count;
  std::atomic<bool> committing;
  std::atomic<bool> sweeping;  // pages of it are given back: no span is cut, and nobody else sweeps
  std::uint32_t cut;           // of those, from the front, that stand in a list or are out
  std::uint32_t oldest_ms;  // since when the span with free pages has been quiet that is so longest
  std::uint32_t empty_ms;   // since when no page has had memory
  std::uint32_t swept;      // the number of the sweep that looked at it last
  bool touched;             // a block came or went since the last look for quiet spans
  bool has_quiet;           // oldest_ms is valid
  bool is_empty;            // empty_ms is valid
  std::atomic<std::uint32_t> lookers;  // who read its records: it is not to be dropped
  Run* next;                           // among the runs of the class
  Run* prev;
  Run* next_uncut;  // among those with room for more spans
  Span* spans;
  PageMap empty;
  bool had_huge;                 // some of its pages may be huge ones
  std::atomic<bool> huge;        // what is cut of it comes by huge pages
  std::atomic<bool> wants_huge;  // the system is asked for some in a part of it
  bool left_small_gains;         // the last look for quiet spans passed over some, see kLeastGain
  std::uint32_t cut_ms;          // of a run with huge pages: when the last span was cut

  std::uintptr_t end() const noexcept { return start + chunks * kChunkBytes; }
  std::uintptr_t start_of(std::uint32_t span, const Geometry& geometry) const noexcept {
    return start + span * geometry.span_bytes;
  }
  // Those that hold a part of [from, to).
  PageRange pages_of(std::uintptr_t from, std::uintptr_t to) const noexcept {
    return {(from - start) / platform::kPageBytes,
            (to - start + platform::kPageBytes - 1) / platform::kPageBytes};
  }
  // Those that are wholly in [from, to).
  PageRange pages_in(std::uintptr_t from, std::uintptr_t to) const noexcept {
    const std::size_t first = (from - start + platform::kPageBytes - 1) / platform::kPageBytes;
    const std::size_t last = (to - start) / platform::kPageBytes;
    return {first, last < first ? first : last};
  }
  std::uintptr_t address_of(std::size_t page) const noexcept {
    return start + page * platform::kPageBytes;
  }
};

// Chunks for a run, with its records; nothing is committed. nullptr: not to be had. Under no lock.
[[nodiscard]] Run* make_run(ChunkSpace& space, const Geometry& geometry,
                            std::size_t chunks) noexcept;

// Unmaps a run and forgets it. False: the kernel refuses, as it may where mappings are used up, and
// nothing happened. Pre: nobody reaches it any more, and its chunks were left. Under no lock.
[[nodiscard]] bool drop_run(ChunkSpace& space, ClassIndex c, Run* run) noexcept;

// Forgets a run of which nothing is mapped, and leaves its chunks to whoever has mapped something
// there. Pre: as above.
void abandon_run(ChunkSpace& space, Run* run) noexcept;

}  // namespace bufpool
