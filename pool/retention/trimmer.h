// SPDX-License-Identifier: MIT
// Carries out the retention rules. A thread does so that starts by itself once there is enough idle
// memory to be worth one, and that leaves when there is none. Without the thread the slow paths of
// the program's own calls do so. A process that goes idle makes no such call, so that it needs the
// thread. A child that ran no fork handlers has none: libc's locks and lists of threads may be as a
// thread of the parent left them, so that no thread can be started. Its calls do the work.
#pragma once

#include <atomic>
#include <cstdint>

#include "pool/options/options.h"
#include "pool/platform/pressure.h"
#include "pool/platform/threads.h"
#include "pool/retention/retention.h"
#include "pool/sync/process_mark.h"
#include "pool/telemetry/snapshot.h"

namespace bufpool {

// Owns the thread. Any thread may call the functions unless they say otherwise. A signal handler
// may call after_slow_path() alone.
class Trimmer {
 public:
  // After a refusal a thread is tried again after policy::kThreadAgainMs.
  using State = TrimmerState;

  // Connects the parts. Pre: it is called once; `retention` outlives this.
  void open(const Options& options, Retention* retention) noexcept;

  // Starts the thread or does its work, if that is due. A slow path calls it at its end, under no
  // lock, with the bytes that it moved. They may be idle, and are in no figure yet. `caller` is
  // where the program called the library from. The thread is started from there only if that is
  // neither libc nor the loader, which may hold locks that a start needs. A start waits for libc's
  // own locks of threads. So a signal handler that interrupted pthread_create would wait for ever
  // if this call of all calls were the one that starts the thread.
  void after_slow_path(std::uint64_t bytes, const void* caller) noexcept;

  // Lets the thread be started from now on, as libc and the loader are ready. If BUFPOOL_TRIMMER is
  // not `auto`, all that takes system calls of other kinds is done now: a program that forbids
  // itself some later on has it behind itself. Pre: called once; this thread may create threads.
  void at_start() noexcept;

  // Has the thread call `task` after each of its passes, four times a second or so, and keeps the
  // thread for it. `task` may neither wait nor allocate, and knows none of the program's
  // descriptors: where the system lets the thread have none of its own, `task` is not called. A
  // forked child has a thread for it once its own slow paths start one. Pre: called once, after
  // at_start(), by the same thread.
  using Work = void (*)() noexcept;
  void keep_for(Work task) noexcept;

  // Ends the thread, and starts none any more in this process. It waits for the end, for
  // policy::kThreadPatienceMs at most. It is for the end of the program's main thread: libc ends a
  // process with its last thread, which runs what the program registered for the exit. This thread
  // must not be that one, as it has none of the program's descriptors. Idle memory over the budget
  // goes back in slow paths from then on.
  void leave_for_good() noexcept;

  // Ends the thread in the same way, and starts none up to come_back(). It is for a system call
  // that only a process of one thread may make. Returns false if there is no thread and was none.
  [[nodiscard]] bool step_aside() noexcept;

  // Lets a thread be started again after step_aside().
  void come_back() noexcept { aside_.store(false); }

  // Lets the thread call `call(argument)` after each pass. Pre: called once, before any get.
  void call_after_passes(void (*call)(void*), void* argument) noexcept {
    after_pass_ = call;
    argument_ = argument;
  }

  // Has the thread make a pass soon: the one that runs, or one that a slow path starts for it.
  // Returns false if there is none and can be none. A slow path calls it.
  [[nodiscard]] bool ask_for_pass() noexcept;

  // Returns whether the thread has descriptors of its own. Pre: this is the thread.
  [[nodiscard]] bool has_own_descriptors() const noexcept { return has_own_descriptors_; }

  // Forgets the thread in a forked child. The thread is the parent's, and so is all that it had
  // open.
  void forget_in_child() noexcept;

  // Returns what there is of the thread now.
  State state() const noexcept { return state_.load(std::memory_order_relaxed); }

 private:
  bool is_to_stay() const noexcept { return choice_ == TrimmerChoice::kOn || task_ != nullptr; }
  bool has_task_to_do() const noexcept;
  bool may_start(const void* caller) const noexcept;
  bool lacks_thread() const noexcept;
  bool runs_here() noexcept;
  void take_over_copy() noexcept;
  bool start() noexcept;
  bool start_first(State seen) noexcept;
  void refuse() noexcept;
  static void* run(void* self);
  void work() noexcept;
  void pass_until_quiet(platform::PressureWatch& pressure,
                        platform::MainThreadWatch& main) noexcept;
  bool resume() noexcept;
  bool is_over(platform::MainThreadWatch& watch) noexcept;
  bool is_to_leave() const noexcept { return left_for_good_.load() || aside_.load(); }
  bool has_left() noexcept;
  void wait_until_left() noexcept;

  Retention* retention_ = nullptr;
  void (*after_pass_)(void*) = nullptr;
  void* argument_ = nullptr;
  TrimmerChoice choice_ = TrimmerChoice::kAuto;
  bool watch_pressure_ = false;
  Work task_ = nullptr;
  bool has_own_descriptors_ = false;  // the thread has none of the program's; only it uses this
  std::atomic<State> state_{State::kNone};
  std::atomic<bool> starting_{false};  // a thread is in start_first()
  ProcessMark mark_;                   // is set before the state is kStarting
  std::atomic<bool> left_for_good_{false};
  std::atomic<bool> aside_{false};
  std::atomic<bool> asked_{false};            // ask_for_pass() waits for a thread to start
  std::atomic<std::uint32_t> thread_{0};      // the number of the thread in kRunning
  std::atomic<std::uint32_t> refused_ms_{0};  // when the thread was refused, in kRefused
  std::atomic<std::uint64_t> moved_{0};
  std::uint64_t threshold_ = 0;
};

}  // namespace bufpool
