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
    kAsWritten,  // calls write(2) only, which may wait: a filter may kill for poll(2)
  };

  // Ends the line and writes it; errno is kept, and the thread neither cancelled nor interrupted.
  void say(Wait wait = Wait::kForRoom) noexcept;

 private:
  static constexpr std::size_t kMost = 480;

  char line_[kMost + 1];
  std::size_t length_ = 0;
};

inline void say(std::string_view words) noexcept { Message().text(words).say(); }

}  // namespace bufpool
