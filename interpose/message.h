// SPDX-License-Identifier: MIT
// Single lines on stderr: for what cannot wait for the report. Usable at any time, in a signal
// handler too: a buffer on the stack and one write(2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bufpool {

class Message {
 public:
  Message() noexcept { text("bufpool: "); }

  Message& text(std::string_view words) noexcept;
  Message& number(std::uint64_t value) noexcept;
  Message& address(std::uintptr_t value) noexcept;

  // Ends the line and writes it; errno is kept.
  void say() noexcept;

 private:
  static constexpr std::size_t kMost = 480;

  char line_[kMost + 1];
  std::size_t length_ = 0;
};

inline void say(std::string_view words) noexcept { Message().text(words).say(); }

}  // namespace bufpool
