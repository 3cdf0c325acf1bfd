// SPDX-License-Identifier: MIT
#include "pool/runs/run.h"

#include <cstring>
#include <new>

namespace bufpool {
namespace {

constexpr std::size_t whole_lines(std::size_t bytes) noexcept {
  return (bytes + 63) & ~std::size_t{63};
}

constexpr std::size_t kRunBytes = whole_lines(sizeof(Run));

}  // namespace

Run* make_run(ChunkSpace& space, const Geometry& geometry, std::size_t chunks) noexcept {
  const std::size_t bytes = chunks * kChunkBytes;
  const std::size_t spans = bytes / geometry.span_bytes;
  const std::size_t map_bytes = PageMap::words_for(bytes / platform::kPageBytes) * 8;
  const std::size_t record_bytes = kRunBytes + spans * sizeof(Span) + map_bytes;
  const std::uintptr_t start = space.regions()[geometry.index].take(chunks);
  if (start == 0) return nullptr;
  void* const record = space.records().allocate(record_bytes);
  if (record == nullptr) {
    space.regions()[geometry.index].give(start, chunks);
    return nullptr;
  }
  auto* const records = static_cast<char*>(record);
  auto* const words = reinterpret_cast<std::uint64_t*>(records + record_bytes - map_bytes);
  std::memset(words, 0xff, map_bytes);
  Run* const run = new (record) Run{};
  run->start = start;
  run->chunks = chunks;
  run->record_bytes = record_bytes;
  run->span_count = static_cast<std::uint32_t>(spans);
  run->spans = reinterpret_cast<Span*>(records + kRunBytes);
  run->empty = PageMap(words);
  if (space.enter(start, chunks, run)) return run;
  space.records().release(record, record_bytes);
  space.regions()[geometry.index].give(start, chunks);
  return nullptr;
}

// The memory is unmapped before the chunks go back, as another run may have them from then on.
bool drop_run(ChunkSpace& space, ClassIndex c, Run* run) noexcept {
  if (!platform::unmap(reinterpret_cast<void*>(run->start), run->committed)) return false;
  space.mappings().bytes().fetch_sub(run->committed, std::memory_order_relaxed);
  space.regions()[c].give(run->start, run->chunks);
  space.records().release(run, run->record_bytes);
  return true;
}

void abandon_run(ChunkSpace& space, Run* run) noexcept {
  space.records().release(run, run->record_bytes);
}

}  // namespace bufpool
