// SPDX-License-Identifier: MIT
// The way of a report out of the process: spdlog, made ready while there is time for it, without
// the heap: there may be none to be had.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "report/outlet.h"
#include "report/unnoticed.h"

namespace bufpool {

class ReportLogger;

// Never destroyed: what prepare() makes is wanted up to the last instruction of the process. All
// lines come from one thread at a time.
class ExitLog {
 public:
  // Call it once, at start. Without it lines are dropped.
  void prepare() noexcept;
  [[nodiscard]] bool is_prepared() const noexcept { return logger_ != nullptr; }

  // Where lines go from now on, each by itself. Not closed here.
  void set_descriptor(int descriptor) noexcept;
  void set_way(const Way& way, const Deadline& deadline) noexcept;

  // From now on, and until the way is set again, lines are kept in `room` up to write_out(), so
  // that they leave by one write(2), or up to where they fill it.
  void gather(std::span<char> room, Unnoticed& unnoticed) noexcept;

  // Writes what was gathered. 0, or the error of the first write that failed.
  int write_out() noexcept;

  // Writes the line and a newline, by one write(2) where the descriptor takes it whole. Allocates
  // nothing, locks nothing, keeps errno, is no cancellation point, and raises no SIGPIPE. A line
  // of more than kLongestLine bytes is cut. A descriptor that fails, or takes nothing up to the
  // deadline (of set_descriptor(): a second), gets no further lines: a report must not hold up an
  // exit.
  void write_line(std::string_view line) noexcept;

 private:
  static constexpr std::size_t kLoggerBytes = 384;

  ReportLogger* logger_ = nullptr;  // in memory_
  alignas(16) std::byte memory_[kLoggerBytes] = {};
};

}  // namespace bufpool
