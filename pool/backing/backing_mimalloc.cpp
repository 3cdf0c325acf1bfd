// SPDX-License-Identifier: MIT
#include "pool/backing/backing_mimalloc.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "pool/backing/altered_ranges.h"
#include "pool/platform/memory.h"
#include "pool/platform/safe_calls.h"
#include "pool/platform/threads.h"

namespace bufpool::backing {
namespace {

bool aligned(const void* pointer, std::size_t alignment) noexcept {
  return (reinterpret_cast<std::uintptr_t>(pointer) & (alignment - 1)) == 0;
}

// Allocates where mimalloc failed to align. mimalloc 2.0.9 takes small power-of-two sizes from its
// size bins and does not look whether a bin's blocks are aligned as asked. A size off the power of
// two goes the careful way.
[[gnu::cold]] void* allocate_aligned_off_power(std::size_t alignment, std::size_t size) noexcept {
  for (std::size_t extra = kLeast; extra <= 2 * alignment; extra *= 2) {
    void* pointer = mi_malloc_aligned(size + extra, alignment);
    if (pointer == nullptr || aligned(pointer, alignment)) return pointer;
    mi_free(pointer);
  }
  return nullptr;
}

std::size_t place_in_page(const void* pointer) noexcept {
  return reinterpret_cast<std::uintptr_t>(pointer) % platform::kPageBytes;
}

// Returns whether a block stays where it is. The rule is that of mi_realloc.
bool stays(std::size_t held, std::size_t size) noexcept { return size <= held && size >= held / 2; }

// Every move leaves a mapping more, so a block that grew gets an eighth more of addresses than it
// asks for, if there are so many.
void* allocate_to_move(const void* pointer, std::size_t size, bool grows) noexcept {
  const std::size_t in_page = place_in_page(pointer);
  void* const roomy = grows ? allocate_in_page(size + size / 8, in_page) : nullptr;
  return roomy != nullptr ? roomy : allocate_in_page(size, in_page);
}

// mi_realloc copies, and so makes all pages of a sparse block resident.
void* resize_by_pages(void* pointer, std::size_t held, std::size_t size) noexcept {
  void* const moved = allocate_to_move(pointer, size, size > held);
  if (moved == nullptr) return nullptr;
  const std::size_t kept = std::min(held, size);
  const platform::Moved pages = platform::move_contents(pointer, moved, kept).how;
  // A block whose pages are gone is never used again.
  if (pages == platform::Moved::kLost) return mi_realloc(pointer, size);
  if (pages == platform::Moved::kNo) std::memcpy(moved, pointer, kept);
  mi_free(pointer);
  return moved;
}

// Allocates zeros without writing them. mi_zalloc writes up to 2 GiB of a large block, although the
// kernel has just mapped it. A block that mimalloc kept is emptied by the kernel here.
void* allocate_zeroed_by_pages(std::size_t size) noexcept {
  void* const block = mi_malloc(size);
  if (block == nullptr) return nullptr;
  const auto start = reinterpret_cast<std::uintptr_t>(block);
  const std::uintptr_t first = platform::page_above(start);
  const std::uintptr_t last = platform::page_below(start + size);
  if (!platform::purge(reinterpret_cast<void*>(first), last - first)) {
    return std::memset(block, 0, size);
  }
  std::memset(block, 0, first - start);
  std::memset(reinterpret_cast<void*>(last), 0, start + size - last);
  return block;
}

constinit AlteredRanges altered_ranges;

// Holds the whole pages of a block.
struct Pages {
  explicit Pages(const void* pointer) noexcept
      : first(platform::page_above(reinterpret_cast<std::uintptr_t>(pointer))),
        last(platform::page_below(reinterpret_cast<std::uintptr_t>(pointer) +
                                  mi_usable_size(pointer))) {}
  [[nodiscard]] void* start() const noexcept { return reinterpret_cast<void*>(first); }
  [[nodiscard]] std::size_t bytes() const noexcept { return last > first ? last - first : 0; }

