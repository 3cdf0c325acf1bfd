// SPDX-License-Identifier: MIT
// The huge pages of a run: what is mapped for them, what comes along with their first touch, and
// what is done before a part of them goes back.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool/addresses/chunk_space.h"
#include "pool/runs/huge_growth.h"
#include "pool/runs/run.h"

namespace bufpool {

// The address behind the huge page that holds the byte in front of `bytes`, an offset.
constexpr std::size_t huge_page_above(std::size_t bytes) noexcept {
  return (bytes + kHugePageBytes - 1) & ~(kHugePageBytes - 1);
}

// Works on the runs of one class. It takes no lock. Functions that read the spans of a run need the
// lock of the class; each says so.
class HugePages {
 public:
  // Both are those of the class, and outlive this.
  HugePages(ChunkSpace& space, const Geometry& geometry) noexcept
      : space_(space), geometry_(geometry) {}

  // How many bytes of a run are mapped for its first `spans` spans: whole huge pages if it has
  // those. The last huge page is mapped whole if the spans leave an eighth of it at most. A huge
  // page that is not mapped whole has small pages.
  std::size_t bytes_to_map(const Run& run, std::uint32_t spans) const noexcept;

  // Asks for huge pages in `bytes` bytes from `start` on, which were just mapped, if the run has
  // those. If the user chose `off`, it asks for small pages, because the system may give huge ones
  // to everybody. Pre: the caller has set `committing` in the run, or has called leave().
  void advise(Run& run, void* start, std::size_t bytes) const noexcept;

  // Says that the run has small pages for good. If the system refuses to hear it, it is told again
  // before the next part of the run goes back.
  void want_none(Run& run) const noexcept;

  // Is called before the addresses [start, end) of a run go back. khugepaged fills up again what is
  // missing from a huge page that is wanted, so from now on none is wanted in the run. Huge pages
  // of which a part goes back are split: the kernel else keeps the memory of the whole page until
  // it is short of some, though nobody has it resident any more.
  void leave(Run& run, std::uintptr_t start, std::uintptr_t end) const noexcept;

  // The pages that `used` bytes from the start of a block may have brought.
  PageRange pages_brought_by(const Span& span, Block block, std::size_t used) const noexcept;

  // Returns the end of the huge page that holds the last span that was cut. Pre: the caller has the
  // lock of the class.
  std::uintptr_t end_of_rest(const Run& run) const noexcept;

  // Whether the free pages of a span are worth the split of a huge page. In a run that has those,
  // the pages of partly used spans go back once they are policy::kLeastHugeGain bytes of one. Pre:
  // the caller has the lock of the class.
  bool is_worth_a_split(const Run& run, const Span& span) const noexcept;

 private:
  std::size_t huge_page_of(const Run& run, std::uint32_t span) const noexcept {
    return (run.start_of(span, geometry_) - run.start) / kHugePageBytes;
  }

  ChunkSpace& space_;
  const Geometry& geometry_;
};

}  // namespace bufpool
