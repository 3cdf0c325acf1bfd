// SPDX-License-Identifier: MIT
// Tells what the system leaves this process of its memory, and when it runs short of it;
// linux/memory_*.cpp is the one implementation. As in platform.h every function may be
// called at any time, none allocates, and none changes errno.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bufpool::platform {

// The least of the limits of this process's control groups, of either version and with all their
// ancestors, and of the machine's memory; bytes. 0: nothing could be read. Files only, no call that
// tells: a program that has locked itself in may be killed for one, and is refused the other.
// `root`: where the system's files are; tests make up trees of their own.
[[nodiscard]] std::uint64_t memory_limit(const char* root = "") noexcept;

// How many filters of system calls (seccomp) are in force for this thread; kNotTold, too, where
// there are some and the kernel does not count them (before Linux 5.9). Reads the file `status` and
// makes no other call. Needs little stack: a signal handler may end the process.
inline constexpr int kNotTold = -1;
[[nodiscard]] int call_filters(const char* status = "/proc/thread-self/status") noexcept;

// Remembers under which filters the process was started. They are a container's or a service
// manager's, and made for programs as they are. Called once, at start.
void remember_filters() noexcept;

// The calls that do this thread no harm, though it never made them before.
enum class SafeCalls : std::uint8_t {
  kAny,      // there is no filter
  kLoaders,  // those that the loader made to start the program: no filter was added since
  kFew,      // a filter was added, or it is not known
};
[[nodiscard]] SafeCalls safe_calls(const char* status = "/proc/thread-self/status") noexcept;

// Sets the lowest bit of resident[i] where page i from `start` on is resident. False: the kernel
// does not tell. `safe` says how it may be asked. Pre: the pages are mapped; not SafeCalls::kFew.
[[nodiscard]] bool see_resident(std::uintptr_t start, std::size_t pages, unsigned char* resident,
                                SafeCalls safe) noexcept;

// Whether the system gives huge pages to those who ask. Files only. `root` as above.
[[nodiscard]] bool gives_huge_pages(const char* root = "") noexcept;

// Sleeps, and tells whether tasks of this process's control group or of the machine waited for
// memory meanwhile. One thread uses it, and holds the descriptor it opens. Pre: nobody else closes
// that one's number or uses it again, as in a thread that has left the program's descriptors
// (pool/platform/platform.h). It has no destructor: such a thread's descriptors end with it.
class PressureWatch {
 public:
  enum class Mode : std::uint8_t {
    kNone,     // nothing is known of pressure: wait() is a sleep
    kTrigger,  // the kernel wakes the thread
    kPolling,  // the kernel's sum of waiting times is read after each sleep
  };

  constexpr PressureWatch() noexcept = default;
  PressureWatch(const PressureWatch&) = delete;
  PressureWatch& operator=(const PressureWatch&) = delete;

  // Finds out what can be had. `root` as above; it has to outlive the watch.
  Mode open(const char* root = "") noexcept;

  // Sleeps until the time is over or a trigger fired; may end early. True: there was pressure.
  // Where the mode proves impossible it becomes kNone.
  bool wait(std::uint32_t milliseconds) noexcept;

  // False: the last wait() did not sleep, nor will the next. A filter of system calls refuses it.
  [[nodiscard]] bool can_sleep() const noexcept { return can_sleep_; }

  // Ends the mode, whichever it is.
  void close() noexcept;

  [[nodiscard]] Mode mode() const noexcept { return mode_; }

 private:
  bool open_trigger(const char* path) noexcept;
  bool stalls_grew() noexcept;

  Mode mode_ = Mode::kNone;
  bool can_sleep_ = true;
  int trigger_ = -1;
  const char* root_ = nullptr;    // set by open()
  std::uint64_t asked_ms_ = 0;    // kPolling: when the sum was last looked at,
  std::uint64_t stalled_us_ = 0;  // and what it was
};

}  // namespace bufpool::platform
