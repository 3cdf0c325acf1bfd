// SPDX-License-Identifier: MIT
#include "pool/trimmer.h"

#include "pool/platform.h"

namespace bufpool {

void Trimmer::open(const Options& options, Retention* retention) noexcept {
  retention_ = retention;
  choice_ = static_cast<TrimmerChoice>(options.trimmer);
  watch_pressure_ = options.pressure;
  process_ = platform::process_id();
}

void Trimmer::start_if_wanted() noexcept {
  if (choice_ == TrimmerChoice::kOn) start();
}

void Trimmer::after_slow_path(std::uint64_t more_idle, const void* caller) noexcept {
  if (state_.load(std::memory_order_relaxed) == State::kRunning) return;
  const std::uint32_t events = events_.fetch_add(1, std::memory_order_relaxed);
  if (events % kEventsPerLook != 0 && more_idle < kLargeBlock) return;
  if (retention_->idle_bytes() + more_idle < kThreshold) return;
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
  if (watch_pressure_) pressure_.open();
  std::uint32_t quiet = 0;
  while (quiet < kQuietPasses || choice_ == TrimmerChoice::kOn) {
    if (pressure_.wait(Retention::kPassMs)) retention_->relieve_pressure();
    quiet = retention_->pass() < kLittle ? quiet + 1 : 0;
  }
  pressure_.close();
  state_.store(State::kNone, std::memory_order_release);
}

void Trimmer::forget_in_child() noexcept {
  process_ = platform::process_id();
  state_.store(State::kNone, std::memory_order_relaxed);
  pressure_.close();
}

}  // namespace bufpool
