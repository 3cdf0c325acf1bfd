// SPDX-License-Identifier: MIT
// Writes single lines on stderr, for what cannot wait for the report. They may be written at any
// time, also in a signal handler: the line is made on the stack and leaves by write(2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pool/options/bounded_text.h"

namespace bufpool {

// Makes one line, which begins with the library's name. Text that does not fit is cut.
class Message {
 public:
  // Begins the line with the library's name.
  Message() noexcept { text("bufpool: "); }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

  // Adds words. A control character becomes a question mark, so that the words of others stay on
  // the line.
  Message& text(std::string_view words) noexcept;

  // Adds a number in decimal digits.
  Message& number(std::uint64_t value) noexcept;

  // Adds an address, as 0x and hexadecimal digits.
  Message& address(std::uintptr_t value) noexcept;

  enum class Wait : std::uint8_t {
    kForRoom,    // waits until there is room, a second at most in all the process's life
    kAsWritten,  // makes no system call but write(2), which may wait
  };

  // Ends the line and writes it. errno is kept. The thread is not cancelled, nor interrupted while
  // it waits for room. If a filter of system calls is expected, it is written as by kAsWritten.
  void say(Wait wait = Wait::kForRoom) noexcept;

 private:
  static constexpr std::size_t kMost = 480;

  char line_[kMost + 1];  // one more for the newline
  BoundedText text_{{line_, kMost}};
};

// Writes a message of these words.
inline void say(std::string_view words) noexcept { Message().text(words).say(); }

}  // namespace bufpool
