// SPDX-License-Identifier: MIT
#include "pool/platform/pressure.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdint>
#include <string_view>
#include <utility>

#include "pool/platform/clock.h"
#include "pool/platform/linux/files.h"
#include "pool/platform/linux/system_calls.h"

namespace bufpool::platform {
namespace {

// The trigger fires after 0.2 s of waiting in 2 s. A process without privileges may ask for windows
// of whole 2 s only.
constexpr char kTriggerRule[] = "some 200000 2000000";
constexpr std::uint64_t kTriggerUs = 200'000;
constexpr std::uint64_t kPressurePercent = 10;
constexpr std::uint64_t kLeastPollingMs = 1000;

// Returns the microseconds in which a task waited for memory since the start, or kUnknown where it
// is not told.
std::uint64_t stalled_in(const char* path) noexcept {
  constexpr std::string_view kTotal = " total=";
  char buffer[256];
  std::string_view text = beginning_of(path, buffer);
  text = text.substr(0, text.find('\n'));
  const std::size_t found = text.find(kTotal);
  if (!text.starts_with("some ") || found == std::string_view::npos) return kUnknown;
  return leading_number(text.substr(found + kTotal.size())).value;
}

// Does the same for the file that a trigger is set on. It is opened once more: a second read of one
// descriptor would begin where the first ended, and a filter need not know another call.
std::uint64_t stalled_at(int trigger) noexcept {
  char number[16] = {};
  std::to_chars(number, number + sizeof number - 1, trigger);
  return stalled_in(Path({"/proc/thread-self/fd/", number}).c_str());
}

// Hands `take` the files that tell of pressure, the nearest first, until it returns true. The
// machine's file counts the waits of this group and those of all others.
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

// Sleeps where poll() is refused. A filter hardly ever refuses a futex, as threads are made of
// them. Returns false if it does.
bool sleep_on_futex(std::uint32_t milliseconds) noexcept {
  const std::uint32_t word = 0;
  const timespec time{milliseconds / 1000, milliseconds % 1000 * 1'000'000L};
  const long woken = syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, word, &time, nullptr, 0);
  return woken == 0 || errno == ETIMEDOUT || errno == EINTR;
}

// Does what poll() does without libc, in front of which a library may stand that stretches the time
// (libfaketime).
int wait_for(pollfd& asked, nfds_t count, int milliseconds) noexcept {
#if defined(SYS_poll)
  return static_cast<int>(syscall(SYS_poll, &asked, count, milliseconds));
#else
  timespec time{milliseconds / 1000, milliseconds % 1000 * 1'000'000L};
  return static_cast<int>(syscall(SYS_ppoll, &asked, count, &time, nullptr, 0));
#endif
}

}  // namespace

PressureWatch::Mode PressureWatch::open(const char* root) noexcept {
  const KeepErrno keep;
  close();
  root_ = root;
  if (take_pressure_file(root, [this](const char* path) noexcept { return open_trigger(path); })) {
    mode_ = Mode::kTrigger;
  } else if (stalled_us_ = stalled_now(root); stalled_us_ != kUnknown) {
    mode_ = Mode::kPolling;
    asked_ms_ = coarse_milliseconds();
  }
  return mode_;
}

bool PressureWatch::open_trigger(const char* path) noexcept {
  Descriptor file(open_file(path, O_RDWR));
  if (!file.is_open()) return false;
  // The kernel puts its end over the last byte it is given.
  if (syscall(SYS_write, file.number(), kTriggerRule, sizeof kTriggerRule) <= 0) return false;
  trigger_ = file.release();
  stalled_us_ = stalled_at(trigger_);
  return true;
}

bool PressureWatch::wait(std::uint32_t milliseconds) noexcept {
  const KeepErrno keep;
  pollfd asked{trigger_, POLLPRI, 0};
  const nfds_t count = mode_ == Mode::kTrigger ? 1 : 0;  // with none it is a sleep
  const auto most = static_cast<int>(std::min<std::uint32_t>(milliseconds, INT_MAX));
  const int ready = wait_for(asked, count, most);
  // Errors come at once. The trigger has one when its group is removed. poll() has one when a
  // program that locks itself in has set RLIMIT_NOFILE to 0. To ask again would be to spin.
  const bool refused = ready < 0 && errno != EINTR;
  if (refused && count == 0) can_sleep_ = sleep_on_futex(milliseconds);
  if (count != 0 && (refused || (asked.revents & ~POLLPRI) != 0)) close();
  if (mode_ == Mode::kPolling) return stalls_grew();
  return asked.revents == POLLPRI && fired_for_new_stalls();
}

// Some kernels count into a new trigger's first window what tasks waited long before. So the
// trigger is believed if there is as much since it was set, or since it fired last, or if the file
// does not tell.
bool PressureWatch::fired_for_new_stalls() noexcept {
  const std::uint64_t stalled = stalled_at(trigger_);
  const std::uint64_t before = std::exchange(stalled_us_, stalled);
  return stalled == kUnknown || before == kUnknown || stalled - before >= kTriggerUs;
}

bool PressureWatch::stalls_grew() noexcept {
  const std::uint64_t now_ms = coarse_milliseconds();
  const std::uint64_t passed_ms = now_ms - asked_ms_;
  if (passed_ms < kLeastPollingMs) return false;
  const std::uint64_t stalled = stalled_now(root_);
  if (stalled == kUnknown) mode_ = Mode::kNone;
  const std::uint64_t before = stalled_us_;
  asked_ms_ = now_ms;
  stalled_us_ = stalled;
  if (stalled == kUnknown || stalled < before) return false;  // another group may have less
  return (stalled - before) * 100 >= passed_ms * 1000 * kPressurePercent;
}

void PressureWatch::close() noexcept {
  const KeepErrno keep;
  const Descriptor closed(std::exchange(trigger_, -1));
  mode_ = Mode::kNone;
}

}  // namespace bufpool::platform
