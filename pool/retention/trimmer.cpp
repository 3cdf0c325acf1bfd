// SPDX-License-Identifier: MIT
#include "pool/retention/trimmer.h"

#include <algorithm>

#include "pool/options/policy.h"
#include "pool/platform/clock.h"
#include "pool/platform/pressure.h"
#include "pool/platform/safe_calls.h"
#include "pool/platform/threads.h"
#include "pool/platform/waiting.h"
#include "pool/sync/moment.h"

namespace bufpool {
namespace {

// Sets a variable. It writes only what differs: in a forked child a page that is written is one to
// copy.
template <typename T>
void set(std::atomic<T>& variable, T value) noexcept {
  if (variable.load(std::memory_order_relaxed) != value) variable.store(value);
}

}  // namespace

void Trimmer::open(const Options& options, Retention* retention) noexcept {
  retention_ = retention;
  choice_ = options.trimmer;
  watch_pressure_ = options.pressure;
  threshold_ = policy::kThreadThreshold;
  // If the limits are below the thread's threshold, the threshold is lowered to them.
  for (const std::uint64_t most : {options.retain_max.bytes, options.retain_class_max}) {
    if (most != 0) threshold_ = std::min(threshold_, std::max(most, policy::kLittleIdle));
  }
}

void Trimmer::at_start() noexcept {
  platform::learn_thread_needs();
  platform::note_main_thread();
  if (choice_ == TrimmerChoice::kAuto) return;
  retention_->budget().learn_limits();
  if (choice_ == TrimmerChoice::kOn) start();
}

void Trimmer::keep_for(Work task) noexcept {
  task_ = task;
  start();
}

void Trimmer::after_slow_path(std::uint64_t bytes, const void* caller) noexcept {
  if (runs_here()) return;
  const std::uint64_t weight = std::max(bytes, policy::kBytesPerLook / policy::kEventsPerLook);
  const std::uint64_t moved = moved_.fetch_add(weight, std::memory_order_relaxed);
  if (moved / policy::kBytesPerLook == (moved + weight) / policy::kBytesPerLook) return;
  if (!has_task_to_do() && retention_->idle_bytes() + bytes < threshold_) return;
  if (may_start(caller) && start()) return;
  retention_->pass_if_due(lacks_thread());
}

// Returns whether the task is a reason to start the thread. A process that may have locked itself
// in could be killed for the start.
bool Trimmer::has_task_to_do() const noexcept {
  return (task_ != nullptr || asked_.load(std::memory_order_relaxed)) &&
         !platform::expects_filter();
}

bool Trimmer::ask_for_pass() noexcept {
  if (runs_here()) return true;
  if (choice_ == TrimmerChoice::kOff || is_to_leave() || platform::expects_filter()) return false;
  if (lacks_thread()) return false;
  asked_.store(true, std::memory_order_relaxed);
  return true;
}

// Returns whether a thread is wanted and cannot be had. BUFPOOL_TRIMMER=off is a wish for less
// work: passes over the classes are enough.
bool Trimmer::lacks_thread() const noexcept {
  if (choice_ == TrimmerChoice::kOff) return false;
  return left_for_good_.load() || state() == State::kRefused || !OwnerLock::process_is_entered();
}

// Returns whether there is a thread that does the work. A copy of the process does not have its
// parent's.
bool Trimmer::runs_here() noexcept {
  const State state = state_.load(std::memory_order_acquire);
  if (state != State::kRunning && state != State::kStarting) return false;
  if (!mark_.claim_copy()) [[likely]]
    return true;
  take_over_copy();
  return false;
}

// Does what the fork handlers would have done. Pre: mark_ told this thread alone, and the state is
// still the parent's, so that no other thread has begun a pass.
[[gnu::cold, gnu::noinline]] void Trimmer::take_over_copy() noexcept {
  retention_->repair_in_child();
  left_for_good_.store(true);
  starting_.store(false);
  state_.store(State::kNone);
}

bool Trimmer::may_start(const void* caller) const noexcept {
  if (choice_ == TrimmerChoice::kOff || is_to_leave()) return false;
  const bool lately = is_within(platform::now_ms(), refused_ms_.load(std::memory_order_relaxed),
                                policy::kThreadAgainMs);
  if (state() == State::kRefused && lately) return false;
  return platform::may_start_thread_from(caller);
}

// Starts the thread. A vfork child shares all this with its parent, and starts none. The thread
// itself says that it was started, as it may have done its work and left before that is known here.
// So its state does not tell whether the thread that started it has come back: that one may still
// be on the stack that starts are made on.
bool Trimmer::start() noexcept {
  if (!OwnerLock::process_is_entered()) return false;
  State seen = state();
  if (seen == State::kRunning || seen == State::kStarting) return true;
  if (starting_.exchange(true)) return false;
  const bool started = start_first(seen);
  starting_.store(false);
  return started;
}

// Does what start() does. Pre: no other thread of this process is in it.
bool Trimmer::start_first(State seen) noexcept {
  mark_.set();
  if (!state_.compare_exchange_strong(seen, State::kStarting)) return true;
  if (platform::start_thread(run, this)) return true;
  refuse();
  return false;
}

// Notes that there is no thread, or none for long. Pre: this thread made the state kStarting or
// kRunning.
void Trimmer::refuse() noexcept {
  refused_ms_.store(platform::now_ms(), std::memory_order_relaxed);
  state_.store(State::kRefused);
}

void* Trimmer::run(void* self) {
  static_cast<Trimmer*>(self)->work();
  return nullptr;
}

void Trimmer::work() noexcept {
  thread_.store(platform::thread_id());
  platform::name_thread("bufpool-trim");
  state_.store(State::kRunning);
  asked_.store(false, std::memory_order_relaxed);
  // The watches are on this stack, as the next thread may be started before this one is done.
  platform::PressureWatch pressure;
  platform::MainThreadWatch main;
  has_own_descriptors_ = platform::leave_descriptors();
  if (has_own_descriptors_) main.open();
  if (has_own_descriptors_ && watch_pressure_) pressure.open();
  retention_->budget().learn_limits();
  do {
    pass_until_quiet(pressure, main);
    if (!pressure.can_sleep()) return refuse();
    state_.store(State::kNone);
    // The program may have freed much since the last pass, and left it to this thread.
  } while (!is_to_leave() && retention_->idle_bytes() >= threshold_ && resume());
  pressure.close();
}

void Trimmer::pass_until_quiet(platform::PressureWatch& pressure,
                               platform::MainThreadWatch& main) noexcept {
  std::uint32_t quiet = 0;
  while (quiet < policy::kQuietPasses || is_to_stay()) {
    if (pressure.wait(policy::kPassMs)) retention_->relieve_pressure();
    if (is_over(main)) return;
    if (!pressure.can_sleep()) return;
    quiet = retention_->pass() < policy::kLittleIdle ? quiet + 1 : 0;
    if (task_ != nullptr && has_own_descriptors_) task_();
    if (after_pass_ != nullptr) after_pass_(argument_);
  }
}

// Returns whether the thread is to leave. A main thread may also end by the system call, or be
// cancelled. If this thread is the last one, the process ends with the status that the main thread
// gave: the kernel takes the last thread's. A main thread that ends by libc has this thread leave
// first, so its memory is not looked at then.
bool Trimmer::is_over(platform::MainThreadWatch& watch) noexcept {
  if (is_to_leave()) return true;
  const platform::MainThread main = watch.look();
  if (main.left_one) platform::end_thread(main.status);
  if (main.has_ended) left_for_good_.store(true);
  return main.has_ended;
}

void Trimmer::leave_for_good() noexcept {
  left_for_good_.store(true);
  wait_until_left();
}

bool Trimmer::step_aside() noexcept {
  if (!OwnerLock::process_is_entered() || has_left()) return false;
  aside_.store(true);
  wait_until_left();
  return true;
}

bool Trimmer::has_left() noexcept {
  if (runs_here()) return false;
  const std::uint32_t thread = thread_.load();
  return thread == 0 || !platform::thread_exists(thread);
}

void Trimmer::wait_until_left() noexcept {
  const std::uint32_t since = platform::now_ms();
  while (!has_left() && is_within(platform::now_ms(), since, policy::kThreadPatienceMs))
    platform::sleep_for(2);
}

bool Trimmer::resume() noexcept {
  State none = State::kNone;
  return state_.compare_exchange_strong(none, State::kRunning);
}

void Trimmer::forget_in_child() noexcept {
  platform::note_main_thread();
  set(state_, State::kNone);
  set(starting_, false);
  set(left_for_good_, false);
  set(aside_, false);
  set(asked_, false);
  set(thread_, 0U);
  set(moved_, std::uint64_t{0});
}

}  // namespace bufpool
