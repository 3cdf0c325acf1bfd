// SPDX-License-Identifier: MIT
#include "pool/platform/memory.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "pool/platform/linux/files.h"
#include "pool/platform/linux/system_calls.h"
#include "pool/platform/safe_calls.h"

namespace bufpool::platform {
namespace {

// Returns whether a range lies in one mapping, whose pages may be moved. It is found out by asking
// for a page more where there is no room for one: what lies in several is refused for that instead.
// Pre: the page behind is mapped.
bool in_one_mapping(void* start, std::size_t bytes) noexcept {
  const KeepErrno keep;
  if (is_refused(Call::kMovePages)) return false;
  if (mremap(start, bytes, bytes + kPageBytes, 0) != MAP_FAILED) return false;
  note_error(Call::kMovePages, errno);
  return errno == ENOMEM;
}

// Says whether move_pages() ever lost a target. From then on it marks its targets.
constinit std::atomic<bool> target_was_lost{false};
constexpr std::uint32_t kTargetMark = 0x7a3c95e1;

// Tells whether a word that may not be mapped has a value. The kernel compares it before it would
// wait, and there is no time to wait.
bool holds_word(const void* word, std::uint32_t value) noexcept {
  const KeepErrno keep;
  const timespec none{};
  return syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &none, nullptr, 0) != 0 &&
         errno == ETIMEDOUT;
}

// Tells whether a word may be written, which stays as it is. The kernel adds 0 to it.
bool may_write(void* word) noexcept {
  const KeepErrno keep;
  constexpr int kAddNothing = FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0);
  return syscall(SYS_futex, word, FUTEX_WAKE_OP_PRIVATE, 0, nullptr, word, kAddNothing) >= 0;
}

// Reads which pages are present. The file has a word for each page of the address space, with a bit
// for those that are present, see proc(5). It is read piece by piece, as a signal handler's stack
// is small.
bool read_page_map(std::uintptr_t start, std::size_t pages, unsigned char* resident) noexcept {
  constexpr unsigned kPresent = 63;
  ReadOnlyFile file("/proc/thread-self/pagemap");
  std::array<std::uint64_t, 128> words;
  for (std::size_t done = 0; done < pages;) {
    const std::size_t count = std::min(words.size(), pages - done);
    const std::size_t bytes = count * sizeof words[0];
    const std::size_t from = (start / kPageBytes + done) * sizeof words[0];
    if (file.read_at(from, {reinterpret_cast<char*>(words.data()), bytes}) != bytes) return false;
    for (std::size_t i = 0; i < count; ++i) {
      resident[done + i] = static_cast<unsigned char>(words[i] >> kPresent);
    }
    done += count;
  }
  return true;
}

// A page of the library's own, to find out what a filter of system calls does.
struct alignas(kPageBytes) ProbePage {
  std::atomic<std::uintptr_t> mark;
  char rest[kPageBytes - sizeof(std::uintptr_t)];
};
constinit ProbePage probe{};

// Returns whether a page that is given back reads as zero then. A filter of system calls may answer
// with success for the kernel, which then does nothing. The mark is of this thread: others may set
// theirs at the same time.
bool purges_empty_pages() noexcept {
  const auto mark = reinterpret_cast<std::uintptr_t>(&refused_calls);
  probe.mark.store(mark);
  if (madvise(&probe, kPageBytes, MADV_DONTNEED) == 0 && probe.mark.load() != mark) return true;
  errno = EPERM;
  return false;
}

// Contents are moved mapping by mapping: those that were moved once lie in a mapping apart from the
// pages around them, and the kernel moves no range of several. Contents in more mappings than these
// are copied, which leaves them in one: a process may have only so many.
constexpr std::size_t kMostPieces = 8;

void* pointer_to(std::uintptr_t address) noexcept { return reinterpret_cast<void*>(address); }

// Returns the end of the mapping around `start`, or `last` if that comes first. Returns `start` if
// its page cannot be moved.
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

// Moves pages that lie in several mappings.
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

  // Returns the number of mappings. It is 0 if there are too many, or if one of them cannot be
  // moved.
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

  // Makes a moved piece as if it was copied: one that was protected is not any more.
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

bool would_be_granted(std::size_t bytes) noexcept {
  const KeepErrno keep;
  void* const got =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (got == MAP_FAILED) return false;
  munmap(got, bytes);
  return true;
}

void unreserve(void* start, std::size_t bytes) noexcept {
  const KeepErrno keep;
  if (bytes != 0) munmap(start, bytes);
}

bool unmap(void* start, std::size_t bytes) noexcept {
  const KeepErrno keep;
  return bytes == 0 || munmap(start, bytes) == 0;
}

