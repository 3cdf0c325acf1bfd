// SPDX-License-Identifier: MIT
#include "pool/platform/memory.h"

#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "pool/platform/linux/files.h"
#include "pool/platform/linux/system_calls.h"

namespace bufpool::platform {
namespace {

// Whether a range lies in one mapping. It is found out by asking for a page more where there is no
// room for one: what lies in several is refused for that instead. Pre: the page behind is mapped.
bool in_one_mapping(void* start, std::size_t bytes) noexcept {
  if (mremap(start, bytes, bytes + kPageBytes, 0) != MAP_FAILED) return false;
  note_error(Call::kMovePages, errno);
  return errno == ENOMEM;
}

// proc(5): a word for each page of the address space, with a bit for those that are present. Read
// piece by piece, as a signal handler's stack is small.
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

}  // namespace

void unreserve(void* start, std::size_t bytes) noexcept {
  const KeepErrno keep;
  if (bytes != 0) munmap(start, bytes);
}

bool unmap(void* start, std::size_t bytes) noexcept {
  const KeepErrno keep;
  return bytes == 0 || munmap(start, bytes) == 0;
}

// Kernels before 4.17 do not know MAP_FIXED_NOREPLACE and take the address for a wish.
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
  return try_call(Call::kPurge,
                  [=]() noexcept { return madvise(start, bytes, MADV_DONTNEED) == 0; });
}

bool may_purge() noexcept { return !is_refused(Call::kPurge); }

// Several mappings are not tried: some may have moved when the kernel refuses (Linux 6.17). The
// kernel unmaps the target first, and may refuse then. It leaves a hole, which another thread's
// mmap may be given at once. So the hole is filled only if it still is one; a
// target that is mapped may be ours as it was, or somebody else's.
Moved move_pages(void* start, std::size_t bytes, void* to) noexcept {
  const KeepErrno keep;
  constexpr int kFlags = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
  if (is_refused(Call::kMovePages) || !in_one_mapping(start, bytes)) return Moved::kNo;
  const bool moved = try_call(Call::kMovePages, [=]() noexcept {
    return mremap(start, bytes, bytes, kFlags, to) != MAP_FAILED;
  });
  if (moved) return Moved::kYes;
  constexpr int kReserving = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
  void* const filled = mmap(to, bytes, PROT_NONE, kReserving, -1, 0);
  if (filled == to) return Moved::kNo;
  if (filled != MAP_FAILED) munmap(filled, bytes);  // before Linux 4.17 the address is a wish
  return Moved::kLost;
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
