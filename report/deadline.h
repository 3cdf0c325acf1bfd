// SPDX-License-Identifier: MIT
// Bounds the time that a text may take on its way out of the process.
#pragma once

#include <cstdint>

namespace bufpool {

// Holds two points of time on the kernel's monotonic clock: one for the first byte of a text and
// one for the last. A reader that takes nothing at all is given less time than a slow one. Every
// function may be called in a signal handler.
class Deadline {
 public:
  // Returns a deadline that is `whole` milliseconds away for the last byte and `begin` milliseconds
  // for the first. Without `begin` both are the same.
  [[nodiscard]] static Deadline in(int whole, int begin) noexcept {
    return {now() + whole, now() + begin};
  }
  [[nodiscard]] static Deadline in(int whole) noexcept { return in(whole, whole); }

  // Return the milliseconds that are left for the last byte, and for the first one; 0 once the time
  // has passed.
  [[nodiscard]] int left() const noexcept { return until(whole_); }
  [[nodiscard]] int left_to_begin() const noexcept { return until(begin_); }

 private:
  Deadline(std::int64_t whole, std::int64_t begin) noexcept : whole_(whole), begin_(begin) {}
  [[nodiscard]] static std::int64_t now() noexcept;
  [[nodiscard]] static int until(std::int64_t time) noexcept;

  std::int64_t whole_;
  std::int64_t begin_;
};

}  // namespace bufpool
