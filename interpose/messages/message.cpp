// SPDX-License-Identifier: MIT
#include "interpose/messages/message.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <tuple>

#include "pool/options/policy.h"
#include "pool/platform/safe_calls.h"
#include "report/outlet.h"
#include "report/unnoticed.h"

namespace bufpool {
namespace {

// It is the rest of the process's patience. A reader that never reads holds up one line, and not
// each.
constinit std::atomic<int> patience_ms{policy::kMessagePatienceMs};

// A pipe has room for so many bytes as soon as poll(2) says that it has room.
constexpr std::uint16_t kPiece = 512;

// Writes by the system call, because libc's write is a cancellation point.
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
  for (const char c : words) text_.add(is_control(c) ? '?' : c);
  return *this;
}

Message& Message::number(std::uint64_t value) noexcept {
  text_.add(value);
  return *this;
}

Message& Message::address(std::uintptr_t value) noexcept {
  text_.add("0x");
  text_.add_hexadecimal(value);
  return *this;
}

// Nothing can be done if stderr is gone.
void Message::say(Wait wait) noexcept {
  const std::size_t length = text_.text().size();
  line_[length] = '\n';
  const std::string_view line(line_, length + 1);
  if (wait == Wait::kAsWritten || platform::expects_filter()) {
    return write_plainly(line);
  }
  Unnoticed unnoticed;
  const int patience = patience_ms.load(std::memory_order_relaxed);
  const Deadline deadline = Deadline::in(patience);
  const Way way{STDERR_FILENO, Way::Kind::kPolled, kPiece};
  std::ignore = write_within(way, line, deadline, unnoticed);
  patience_ms.store(std::min(patience, deadline.left()), std::memory_order_relaxed);
}

}  // namespace bufpool
