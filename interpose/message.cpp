// SPDX-License-Identifier: MIT
#include "interpose/message.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <tuple>

#include "report/outlet.h"
#include "report/unnoticed.h"

namespace bufpool {
namespace {

// What is left of the process's patience, so that a reader who never reads holds up one line and
// not each.
constinit std::atomic<int> patience_ms{1000};

// Within what a pipe takes as soon as poll(2) says so.
constexpr std::uint16_t kPiece = 512;

bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }

}  // namespace

Message& Message::text(std::string_view words) noexcept {
  const std::size_t room = std::min(words.size(), kMost - length_);
  std::replace_copy_if(words.begin(), words.begin() + room, line_ + length_, is_control, '?');
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

// Nothing can be done where stderr is gone.
void Message::say(Wait wait) noexcept {
  Unnoticed unnoticed;
  line_[length_++] = '\n';
  const int patience = patience_ms.load(std::memory_order_relaxed);
  const Deadline deadline = Deadline::in(patience);
  const auto kind = wait == Wait::kForRoom ? Way::Kind::kPolled : Way::Kind::kPlain;
  std::ignore = write_within({STDERR_FILENO, kind, kPiece}, {line_, length_}, deadline, unnoticed);
  patience_ms.store(std::min(patience, deadline.left()), std::memory_order_relaxed);
}

}  // namespace bufpool
