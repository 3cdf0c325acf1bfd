// SPDX-License-Identifier: MIT
// Moves contents by their pages, mapping by mapping: those that were moved once lie in a mapping
// apart from the pages around them, and the kernel moves no range of several.
#include <array>
#include <cstring>

#include "pool/platform/linux/keep_errno.h"
#include "pool/platform/linux/mappings.h"
#include "pool/platform/platform.h"

namespace bufpool::platform {
namespace {

// Contents in more mappings are copied, which leaves them in one: a process may have only so many.
constexpr std::size_t kMostPieces = 8;

void* pointer_to(std::uintptr_t address) noexcept { return reinterpret_cast<void*>(address); }

// The end of the mapping around `start`, or `last` if that comes first; `start` if its page cannot
// be moved.
std::uintptr_t end_of_mapping(std::uintptr_t start, std::uintptr_t last) noexcept {
  const auto reaches = [start](std::uintptr_t end) noexcept {
    return in_one_mapping(pointer_to(start), end - start);
  };
  if (reaches(last)) return last;
  std::uintptr_t within = start + kPageBytes;
  if (within == last || !reaches(within)) return start;
  std::uintptr_t beyond = last;
  while (beyond - within > kPageBytes) {
    const std::uintptr_t middle = page_below(within + (beyond - within) / 2);
    (reaches(middle) ? within : beyond) = middle;
  }
  return within;
}

// Pages that lie in several mappings.
class Pieces {
 public:
  Pieces(const PagesToMove& pages, std::uintptr_t distance) noexcept
      : first_(pages.first), distance_(distance) {
    for (std::uintptr_t at = first_; at < pages.last; at = ends_[count_++]) {
      const std::uintptr_t end = count_ == kMostPieces ? at : end_of_mapping(at, pages.last);
      if (end == at) {
        count_ = 0;
        return;
      }
      ends_[count_] = end;
    }
  }

  // They are 0 if there are too many, or one of them cannot be moved.
  std::size_t count() const noexcept { return count_; }

  [[nodiscard]] Moved move() noexcept {
    for (std::size_t i = 0; i < count_; ++i) {
      const Moved moved = move_pages(pointer_to(start(i)), bytes(i), there(i));
      if (moved == Moved::kYes || (moved == Moved::kNo && i > 0)) {
        settle(i, moved);
        continue;
      }
      while (i-- > 0) take_back(i);
      return moved;
    }
    return Moved::kYes;
  }

 private:
  std::uintptr_t start(std::size_t i) const noexcept { return i == 0 ? first_ : ends_[i - 1]; }
  std::size_t bytes(std::size_t i) const noexcept { return ends_[i] - start(i); }
  void* there(std::size_t i) const noexcept { return pointer_to(start(i) + distance_); }

  // A piece that was protected is not any more, as if it was copied.
  void settle(std::size_t i, Moved moved) const noexcept {
    if (moved == Moved::kNo) std::memcpy(there(i), pointer_to(start(i)), bytes(i));
    if (count_ > 1) (void)commit(there(i), bytes(i));
  }

  void take_back(std::size_t i) const noexcept {
    (void)commit(pointer_to(start(i)), bytes(i));
    std::memcpy(pointer_to(start(i)), there(i), bytes(i));
  }

  std::uintptr_t first_;
  std::uintptr_t distance_;
  std::size_t count_ = 0;
  std::array<std::uintptr_t, kMostPieces> ends_;
};

}  // namespace

ContentsMoved move_contents(void* from, void* to, std::size_t bytes) noexcept {
  const KeepErrno keep;
  const PagesToMove pages(from, bytes);
  const auto start = reinterpret_cast<std::uintptr_t>(from);
  const std::uintptr_t distance = reinterpret_cast<std::uintptr_t>(to) - start;
  Pieces pieces(pages, distance);
  const Moved moved = pieces.count() == 0 ? Moved::kNo : pieces.move();
  if (moved != Moved::kYes) return {moved, false};
  std::memcpy(to, from, pages.first - start);
  std::memcpy(pointer_to(pages.last + distance), pointer_to(pages.last),
              start + bytes - pages.last);
  return {moved, pieces.count() > 1};
}

}  // namespace bufpool::platform
