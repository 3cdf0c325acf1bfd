// SPDX-License-Identifier: MIT
#include "pool/trimmer.h"

#include <algorithm>

#include "pool/platform.h"

namespace bufpool {

void Trimmer::open(const Options& options, Retention* retention) noexcept {
  retention_ = retention;
  choice_ = static_cast<TrimmerChoice>(options.trimmer);
  watch_pressure_ = options.pressure;
  threshold_ = kThreshold;
  // Who wants less kept than is worth a thread gets one sooner.
  for (const std::uint64_t most : {options.retain_max.bytes, options.retain_class_max}) {
    if (most != 0) threshold_ = std::min(threshold_, std::max(most, kLittle));
  }
  process_ = platform::process_id();
}

void Trimmer::start_if_wanted() noexcept {
  if (choice_ == TrimmerChoice::kOn) start();
}

void Trimmer::after_slow_path(std::uint64_t bytes, const void* caller) noexcept {
  if (state_.load(std::memory_order_relaxed) == State::kRunning) return;
  const std::uint64_t weight = std::max(bytes, kBytesPerLook / kEventsPerLook);
  const std::uint64_t moved = moved_.fetch_add(weight, std::memory_order_relaxed);
  if (moved / kBytesPerLook == (moved + weight) / kBytesPerLook) return;
  if (retention_->idle_bytes() + bytes < threshold_) return;
  if (choice_ != TrimmerChoice::kOff && platform::may_start_thread_from(caller) && start()) return;
  retention_->pass_if_due();
}

// A vfork child shares all this with its parent, but not the pid.
bool Trimmer::start() noexcept {
  State none = State::kNone;
  if (platform::process_id() != process_) return false;
  if (!state_.compare_exchange_strong(none, State::kStarting)) return none == State::kRunning;
  const bool started = platform::start_thread(run, this);
  // The thread may have done its work and left already.
  State starting = State::kStarting;
  state_.compare_exchange_strong(starting, started ? State::kRunning : State::kRefused);
  return started;
}

void* Trimmer::run(void* self) {
  static_cast<Trimmer*>(self)->work();
  return nullptr;
}

void Trimmer::work() noexcept {
  platform::name_thread("bufpool-trim");
  State starting = State::kStarting;
  state_.compare_exchange_strong(starting, State::kRunning);
  // On this stack: the next thread may be started before this one is done.
  platform::PressureWatch pressure;
  if (platform::leave_descriptors() && watch_pressure_) pressure.open();
  do {
    pass_until_quiet(pressure);
    state_.store(State::kNone);
    // What was freed since the last pass found a thread at work, and left it to it.
  } while (retention_->idle_bytes() >= threshold_ && resume());
  pressure.close();
}

void Trimmer::pass_until_quiet(platform::PressureWatch& pressure) noexcept {
  std::uint32_t quiet = 0;
  while (quiet < kQuietPasses || choice_ == TrimmerChoice::kOn) {
    if (pressure.wait(Retention::kPassMs)) retention_->relieve_pressure();
    quiet = retention_->pass() < kLittle ? quiet + 1 : 0;
  }
}

bool Trimmer::resume() noexcept {
  State none = State::kNone;
  return state_.compare_exchange_strong(none, State::kRunning);
}

void Trimmer::forget_in_child() noexcept {
  process_ = platform::process_id();
  state_.store(State::kNone, std::memory_order_relaxed);
}

}  // namespace bufpool
