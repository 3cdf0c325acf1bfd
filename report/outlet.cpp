// SPDX-License-Identifier: MIT
#include "report/outlet.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>

#include "report/fixed_text.h"

namespace bufpool {
namespace {

// A pipe that poll(2) calls writable has room for PIPE_BUF bytes. A terminal may have room for no
// more than 256.
constexpr std::uint16_t kPipePiece = PIPE_BUF;
constexpr std::uint16_t kTerminalPiece = 256;

// The wait for other processes leaves so many milliseconds for the writing.
constexpr int kLeftForWriting = 300;

// These are the major numbers of devices. Devices of memory, such as /dev/null, make nobody wait,
// and several writers do not disturb each other there.
constexpr unsigned kMemoryDevices = 1;
constexpr unsigned kTerminals = 4;
constexpr unsigned kConsoles = 5;
constexpr unsigned kFirstPseudoTerminals = 136;
constexpr unsigned kLastPseudoTerminals = 143;

// Tells whether the file is a terminal, or the side of a pseudo terminal that programs write to.
// The other side (major 5, minor 2) does not count: opening it again would make a new pseudo
// terminal.
bool is_terminal(const struct stat& file) noexcept {
  constexpr unsigned kMaster = 2;
  const unsigned major_number = major(file.st_rdev);
  if (major_number == kConsoles) return minor(file.st_rdev) != kMaster;
  return major_number == kTerminals ||
         (kFirstPseudoTerminals <= major_number && major_number <= kLastPseudoTerminals);
}

bool is_never_full(const struct stat& file) noexcept {
  if (S_ISCHR(file.st_mode)) return major(file.st_rdev) == kMemoryDevices;
  return !S_ISFIFO(file.st_mode) && !S_ISSOCK(file.st_mode);
}

// Waits up to `milliseconds` for room. It is true for an error of poll(2) as well, which the write
// then meets.
bool has_room(int descriptor, int milliseconds) noexcept {
  pollfd waited{descriptor, POLLOUT, 0};
  return poll(&waited, 1, milliseconds) != 0;
}

// Tells whether the descriptor is open for writing. The end of a pipe that is read from never has
// room, and waiting for it would be in vain.
bool may_be_written(int descriptor) noexcept {
  const int flags = fcntl(descriptor, F_GETFL);
  return flags < 0 || (flags & O_ACCMODE) != O_RDONLY;
}

ssize_t write_once(const Way& way, std::string_view text) noexcept {
  if (way.kind == Way::Kind::kSocket) {
    return send(way.descriptor, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  const std::size_t most = way.kind == Way::Kind::kPolled ? way.piece : text.size();
  return write(way.descriptor, text.data(), std::min(text.size(), most));
}

}  // namespace

int write_within(const Way& way, std::string_view text, const Deadline& deadline,
                 Unnoticed& unnoticed) noexcept {
  bool begun = false;
  const auto left = [&] { return begun ? deadline.left() : deadline.left_to_begin(); };
  while (!text.empty()) {
    const bool polled = way.kind == Way::Kind::kPolled;
    if (polled && !has_room(way.descriptor, left())) return ETIMEDOUT;
    const ssize_t written = write_once(way, text);
    if (written > 0) {
      begun = true;
      text.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    // A device that takes no more writes nothing and reports no error.
    const int error = written == 0 ? EIO : errno;
    unnoticed.write_failed(error);
    const bool full = error == EAGAIN || error == EWOULDBLOCK;
    if (!full && error != EINTR) return error;
    if (left() == 0 || (full && !has_room(way.descriptor, left()))) return ETIMEDOUT;
  }
  return 0;
}

Outlet::Outlet(int descriptor, Use use, Calls calls, const Deadline& deadline) noexcept
    : way_{descriptor, Way::Kind::kPlain, 0} {
  choose(use, calls);
  if (!shared_kind_ || error_ != 0 || calls != Calls::kAny) return;
  error_ = others_.take(way_.descriptor, Deadline::in(deadline.left() - kLeftForWriting));
}

void Outlet::choose(Use use, Calls calls) noexcept {
  struct stat file {};
  if (fstat(way_.descriptor, &file) != 0 || is_never_full(file)) return;
  shared_kind_ = true;
  if (use == Use::kOwn) return;
  const bool pipe = S_ISFIFO(file.st_mode);
  const bool opens = pipe || (S_ISCHR(file.st_mode) && is_terminal(file));
  if (opens && use == Use::kShared) {
    if (open_anew(file.st_dev, file.st_ino)) return;
    if (pipe && !opened_.is_open() && errno == ENXIO) error_ = EPIPE;  // nobody reads it
  }
  if (error_ != 0 || calls == Calls::kFew) return;
  if (pipe && !may_be_written(way_.descriptor)) {
    error_ = EBADF;
  } else if (S_ISSOCK(file.st_mode)) {
    way_.kind = Way::Kind::kSocket;
  } else {
    way_.kind = Way::Kind::kPolled;
    way_.piece = pipe ? kPipePiece : kTerminalPiece;
  }
}

// Opens the file of the descriptor once more. O_NONBLOCK belongs to the open file, which other
// processes share; the new open file is ours alone. Returns false if the file cannot be opened,
// such as a terminal of another user.
bool Outlet::open_anew(std::uint64_t device, std::uint64_t inode) noexcept {
  const int flags = O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  // A thread may have a table of descriptors of its own.
  FixedText<40> path;
  path.add("/proc/thread-self/fd/{}{}", way_.descriptor, '\0');
  opened_ = Descriptor(open(path.view().data(), flags));
  if (!opened_.is_open()) return false;
  struct stat file {};
  if (fstat(opened_.number(), &file) != 0 || file.st_dev != device || file.st_ino != inode)
    return false;
  way_.descriptor = opened_.number();
  return true;
}

}  // namespace bufpool
