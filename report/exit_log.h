// SPDX-License-Identifier: MIT
// Writes the lines of a report by spdlog. It does so without the heap, which may be locked or
// broken when a process ends.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "report/outlet.h"
#include "report/unnoticed.h"

namespace bufpool {

class ReportLogger;

// Sends lines to one descriptor. It has no lock: the caller sees to it that one thread at a time
// uses it. A signal handler may call each function. An ExitLog is never destroyed, because lines
// may come up to the last instruction of the process.
class ExitLog {
 public:
  // Makes the logger. Call it once. Without it lines are dropped.
  void prepare() noexcept;

  // Returns whether prepare() was called.
  [[nodiscard]] bool is_prepared() const noexcept { return logger_ != nullptr; }

  // Sends the following lines to the descriptor, each line by itself. The descriptor has a second
  // to take a line, and stays the caller's.
  void set_descriptor(int descriptor) noexcept;

  // Sends the following lines by the way, each line by itself. All of them must be written up to
  // the deadline. The way's descriptor stays the caller's.
  void set_way(const Way& way, const Deadline& deadline) noexcept;

  // Keeps the following lines in `room` until write_out() or until they fill it, so that they leave
  // by one write(2). A signal that the write raises goes to `unnoticed`. Setting the way again ends
  // this. `room` and `unnoticed` must be there until then.
  void gather(std::span<char> room, Unnoticed& unnoticed) noexcept;

  // Writes the gathered lines. Returns 0, or the error of the first write that failed. The error is
  // EBADF if prepare() was not called.
  int write_out() noexcept;

  // Writes the line and a newline, by one write(2) where the descriptor takes it whole. It
  // allocates nothing, locks nothing, keeps errno, is no cancellation point, and raises no SIGPIPE.
  // A line of more than kLongestLine bytes is cut. A descriptor that failed, or that took nothing
  // up to the deadline, gets no further lines until it is set again: a report must not hold up an
  // exit.
  void write_line(std::string_view line) noexcept;

 private:
  static constexpr std::size_t kLoggerBytes = 384;

  ReportLogger* logger_ = nullptr;  // in memory_
  alignas(16) std::byte memory_[kLoggerBytes] = {};
};

}  // namespace bufpool
