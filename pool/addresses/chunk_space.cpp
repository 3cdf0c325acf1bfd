// SPDX-License-Identifier: MIT
#include "pool/addresses/chunk_space.h"

#include "pool/platform/memory.h"

namespace bufpool {
namespace {

// The range is tried this far from where the kernel put something just now, then half as far, and
// so on. Further away ThreadSanitizer lets nobody map anything, and AddressSanitizer's heap is in
// the way.
#if defined(__SANITIZE_THREAD__)
constexpr std::size_t kFarthest = std::size_t{512} << 30;
constexpr std::uint32_t kWidestShift = 31;
#elif defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kFarthest = std::size_t{24} << 40;
constexpr std::uint32_t kWidestShift = ChunkRange::kWidestShift;
#else
constexpr std::size_t kFarthest = std::size_t{32} << 40;
constexpr std::uint32_t kWidestShift = ChunkRange::kWidestShift;
#endif
constexpr std::uint32_t kNarrowestShift = 25;  // 32 MiB a class

// mimalloc asks for addresses from 2 TiB up to here; Linux loads programs from there on.
constexpr std::uintptr_t kHintsEnd = std::uintptr_t{30} << 40;
constexpr std::uintptr_t kProgramsStart = std::uintptr_t{85} << 40;

static_assert(kFarthest / 2 > std::size_t{kClassSlots} << kWidestShift,
              "the range is as far from its end as it is long");

}  // namespace

bool SpaceMappings::open(std::uintptr_t mark) noexcept {
  mark_ = mark;
  return platform::map_at(page(), platform::kPageBytes) == platform::Mapped::kYes;
}

bool SpaceMappings::yield_one() noexcept {
  if (yielded_.exchange(true)) return false;
  platform::unreserve(page(), platform::kPageBytes);
  return true;
}

// Two threads may both map the page: the second finds it there.
bool SpaceMappings::may_keep_one() noexcept {
  if (!yielded_.load()) return true;
  if (platform::map_at(page(), platform::kPageBytes) == platform::Mapped::kRefused) return false;
  yielded_.store(false);
  return true;
}

// The range lies below the kernel's mappings, or above them if little is below. Under valgrind
// mappings begin low. They lie in the middle if a process asked for the old layout or for a stack
// without a limit. Another copy of this library in the process has a range of its own.
bool ChunkSpace::open() noexcept {
  void* const probe = platform::map(platform::kPageBytes);
  if (probe == nullptr) return false;
  const auto near = reinterpret_cast<std::uintptr_t>(probe);
  platform::unreserve(probe, platform::kPageBytes);
  return open_near(near, true) || open_near(near, false);
}

// `quiet` says that only places count where mimalloc asks for no addresses and Linux loads no
// programs.
bool ChunkSpace::open_near(std::uintptr_t near, bool quiet) noexcept {
  std::size_t distance = kFarthest;
  for (std::uint32_t shift = kWidestShift; shift >= kNarrowestShift; --shift) {
    const std::uintptr_t above = near + distance;
    const bool below_is_quiet = near - distance >= kHintsEnd;
    const bool above_is_quiet =
        above >= kHintsEnd && above + (std::size_t{kClassSlots} << shift) <= kProgramsStart;
    const bool below = near / 2 >= distance && (!quiet || below_is_quiet);
    if (below && open_at(near - distance, shift)) return true;
    if ((!quiet || above_is_quiet) && open_at(above, shift)) return true;
    distance /= 2;
  }
  return false;
}

bool ChunkSpace::open_at(std::uintptr_t start, std::uint32_t region_shift) noexcept {
  start &= ~(kChunkBytes - 1);
  if (!mappings_.open(start)) return false;
  range_ = {start, std::size_t{kClassSlots} << region_shift, region_shift};
  return true;
}

void ChunkSpace::close() noexcept {
  mappings_.close();
  regions_.for_each_open([](ChunkAllocator& region) { region.close(); });
}

void ChunkSpace::await_owners() noexcept {
  regions_.for_each_open([](ChunkAllocator& region) { region.await_owner(); });
  records_.await_owner();
}

void ChunkSpace::repair_in_child() noexcept {
  records_.repair_in_child();
  regions_.for_each_open([](ChunkAllocator& region) { region.repair_in_child(); });
}

}  // namespace bufpool
