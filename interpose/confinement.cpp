// SPDX-License-Identifier: MIT
#include "interpose/confinement.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace bufpool {
namespace {

constexpr int kUnknown = -1;

constinit int filters_at_start = kUnknown;

// Finds "Seccomp:" (0: no filters) and "Seccomp_filters:" (how many; since Linux 5.9) in what it is
// fed, piece by piece: there is a line before them as long as the list of the user's groups.
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

  [[nodiscard]] int filters() const noexcept { return mode_ == 0 ? 0 : filters_; }

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
  int mode_ = kUnknown;
  int filters_ = kUnknown;
};

int count_filters() noexcept {
  const int status = open("/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
  if (status < 0) return kUnknown;
  FilterCounter counter;
  char piece[2048];
  for (ssize_t got; (got = read(status, piece, sizeof piece)) > 0;) {
    counter.feed({piece, static_cast<std::size_t>(got)});
  }
  close(status);
  return counter.filters();
}

}  // namespace

void remember_confinement() noexcept { filters_at_start = count_filters(); }

bool has_locked_itself_in() noexcept {
  const int filters = count_filters();
  return filters == kUnknown || filters != filters_at_start;
}

}  // namespace bufpool
