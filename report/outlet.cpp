// SPDX-License-Identifier: MIT
#include "report/outlet.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>

#include "report/fixed_text.h"

namespace bufpool {
namespace {

// A pipe that poll(2) calls writable has room for so much; a terminal for no more than this.
constexpr std::uint16_t kPipePiece = PIPE_BUF;
constexpr std::uint16_t kTerminalPiece = 256;

// The rest of the time is for the writing.
constexpr int kLeftForWriting = 300;

// A byte far behind all that anybody locks.
constexpr off_t kLockedByte = 0x7FFF'FFFF'4275'6670;

// Devices of memory, such as /dev/null: nothing is to be waited for, and nothing is shared.
constexpr unsigned kMemoryDevices = 1;
constexpr unsigned kTerminals = 4;
constexpr unsigned kConsoles = 5;
constexpr unsigned kFirstPseudoTerminals = 136;
constexpr unsigned kLastPseudoTerminals = 143;

// The side of a pseudo terminal that programs write to. To open the other side (major 5) again
// would make a new one.
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

// Errors of poll(2) are left for the write to meet.
bool has_room(int descriptor, int milliseconds) noexcept {
  pollfd waited{descriptor, POLLOUT, 0};
  return poll(&waited, 1, milliseconds) != 0;
}

// By the kernel's clock: the program's may stand still (libfaketime).
void wait_a_millisecond() noexcept {
  const timespec time{0, 1'000'000};
  syscall(SYS_nanosleep, &time, nullptr);
}

ssize_t write_once(const Way& way, std::string_view text) noexcept {
  if (way.kind == Way::Kind::kSocket) {
    return send(way.descriptor, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  const std::size_t most = way.kind == Way::Kind::kPolled ? way.piece : text.size();
  return write(way.descriptor, text.data(), std::min(text.size(), most));
}

}  // namespace

std::int64_t Deadline::now() noexcept {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

int Deadline::until(std::int64_t time) noexcept {
  return static_cast<int>(std::clamp<std::int64_t>(time - now(), 0, INT_MAX));
}

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
    // Nothing written and no error: a device that takes no more.
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
  if (shared_kind_ && error_ == 0 && calls == Calls::kAny) keep_others_out(deadline);
}

// Closing lets go of the lock, too, but not where nothing was opened.
Outlet::~Outlet() {
  if (locked_ >= 0) {
    struct flock lock {};
    lock.l_type = F_UNLCK;
    lock.l_start = kLockedByte;
    lock.l_len = 1;
    fcntl(locked_, F_SETLK, &lock);
  }
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
  if (S_ISSOCK(file.st_mode)) {
    way_.kind = Way::Kind::kSocket;
  } else {
    way_.kind = Way::Kind::kPolled;
    way_.piece = pipe ? kPipePiece : kTerminalPiece;
  }
}

// O_NONBLOCK belongs to the open file, which is shared with whoever else was given it. To open the
// file once more makes one that is not. False: not to be had, such as a terminal of another user.
bool Outlet::open_anew(std::uint64_t device, std::uint64_t inode) noexcept {
  const int flags = O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  // A thread may have a table of descriptors of its own.
  FixedText<40> path;
  path.add("/proc/thread-self/fd/{}", way_.descriptor).append({"", 1});
  opened_ = Descriptor(open(path.view().data(), flags));
  if (!opened_.is_open()) return false;
  struct stat file {};
  if (fstat(opened_.number(), &file) != 0 || file.st_dev != device || file.st_ino != inode)
    return false;
  way_.descriptor = opened_.number();
  return true;
}

// A lock of the process, which ends with it, and on the file itself: several processes share one
// open file, and so a lock of the open file. Where it cannot be had at all, go on without it. The
// tries are counted, too, so that they end where the program's clock stands still.
void Outlet::keep_others_out(const Deadline& deadline) noexcept {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_start = kLockedByte;
  lock.l_len = 1;
  int tries = deadline.left() - kLeftForWriting;  // each waits for a millisecond at least
  while (fcntl(way_.descriptor, F_SETLK, &lock) != 0) {
    if (errno != EAGAIN && errno != EACCES) return;
    if (tries-- <= 0 || deadline.left() <= kLeftForWriting) {
      error_ = ETIMEDOUT;
      return;
    }
    wait_a_millisecond();
  }
  locked_ = way_.descriptor;
}

}  // namespace bufpool
