// SPDX-License-Identifier: MIT
#include "report/exit_log.h"

// Keeps a thread_local with a run-time initialiser, and so its guard, out of every line.
#define SPDLOG_NO_THREAD_ID
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spdlog/logger.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <new>
#include <string>
#include <type_traits>

#include "report/report.h"

namespace bufpool {
namespace {

// While it lives, writing has no effect on the program but the bytes: no SIGPIPE (which would
// replace the exit status), no thread cancelled in the middle, errno as it was.
class UnnoticedWrites {
 public:
  UnnoticedWrites() noexcept {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &old_mask_);
    was_pending_ = sigismember(&old_mask_, SIGPIPE) == 1 && is_pending();
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old_cancel_state_);
  }
  UnnoticedWrites(const UnnoticedWrites&) = delete;
  UnnoticedWrites& operator=(const UnnoticedWrites&) = delete;

  ~UnnoticedWrites() {
    if (raised_ && !was_pending_) {
      const timespec at_once{};
      sigtimedwait(&pipe_, nullptr, &at_once);
    }
    pthread_setcancelstate(old_cancel_state_, nullptr);
    pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
    errno = old_errno_;
  }

  // A write failed with EPIPE, and SIGPIPE is pending now.
  void pipe_broke() noexcept { raised_ = true; }

 private:
  // Only a signal that was blocked can be. Asked as rarely as can be: a program that has locked
  // itself in may be killed for the call.
  static bool is_pending() noexcept {
    sigset_t pending;
    sigemptyset(&pending);
    sigpending(&pending);
    return sigismember(&pending, SIGPIPE) == 1;
  }

  int old_errno_ = errno;
  int old_cancel_state_ = PTHREAD_CANCEL_ENABLE;
  bool was_pending_ = false;
  bool raised_ = false;
  sigset_t pipe_;
  sigset_t old_mask_;
};

bool becomes_writable(int descriptor) noexcept {
  constexpr int kPatienceMs = 1000;
  pollfd waited{descriptor, POLLOUT, 0};
  return poll(&waited, 1, kPatienceMs) > 0;
}

// Whether a write that failed with `error` is worth another attempt.
bool may_retry(int descriptor, int error) noexcept {
  if (error == EINTR) return true;
  return (error == EAGAIN || error == EWOULDBLOCK) && becomes_writable(descriptor);
}

// False: the descriptor does not take it.
bool write_all(int descriptor, std::string_view text) noexcept {
  UnnoticedWrites unnoticed;
  while (!text.empty()) {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    const int error = errno;
    if (error == EPIPE) unnoticed.pipe_broke();
    if (!may_retry(descriptor, error)) return false;
  }
  return true;
}

constexpr int kNoDescriptor = -1;

}  // namespace

// A logger that is its own sink. Without a mutex: the exit may interrupt the one who would hold it.
// Without a list of sinks, which is on the heap, and without spdlog's patterns: their eighty
// classes are half of what the loader would have to relocate at the start of every process.
class ReportLogger final : public spdlog::logger {
 public:
  ReportLogger() : logger("bufpool") {
    // spdlog's own handler takes a mutex and prints by stdio.
    set_error_handler([](const std::string&) {});
  }

  void set_descriptor(int descriptor) noexcept { descriptor_ = descriptor; }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (descriptor_ == kNoDescriptor) return;
    spdlog::memory_buf_t line;
    line.append(message.payload.begin(), message.payload.end());
    line.push_back('\n');
    if (!write_all(descriptor_, {line.data(), line.size()})) descriptor_ = kNoDescriptor;
  }

  void flush_() override {}

  int descriptor_ = kNoDescriptor;
};

static_assert(kLongestLine < spdlog::memory_buf_t().capacity());
static_assert(std::is_trivially_destructible_v<ExitLog>);

void ExitLog::prepare() noexcept {
  static_assert(sizeof(ReportLogger) <= kLoggerBytes && alignof(ReportLogger) <= 16);
  logger_ = new (memory_) ReportLogger;
}

void ExitLog::set_descriptor(int descriptor) noexcept {
  if (logger_ != nullptr) logger_->set_descriptor(descriptor);
}

void ExitLog::write_line(std::string_view line) noexcept {
  if (logger_ == nullptr) return;
  line = line.substr(0, kLongestLine);
  logger_->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace bufpool
