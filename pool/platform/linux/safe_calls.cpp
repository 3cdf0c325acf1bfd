// SPDX-License-Identifier: MIT
#include "pool/platform/safe_calls.h"

#include <atomic>
#include <cstddef>
#include <string_view>

#include "pool/platform/linux/files.h"
#include "pool/platform/linux/system_calls.h"

namespace bufpool::platform {
namespace {

constinit int filters_at_start = kNotTold;
constinit std::atomic<bool> filter_is_expected{false};

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

void expect_filter() noexcept { filter_is_expected.store(true, std::memory_order_relaxed); }

bool expects_filter() noexcept { return filter_is_expected.load(std::memory_order_relaxed); }

}  // namespace bufpool::platform
