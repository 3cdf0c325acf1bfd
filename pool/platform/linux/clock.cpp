// SPDX-License-Identifier: MIT
// Reads the clock of all time-outs. The clock_gettime of another preloaded library may stand before
// libc's, and its time may stand still (libfaketime). By that clock nothing that is idle would ever
// grow old. So the kernel's own is called, in the library that it maps into every process (the
// vDSO).
#include "pool/platform/clock.h"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "pool/platform/linux/system_calls.h"
#include "pool/platform/safe_calls.h"

namespace bufpool::platform {
namespace {

using ReadClock = int (*)(clockid_t, timespec*);

// Reads a library as the kernel mapped it. Its addresses are as in its file.
class MappedLibrary {
 public:
  explicit MappedLibrary(std::uintptr_t start) noexcept {
    const auto& header = *reinterpret_cast<const ElfW(Ehdr)*>(start);
    const auto* parts = reinterpret_cast<const ElfW(Phdr)*>(start + header.e_phoff);
    const auto* end = parts + header.e_phnum;
    const auto is = [](ElfW(Word) type) {
      return [type](const ElfW(Phdr) & part) { return part.p_type == type; };
    };
    const auto* loaded = std::find_if(parts, end, is(PT_LOAD));
    const auto* dynamic = std::find_if(parts, end, is(PT_DYNAMIC));
    if (loaded == end || dynamic == end) return;
    offset_ = start + loaded->p_offset - loaded->p_vaddr;
    dynamic_ = at<ElfW(Dyn)>(dynamic->p_vaddr);
  }

  // Returns the function of that name, or nullptr if there is none.
  void* function(const char* name) const noexcept {
    const auto* symbols = table<ElfW(Sym)>(DT_SYMTAB);
    const char* names = table<char>(DT_STRTAB);
    if (symbols == nullptr || names == nullptr) return nullptr;
    for (std::uint32_t i = 0, count = symbol_count(); i < count; ++i) {
      const ElfW(Sym)& symbol = symbols[i];
      if (symbol.st_shndx == SHN_UNDEF || (symbol.st_info & 0xf) != STT_FUNC) continue;
      if (std::strcmp(names + symbol.st_name, name) == 0) return at<char>(symbol.st_value);
    }
    return nullptr;
  }

 private:
  template <typename T>
  T* at(std::uintptr_t address) const noexcept {
    return reinterpret_cast<T*>(offset_ + address);
  }

  // Returns a table of the library, or nullptr if it has no such table.
  template <typename T>
  const T* table(ElfW(Sxword) tag) const noexcept {
    for (const auto* entry = dynamic_; entry != nullptr && entry->d_tag != DT_NULL; ++entry) {
      if (entry->d_tag == tag) return at<const T>(entry->d_un.d_ptr);
    }
    return nullptr;
  }

  // Returns the number of symbols. Only the tables for the search by hash know it. A library has
  // one of the two, or both.
  std::uint32_t symbol_count() const noexcept {
    if (const auto* hash = table<std::uint32_t>(DT_HASH)) return hash[1];
    const auto* hash = table<std::uint32_t>(DT_GNU_HASH);
    if (hash == nullptr) return 0;
    const std::uint32_t first = hash[1];
    const std::uint32_t* const buckets = hash + 4 + hash[2] * (sizeof(ElfW(Addr)) / sizeof *hash);
    const std::uint32_t* const chains = buckets + hash[0];
    std::uint32_t last = *std::max_element(buckets, chains);
    if (last < first) return first;
    while ((chains[last - first] & 1) == 0) ++last;  // the last of a bucket has the bit
    return last + 1;
  }

  std::uintptr_t offset_ = 0;
  ElfW(Dyn) * dynamic_ = nullptr;
};

// Returns the kernel's function, or libc's where the kernel maps none, as under valgrind.
ReadClock find_clock() noexcept {
  const std::uintptr_t start = getauxval(AT_SYSINFO_EHDR);
  if (start == 0) return clock_gettime;
  const MappedLibrary vdso(start);
  for (const char* name : {"__vdso_clock_gettime", "__kernel_clock_gettime"}) {
    if (void* found = vdso.function(name)) return reinterpret_cast<ReadClock>(found);
  }
  return clock_gettime;
}

constinit std::atomic<ReadClock> read_clock{nullptr};

timespec time_by(clockid_t clock) noexcept {
  const KeepErrno keep;
  ReadClock read = read_clock.load(std::memory_order_relaxed);
  if (read == nullptr) read_clock.store(read = find_clock(), std::memory_order_relaxed);
  timespec now{};
  read(clock, &now);
  return now;
}

}  // namespace

std::uint64_t fine_nanoseconds() noexcept {
  // Of some machines' hardware the vDSO cannot read the time, and makes a system call. The coarse
  // clock it reads from memory.
  const timespec now = time_by(expects_filter() ? CLOCK_MONOTONIC_COARSE : CLOCK_MONOTONIC);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000000000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

std::uint64_t coarse_milliseconds() noexcept {
  const timespec now = time_by(CLOCK_MONOTONIC_COARSE);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1000000;
}

}  // namespace bufpool::platform
