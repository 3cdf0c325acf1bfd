// SPDX-License-Identifier: MIT
#include "pool/platform_memory.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <iterator>
#include <string_view>

#include "pool/platform.h"
#include "pool/platform_errno.h"
#include "pool/platform_memory_files.h"

namespace bufpool::platform {
namespace {

// 0.2 s of waiting in 2 s. Whoever has no privilege may ask for windows of whole 2 s only.
constexpr char kTriggerRule[] = "some 200000 2000000";
constexpr std::uint64_t kPressurePercent = 10;
constexpr std::uint64_t kLeastPollingMs = 1000;

// Where no socket is to be had to end a wait by.
constexpr std::uint32_t kSliceMs = 250;

// As the exit report's: above what programs choose themselves, below the usual limit of 1024.
constexpr int kLowestKept = 900;
constexpr int kAboveStdio = 3;

// Microseconds in which a task waited for memory, since the start; kUnknown where it is not told.
std::uint64_t stalled_in(const char* path) noexcept {
  constexpr std::string_view kTotal = " total=";
  char buffer[256];
  std::string_view text = beginning_of(path, buffer);
  text = text.substr(0, text.find('\n'));
  const std::size_t found = text.find(kTotal);
  if (!text.starts_with("some ") || found == std::string_view::npos) return kUnknown;
  return leading_number(text.substr(found + kTotal.size())).value;
}

// Hands `take` the files that tell of pressure, the nearest first, until it returns true. The
// machine's counts waits in our group as well, only others' with them.
template <typename Take>
bool take_pressure_file(const char* root, Take take) noexcept {
  constexpr std::string_view kFile = "/memory.pressure";
  const OwnGroup own(root, "");
  for (const std::string_view mount : kGroupMounts) {
    if (!own.path().empty() && take(Path({root, mount, own.path(), kFile}).c_str())) return true;
    if (take(Path({root, mount, kFile}).c_str())) return true;
  }
  return take(Path({root, "/proc/pressure/memory"}).c_str());
}

std::uint64_t stalled_now(const char* root) noexcept {
  std::uint64_t stalled = kUnknown;
  take_pressure_file(root, [&stalled](const char* path) noexcept {
    stalled = stalled_in(path);
    return stalled != kUnknown;
  });
  return stalled;
}

}  // namespace

bool KeptDescriptor::keep(int number) noexcept {
  const KeepErrno keep;
  int kept = fcntl(number, F_DUPFD_CLOEXEC, kLowestKept);
  if (kept < 0) kept = fcntl(number, F_DUPFD_CLOEXEC, kAboveStdio);
  ::close(number);
  struct stat file = {};
  if (kept < 0) return false;
  if (fstat(kept, &file) != 0) {
    ::close(kept);
    return false;
  }
  device_.store(file.st_dev, std::memory_order_relaxed);
  file_.store(file.st_ino, std::memory_order_relaxed);
  number_.store(kept + 1);
  return true;
}

int KeptDescriptor::number() const noexcept {
  const KeepErrno keep;
  const int number = number_.load() - 1;
  struct stat file = {};
  if (number < 0 || fstat(number, &file) != 0) return -1;
  const bool same = file.st_dev == device_.load(std::memory_order_relaxed) &&
                    file.st_ino == file_.load(std::memory_order_relaxed);
  return same ? number : -1;
}

void KeptDescriptor::close() noexcept {
  const KeepErrno keep;
  if (const int ours = number(); ours >= 0) ::close(ours);
  number_.store(0);
}

PressureWatch::Mode PressureWatch::open(const char* root) noexcept {
  const KeepErrno keep;
  close();
  root_ = root;
  Mode mode = Mode::kNone;
  if (take_pressure_file(root, [this](const char* path) noexcept { return open_trigger(path); })) {
    mode = Mode::kTrigger;
    open_wakers();
  } else if (stalled_us_ = stalled_now(root); stalled_us_ != kUnknown) {
    mode = Mode::kPolling;
    asked_ms_ = coarse_milliseconds();
  }
  mode_.store(mode, std::memory_order_relaxed);
  return mode;
}

bool PressureWatch::open_trigger(const char* path) noexcept {
  const int fd = ::open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0 || !trigger_.keep(fd)) return false;
  // The kernel puts its end over the last byte it is given.
  if (write(trigger_.number(), kTriggerRule, sizeof kTriggerRule) > 0) return true;
  trigger_.close();
  return false;
}

