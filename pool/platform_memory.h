// SPDX-License-Identifier: MIT
// What the system leaves this process of its memory, and when it runs short of it;
// platform_memory*_linux.cpp is the one implementation. As in pool/platform.h every function may be
// called at any time, none allocates, and none changes errno.
#pragma once

#include <atomic>
#include <cstdint>

namespace bufpool::platform {

// The least of the limits of this process's control groups, of either version and with all their
// ancestors, and of the machine's memory; bytes. 0: nothing could be read.
[[nodiscard]] std::uint64_t memory_limit() noexcept;

// The same, as the files below `root` have it. "" is the system; tests make up trees of their own.
[[nodiscard]] std::uint64_t memory_limit_under(const char* root) noexcept;

// A descriptor in a process whose program may close any number, and use it again for a file of its
// own. One thread keeps and closes; others may ask meanwhile.
class KeptDescriptor {
 public:
  // Takes `number` over and moves it out of the program's way. False: it could not be kept and is
  // closed.
  bool keep(int number) noexcept;

  // -1 where the number is not ours any more.
  [[nodiscard]] int number() const noexcept;

  // Closes it if it still is ours.
  void close() noexcept;

 private:
  std::atomic<int> number_{0};  // plus one, so that a global of all zeros holds none
  std::atomic<std::uint64_t> device_{0};
  std::atomic<std::uint64_t> file_{0};
};

// Sleeps, and tells whether tasks of this process's control group or of the machine waited for
// memory meanwhile. One thread opens, waits and closes; any may wake it. It has no destructor:
// nothing is torn down at exit.
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

  // Sleeps until the time is over, wake() was called since the last wait(), or a trigger fired;
  // may end early. True: there was pressure. Where the mode proves impossible it becomes kNone.
  bool wait(std::uint32_t milliseconds) noexcept;

  // Ends the wait(), or the next one if there is none now.
  void wake() noexcept;

  // For a forked child, whose descriptors are its parent's: closes the copies, so that it may open
  // its own. Not while another thread may be in wake().
  void close() noexcept;

  [[nodiscard]] Mode mode() const noexcept { return mode_.load(std::memory_order_relaxed); }

 private:
  bool open_trigger(const char* path) noexcept;
  bool open_wakers() noexcept;
  bool wait_for_trigger(std::uint32_t milliseconds) noexcept;
  void give_trigger_up() noexcept;
  void sleep(std::uint32_t milliseconds) noexcept;
  bool stalls_grew() noexcept;

  std::atomic<Mode> mode_{Mode::kNone};
  std::atomic<std::uint32_t> woken_{0};
  KeptDescriptor trigger_;
  // A pair of sockets. An eventfd would do, but all eventfds have one inode, so that the program's
  // could not be told from ours, and it does not end the wait of a thread when it is closed.
  KeptDescriptor wake_reader_;
  KeptDescriptor wake_writer_;
  const char* root_ = nullptr;    // set by open()
  std::uint64_t asked_ms_ = 0;    // kPolling: when the sum was last looked at,
  std::uint64_t stalled_us_ = 0;  // and what it was
};

}  // namespace bufpool::platform