// Linux before 4.17 does not know MAP_FIXED_NOREPLACE and takes the address for a wish.
Mapped map_at(void* start, std::size_t bytes) noexcept {
  const KeepErrno keep;
  if (getauxval(AT_PAGESZ) != kPageBytes) return Mapped::kRefused;
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
  void* const got = mmap(start, bytes, PROT_READ | PROT_WRITE, kFlags, -1, 0);
  if (got == start) return Mapped::kYes;
  if (got == MAP_FAILED) return errno == EEXIST ? Mapped::kOccupied : Mapped::kRefused;
  munmap(got, bytes);
  return Mapped::kOccupied;
}

bool map_over(void* start, std::size_t bytes) noexcept {
  const KeepErrno keep;
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
  return mmap(start, bytes, PROT_READ | PROT_WRITE, kFlags, -1, 0) != MAP_FAILED;
}

bool commit(void* start, std::size_t bytes) noexcept {
  return try_call(Call::kCommit, [=]() noexcept {
    return syscall(SYS_mprotect, start, bytes, PROT_READ | PROT_WRITE) == 0;
  });
}

// The kernel writes this thread's signal mask there.
bool is_writable(std::uint64_t* word) noexcept {
  const KeepErrno keep;
  return syscall(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, word, sizeof *word) == 0;
}

bool purge(void* start, std::size_t bytes) noexcept {
  return try_call(Call::kPurge, [=]() noexcept {
    return madvise(start, bytes, MADV_DONTNEED) == 0 && (!expects_filter() || purges_empty_pages());
  });
}

// What lies in a row is mapped at once: at a limit of data all of it is refused then, and none is
// taken from what others may still have.
bool make_writable(void* start, std::size_t bytes) noexcept {
  char* const end = static_cast<char*>(start) + bytes;
  for (char* page = static_cast<char*>(start); page < end; page += kPageBytes) {
    char* const first = page;
    while (page < end && !may_write(page)) page += kPageBytes;
    if (page != first && !map_over(first, static_cast<std::size_t>(page - first))) return false;
  }
  return true;
}

bool may_purge() noexcept { return !is_refused(Call::kPurge); }

// Pages in several mappings are not tried: some may have moved when the kernel refuses (Linux
// 6.17). The kernel may refuse after it has unmapped the target. That leaves a hole, which another
// thread's mmap may be given at once. So the hole is filled only if it still is one. A target that
// is mapped may be ours as it was, as where mappings are used up, or somebody else's. A mark in it
// tells, but costs a page that is touched. So targets are marked only once one was lost.
Moved move_pages(void* start, std::size_t bytes, void* to) noexcept {
  const KeepErrno keep;
  constexpr int kFlags = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
  if (!in_one_mapping(start, bytes)) return Moved::kNo;
  const bool marked = target_was_lost.load(std::memory_order_relaxed);
  if (marked) *static_cast<std::uint32_t*>(to) = kTargetMark;
  const bool moved = try_call(Call::kMovePages, [=]() noexcept {
    return mremap(start, bytes, bytes, kFlags, to) != MAP_FAILED;
  });
  if (moved) return Moved::kYes;
  constexpr int kFilling = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
  void* const filled = mmap(to, bytes, PROT_READ | PROT_WRITE, kFilling, -1, 0);
  if (filled == to) return Moved::kNo;
  if (filled != MAP_FAILED) munmap(filled, bytes);  // before Linux 4.17 the address is a wish
  if (marked && holds_word(to, kTargetMark)) return Moved::kNo;
  target_was_lost.store(true, std::memory_order_relaxed);
  return Moved::kLost;
}

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

bool want_huge_pages(void* start, std::size_t bytes) noexcept {
  return try_call(Call::kHugePages,
                  [=]() noexcept { return madvise(start, bytes, MADV_HUGEPAGE) == 0; });
}

bool want_small_pages(void* start, std::size_t bytes) noexcept {
  return try_call(Call::kSmallPages,
                  [=]() noexcept { return madvise(start, bytes, MADV_NOHUGEPAGE) == 0; });
}

// The kernel splits a huge page of which a part is said to be cold (Linux 5.4).
void split_huge_pages(void* start, std::size_t bytes) noexcept {
  if (bytes == 0) return;
  (void)try_call(Call::kSplit, [=]() noexcept { return madvise(start, bytes, MADV_COLD) == 0; });
}

void* map(std::size_t bytes) noexcept {
  const KeepErrno keep;
  void* start = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return start == MAP_FAILED ? nullptr : start;
}

void* map_wiped_in_copies() noexcept {
  const KeepErrno keep;
  void* const page = map(kPageBytes);
  if (page == nullptr || madvise(page, kPageBytes, MADV_WIPEONFORK) == 0) return page;
  unreserve(page, kPageBytes);
  return nullptr;
}

// The loader reads programs by pread64, and nobody calls mincore but for what it tells.
bool see_resident(std::uintptr_t start, std::size_t pages, unsigned char* resident,
                  SafeCalls safe) noexcept {
  const KeepErrno keep;
  if (safe != SafeCalls::kAny) return read_page_map(start, pages, resident);
  return mincore(reinterpret_cast<void*>(start), pages * kPageBytes, resident) == 0;
}

}  // namespace bufpool::platform
