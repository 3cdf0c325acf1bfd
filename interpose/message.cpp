// SPDX-License-Identifier: MIT
#include "interpose/message.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <tuple>

#include "interpose/confinement.h"
#include "report/outlet.h"
#include "report/unnoticed.h"

namespace bufpool {
namespace {

// The rest of the process's patience. A reader who never reads holds up one line and not each.
constinit std::atomic<int> patience_ms{1000};

// Within what a pipe takes as soon as poll(2) says so.
constexpr std::uint16_t kPiece = 512;

// libc's write is a cancellation point.
void write_plainly(std::string_view text) noexcept {
  const int kept = errno;
  while (!text.empty()) {
    const long written = syscall(SYS_write, STDERR_FILENO, text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (written == 0 || errno != EINTR) {
      break;
    }
  }
  errno = kept;
}

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
  line_[length_++] = '\n';
  if (wait == Wait::kAsWritten || may_have_locked_itself_in()) {
    return write_plainly({line_, length_});
  }
  Unnoticed unnoticed;
  const int patience = patience_ms.load(std::memory_order_relaxed);
  const Deadline deadline = Deadline::in(patience);
  const Way way{STDERR_FILENO, Way::Kind::kPolled, kPiece};
  std::ignore = write_within(way, {line_, length_}, deadline, unnoticed);
  patience_ms.store(std::min(patience, deadline.left()), std::memory_order_relaxed);
}

}  // namespace bufpool