bool PressureWatch::open_wakers() noexcept {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) return false;
  const bool reader = wake_reader_.keep(ends[0]);
  return wake_writer_.keep(ends[1]) && reader;
}

bool PressureWatch::wait(std::uint32_t milliseconds) noexcept {
  const KeepErrno keep;
  bool pressure = false;
  if (mode() == Mode::kTrigger && trigger_.number() < 0) give_trigger_up();
  if (mode() == Mode::kTrigger) {
    pressure = wait_for_trigger(milliseconds);
  } else {
    sleep(milliseconds);
    pressure = mode() == Mode::kPolling && stalls_grew();
  }
  woken_.exchange(0);
  return pressure;
}

bool PressureWatch::wait_for_trigger(std::uint32_t milliseconds) noexcept {
  pollfd asked[] = {{trigger_.number(), POLLPRI, 0}, {wake_reader_.number(), POLLIN, 0}};
  const bool wakeable = asked[1].fd >= 0 && wake_writer_.number() >= 0;
  if (!wakeable) asked[1].fd = -1;
  int ready = 0;
  do {
    if (woken_.load() != 0) milliseconds = 0;
    const std::uint32_t slice =
        std::min<std::uint32_t>(milliseconds, wakeable ? INT_MAX : kSliceMs);
    ready = poll(asked, std::size(asked), static_cast<int>(slice));
    milliseconds -= slice;
  } while (ready == 0 && milliseconds > 0);
  char bytes[16];
  if (asked[1].revents != 0) recv(asked[1].fd, bytes, sizeof bytes, MSG_DONTWAIT);
  // Errors come at once: of the trigger when its group is removed, of poll() when a program that
  // locks itself in has set RLIMIT_NOFILE to 0. Asking again would be spinning.
  const bool refused = ready < 0 && errno != EINTR;
  if (refused || (asked[0].revents & ~POLLPRI) != 0) give_trigger_up();
  return mode() == Mode::kTrigger && asked[0].revents == POLLPRI;
}

// The wakers stay: another thread may be about to write, and the number must not be reused then.
void PressureWatch::give_trigger_up() noexcept {
  trigger_.close();
  mode_.store(Mode::kNone, std::memory_order_relaxed);
}

void PressureWatch::sleep(std::uint32_t milliseconds) noexcept {
  const timespec time{milliseconds / 1000, milliseconds % 1000 * 1000000L};
  syscall(SYS_futex, &woken_, FUTEX_WAIT_PRIVATE, 0, &time, nullptr, 0);
}

bool PressureWatch::stalls_grew() noexcept {
  const std::uint64_t now_ms = coarse_milliseconds();
  const std::uint64_t passed_ms = now_ms - asked_ms_;
  if (passed_ms < kLeastPollingMs) return false;
  const std::uint64_t stalled = stalled_now(root_);
  if (stalled == kUnknown) mode_.store(Mode::kNone, std::memory_order_relaxed);
  const std::uint64_t before = stalled_us_;
  asked_ms_ = now_ms;
  stalled_us_ = stalled;
  if (stalled == kUnknown || stalled < before) return false;  // another group may have less
  return (stalled - before) * 100 >= passed_ms * 1000 * kPressurePercent;
}

void PressureWatch::wake() noexcept {
  if (woken_.exchange(1) != 0) return;  // whoever came first has woken it
  const KeepErrno keep;
  syscall(SYS_futex, &woken_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  const int writer = wake_writer_.number();
  // send(), not write(): no signal when the other end is closed, and no harm to a file.
  if (writer >= 0) send(writer, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void PressureWatch::close() noexcept {
  trigger_.close();
  wake_reader_.close();
  wake_writer_.close();
  mode_.store(Mode::kNone, std::memory_order_relaxed);
}

}  // namespace bufpool::platform
