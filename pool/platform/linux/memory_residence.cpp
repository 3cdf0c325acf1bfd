// SPDX-License-Identifier: MIT
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "pool/platform/linux/file.h"
#include "pool/platform/linux/keep_errno.h"
#include "pool/platform/memory_limits.h"
#include "pool/platform/platform.h"

namespace bufpool::platform {
namespace {

constinit int filters_at_start = kNotTold;

// Finds "Seccomp:" (0: no filters, 2: filters) and "Seccomp_filters:" (how many; since Linux 5.9)
// in the pieces that it is fed: a line in front of them is as long as the list of the user's
// groups.
class FilterCounter {
 public:
  void feed(std::string_view piece) noexcept {
    for (const char c : piece) {
      if (c == '\n') {
        end_line();
      } else if (length_ < sizeof line_) {
        line_[length_++] = c;
      }
    }
  }

  [[nodiscard]] int filters() const noexcept {
    constexpr int kFiltered = 2;
    if (mode_ == 0) return 0;
    return mode_ == kFiltered ? filters_ : kNotTold;
  }

 private:
  void end_line() noexcept {
    const std::string_view line(line_, length_);
    if (line.starts_with("Seccomp:")) mode_ = number_in(line);
    if (line.starts_with("Seccomp_filters:")) filters_ = number_in(line);
    length_ = 0;
  }

  static int number_in(std::string_view line) noexcept {
    int number = 0;
    for (const char c : line) {
      if ('0' <= c && c <= '9') number = number * 10 + (c - '0');
    }
    return number;
  }

  char line_[32];
  std::size_t length_ = 0;
  int mode_ = kNotTold;
  int filters_ = kNotTold;
};

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

int call_filters(const char* status) noexcept {
  const KeepErrno keep;
  ReadOnlyFile file(status);
  if (!file.is_open()) return kNotTold;
  FilterCounter counter;
  char piece[512];
  for (std::size_t got; (got = file.read(piece)) > 0;) counter.feed({piece, got});
  return counter.filters();
}

void remember_filters() noexcept { filters_at_start = call_filters(); }

SafeCalls safe_calls(const char* status) noexcept {
  const int filters = call_filters(status);
  if (filters == 0) return SafeCalls::kAny;
  const bool as_at_start = filters != kNotTold && filters == filters_at_start;
  return as_at_start ? SafeCalls::kLoaders : SafeCalls::kFew;
}

// The loader reads programs by pread64, and nobody calls mincore but for what it tells.
bool see_resident(std::uintptr_t start, std::size_t pages, unsigned char* resident,
                  SafeCalls safe) noexcept {
  const KeepErrno keep;
  if (safe != SafeCalls::kAny) return read_page_map(start, pages, resident);
  return mincore(reinterpret_cast<void*>(start), pages * kPageBytes, resident) == 0;
}

}  // namespace bufpool::platform
