// SPDX-License-Identifier: MIT
// The way of a report out of the process: spdlog, made ready while there is time for it, without
// the heap: there may be none to be had.
#pragma once

#include <cstddef>
#include <string_view>

namespace bufpool {

class ReportLogger;

// Never destroyed: what prepare() makes is wanted up to the last instruction of the process. All
// lines come from one thread at a time.
class ExitLog {
 public:
  // Call it once, at start. Without it lines are dropped.
  void prepare() noexcept;

  // Where lines go from now on. Not closed here.
  void set_descriptor(int descriptor) noexcept;

  // Writes the line and a newline, by one write(2) where the descriptor takes it whole. Allocates
  // nothing, locks nothing, keeps errno, is no cancellation point, and raises no SIGPIPE. A line
  // of more than kLongestLine bytes is cut. A descriptor that fails, or takes nothing for a
  // second, gets no further lines: a report must not hold up an exit.
  void write_line(std::string_view line) noexcept;

 private:
  static constexpr std::size_t kLoggerBytes = 384;

  ReportLogger* logger_ = nullptr;  // in memory_
  alignas(16) std::byte memory_[kLoggerBytes] = {};
};

}  // namespace bufpool
