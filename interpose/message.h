// SPDX-License-Identifier: MIT
// Single lines on stderr: for what cannot wait for the report. Usable at any time, in a signal
// handler too: a buffer on the stack and write(2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bufpool {

class Message {
 public:
  Message() noexcept { text("bufpool: "); }

  // A control character becomes a question mark: what strangers wrote stays on the line.
  Message& text(std::string_view words) noexcept;
  Message& number(std::uint64_t value) noexcept;
  Message& address(std::uintptr_t value) noexcept;

  enum class Wait : std::uint8_t {
    kForRoom,    // waits until there is room, a second at most in all the process's life
    kAsWritten,  // makes no system call but write(2), which may wait
  };

  // Ends the line and writes it; errno is kept, and the thread not cancelled, nor interrupted while
  // it waits for room. A program that may be killed for calls has it as written.
  void say(Wait wait = Wait::kForRoom) noexcept;

 private:
  static constexpr std::size_t kMost = 480;

  char line_[kMost + 1];
  std::size_t length_ = 0;
};

inline void say(std::string_view words) noexcept { Message().text(words).say(); }

}  // namespace bufpool