  std::uintptr_t first;
  std::uintptr_t last;
};

// Tells whether the program altered pages of a block, and forgets it.
bool was_altered(const void* pointer) noexcept {
  return pointer != nullptr &&
         altered_ranges.take(reinterpret_cast<std::uintptr_t>(pointer), mi_usable_size(pointer));
}

// Does what release() does, if the program may have altered the block's pages. A block whose pages
// nobody can write is never used again.
void release_altered(void* pointer) noexcept {
  if (!altered_ranges.has_some() || !was_altered(pointer)) return mi_free(pointer);
  const Pages pages(pointer);
  if (pages.bytes() == 0 || platform::map_over(pages.start(), pages.bytes()) ||
      platform::commit(pages.start(), pages.bytes())) {
    mi_free(pointer);
  }
}

// Makes release() look at what is altered. Returns false where the kernel refuses. The page stays
// writable, as another thread may be here, too.
bool release_with_a_look() noexcept {
  if (release_call == release_altered) return true;
  const auto page = platform::page_below(reinterpret_cast<std::uintptr_t>(&release_call));
  auto* const start = reinterpret_cast<void*>(page);
  if (!platform::commit(start, platform::kPageBytes)) return false;
  std::atomic_ref(release_call).store(release_altered);
  return true;
}

// mimalloc calls it when it could not do something. mimalloc leaves errno to this function, and
// errno holds what mimalloc's system calls left. EFAULT means a free list that was written to. Only
// builds with checks tell it, and they end the process then. `refused` is what open() was given.
void note_failure(int error, void* refused) noexcept {
  if (error == EFAULT) std::abort();
  if (error == ENOMEM) reinterpret_cast<void (*)() noexcept>(refused)();
  if (error == ENOMEM || error == EOVERFLOW) errno = ENOMEM;
}

}  // namespace

[[gnu::section(".data.rel.ro")]] constinit ReleaseCall release_call = mi_free;

bool is_call_of(const void* caller) noexcept {
  return platform::are_in_one_file(caller, reinterpret_cast<const void*>(&mi_malloc));
}

void open(void (*refused)() noexcept) noexcept {
  mi_register_error(note_failure, reinterpret_cast<void*>(refused));
}

void* allocate_zeroed(std::size_t size) noexcept {
  if (!is_possible(size)) return nullptr;
  return size >= kLeastMappedAlone ? allocate_zeroed_by_pages(size)
                                   : mi_zalloc(at_least_aligned(size));
}

void* allocate_aligned(std::size_t alignment, std::size_t size) noexcept {
  if (!is_possible(size, alignment)) return nullptr;
  if (alignment <= kLeast) return allocate(size);
  void* pointer = mi_malloc_aligned(at_least_aligned(size), alignment);
  if (pointer == nullptr || aligned(pointer, alignment)) return pointer;
  mi_free(pointer);
  return allocate_aligned_off_power(alignment, at_least_aligned(size));
}

// mimalloc's offset is of the byte that is to be aligned.
void* allocate_in_page(std::size_t size, std::size_t in_page) noexcept {
  if (!is_possible(size, platform::kPageBytes)) return nullptr;
  const std::size_t offset = (platform::kPageBytes - in_page) % platform::kPageBytes;
  void* const pointer = mi_malloc_aligned_at(size, platform::kPageBytes, offset);
  if (pointer == nullptr || place_in_page(pointer) == in_page) return pointer;
  mi_free(pointer);
  return nullptr;
}

// mimalloc reads segments of its own near the address, and no byte of the block.
void note_altered(const void* start, std::size_t bytes, const void* caller) noexcept {
  if (bytes == 0 || is_call_of(caller) || !mi_is_in_heap_region(start)) return;
  if (platform::expects_filter() || !release_with_a_look()) return;
  altered_ranges.add(reinterpret_cast<std::uintptr_t>(start), bytes);
}

void* resize(void* pointer, std::size_t size) noexcept {
  if (!is_possible(size)) return nullptr;
  if (altered_ranges.has_some() && was_altered(pointer)) {
    const Pages pages(pointer);
    if (pages.bytes() != 0 && !platform::commit(pages.start(), pages.bytes())) return nullptr;
  }
  if (size >= kLeastMappedAlone) {
    const std::size_t held = mi_usable_size(pointer);
    if (held >= kLeastMappedAlone && !stays(held, size)) {
      return resize_by_pages(pointer, held, size);
    }
  }
  return mi_realloc(pointer, at_least_aligned(size));
}

std::size_t usable_size(const void* pointer) noexcept { return mi_usable_size(pointer); }

void collect() noexcept { mi_collect(true); }

std::size_t committed_bytes() noexcept {
  std::size_t committed = 0;
  mi_process_info(nullptr, nullptr, nullptr, nullptr, nullptr, &committed, nullptr, nullptr);
  // mimalloc 2.0.9 subtracts more than it added for blocks of large alignments.
  return static_cast<std::ptrdiff_t>(committed) < 0 ? 0 : committed;
}

}  // namespace bufpool::backing
