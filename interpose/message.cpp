// SPDX-License-Identifier: MIT
#include "interpose/message.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace bufpool {

Message& Message::text(std::string_view words) noexcept {
  const std::size_t room = std::min(words.size(), kMost - length_);
  std::memcpy(line_ + length_, words.data(), room);
  length_ += room;
  return *this;
}

Message& Message::number(std::uint64_t value) noexcept {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  return text({digits, static_cast<std::size_t>(end - digits)});
}

Message& Message::address(std::uintptr_t value) noexcept {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, 16).ptr;
  return text("0x").text({digits, static_cast<std::size_t>(end - digits)});
}

void Message::say() noexcept {
  const int kept = errno;
  line_[length_++] = '\n';
  // Nothing can be done where stderr is gone.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line_, length_);
  errno = kept;
}

}  // namespace bufpool
