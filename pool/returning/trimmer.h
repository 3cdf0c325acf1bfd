// SPDX-License-Identifier: MIT
// Carries out the retention rules: by a thread that starts by itself once there is enough idle
// memory to be worth one, and leaves when there is none; else in the slow paths of the program's
// own calls. A process that goes idle makes no such call, so that it needs the thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "pool/options/options.h"
#include "pool/platform/memory_limits.h"
#include "pool/returning/retention.h"

namespace bufpool {

class Trimmer {
 public:
  // After a refusal a thread is tried again after a while.
  enum class State : std::uint32_t { kNone, kStarting, kRunning, kRefused };
  static constexpr std::uint32_t kTryAgainMs = 2000;

  // Fewer idle bytes never start the thread.
  static constexpr std::uint64_t kThreshold = std::uint64_t{8} << 20;

  // Pre: called once; `retention` outlives this.
  void open(const Options& options, Retention* retention) noexcept;

  // To be called at the end of a slow path, under no lock, with the bytes it moved, which may be
  // idle beside what is known to be. `caller`: where the program called us from; the thread is
  // started from there only if that is neither libc nor the loader, which may hold locks that a
  // start needs.
  void after_slow_path(std::uint64_t bytes, const void* caller) noexcept;

  // Once libc and the loader are ready; before, no thread is started. Where BUFPOOL_TRIMMER says
  // what is wanted, all that takes system calls of other kinds is done now: a program that forbids
  // itself some later on has it behind itself. Pre: this thread may create threads.
  void at_start() noexcept;

  // Ends the thread, and starts none any more in this process. Waits for its end, for a second at
  // most. For the end of the program's main thread: libc ends a process with its last thread, in
  // which what the program registered for the exit runs, and this thread must not be that one: it
  // has none of the program's descriptors. What is idle over the budget goes back in slow paths.
  void leave_for_good() noexcept;

  // Ends the thread in the same way, and starts none up to come_back(). For a system call that only
  // a process of one thread may make. False: there is no thread, and was none.
  [[nodiscard]] bool step_aside() noexcept;
  void come_back() noexcept { aside_.store(false); }

  // Calls `call(argument)` in the thread after each pass. Pre: called once, before any get.
  void call_after_passes(void (*call)(void*), void* argument) noexcept {
    after_pass_ = call;
    argument_ = argument;
  }

  // The thread is the parent's, and so is all it had open.
  void forget_in_child() noexcept;

  State state() const noexcept { return state_.load(std::memory_order_relaxed); }

 private:
  // How often the idle bytes are summed up: after so many bytes or slow paths.
  static constexpr std::uint64_t kBytesPerLook = std::uint64_t{4} << 20;
  static constexpr std::uint64_t kEventsPerLook = 32;
  // Passes in a row with less than kLittle idle, after which the thread leaves.
  static constexpr std::uint32_t kQuietPasses = 8;
  static constexpr std::uint64_t kLittle = std::uint64_t{256} << 10;

  bool may_start(const void* caller) const noexcept;
  bool lacks_thread() const noexcept;
  bool start() noexcept;
  void refuse() noexcept;
  static void* run(void* self);
  void work() noexcept;
  void pass_until_quiet(platform::PressureWatch& pressure) noexcept;
  bool resume() noexcept;
  bool is_over() noexcept;
  bool is_to_leave() const noexcept { return left_for_good_.load() || aside_.load(); }
  bool has_left() const noexcept;
  void wait_until_left() const noexcept;

  Retention* retention_ = nullptr;
  void (*after_pass_)(void*) = nullptr;
  void* argument_ = nullptr;
  TrimmerChoice choice_ = TrimmerChoice::kAuto;
  bool watch_pressure_ = false;
  std::atomic<State> state_{State::kNone};
  std::atomic<bool> left_for_good_{false};
  std::atomic<bool> aside_{false};
  std::atomic<std::uint32_t> thread_{0};      // of kRunning, as the kernel numbers it
  std::atomic<std::uint32_t> refused_ms_{0};  // when, in kRefused
  std::atomic<std::uint64_t> moved_{0};
  std::uint64_t threshold_ = 0;
};

}  // namespace bufpool
