// SPDX-License-Identifier: MIT
// This is the contract for memory pressure: waiting until the system runs short of memory.
// linux/pressure.cpp implements it. No function allocates, and none changes errno.
#pragma once

#include <cstdint>

namespace bufpool::platform {

// Sleeps, and tells whether tasks of this process's control group or of the machine waited for
// memory meanwhile. One thread uses it. Pre: nobody else closes the number of the descriptor that
// it holds or uses that number again, as in a thread that has left the program's descriptors
// (leave_descriptors() of pool/platform/threads.h). It has no destructor: the descriptors of such a
// thread end with the thread.
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

  // Finds out how pressure can be watched, and returns it. `root` says where the system's files
  // are, and has to outlive the watch.
  Mode open(const char* root = "") noexcept;

  // Sleeps until the time is over or a trigger fires; it may end early. Returns whether there was
  // pressure. The mode becomes kNone if it proves impossible.
  bool wait(std::uint32_t milliseconds) noexcept;

  // Returns false if the last wait() did not sleep. The next will not either, as a filter of system
  // calls refuses it.
  [[nodiscard]] bool can_sleep() const noexcept { return can_sleep_; }

  // Closes the descriptor and sets the mode to kNone.
  void close() noexcept;

  // Returns how pressure is watched now.
  [[nodiscard]] Mode mode() const noexcept { return mode_; }

 private:
  bool open_trigger(const char* path) noexcept;
  bool stalls_grew() noexcept;
  bool fired_for_new_stalls() noexcept;

  Mode mode_ = Mode::kNone;
  bool can_sleep_ = true;
  int trigger_ = -1;
  const char* root_ = nullptr;    // set by open()
  std::uint64_t asked_ms_ = 0;    // says in kPolling when the sum was last read
  std::uint64_t stalled_us_ = 0;  // says what it was then, or when the trigger fired last
};

}  // namespace bufpool::platform
