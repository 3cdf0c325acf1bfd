// SPDX-License-Identifier: MIT
#include "report/exit_log.h"

// Without this every line would meet the guard of a thread_local with a run-time initialiser.
#define SPDLOG_NO_THREAD_ID
#include <spdlog/logger.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <string>
#include <type_traits>

#include "report/report.h"

namespace bufpool {
namespace {

constexpr int kPatienceMs = 1000;
constexpr Way kNowhere{-1, Way::Kind::kPlain, 0};

}  // namespace

// This logger is its own sink: it turns messages into lines, and gathers or writes them. It has no
// mutex, because the exit may interrupt the thread that holds it. It has no list of sinks, because
// that list is on the heap. It does without spdlog's patterns, because their eighty classes are
// half of what the loader would have to relocate at the start of every process.
class ReportLogger final : public spdlog::logger {
 public:
  ReportLogger() : logger("bufpool") {
    // It replaces spdlog's own handler, which takes a mutex and prints by stdio.
    set_error_handler([](const std::string&) {});
  }

  void set_way(const Way& way, const Deadline& deadline) noexcept {
    way_ = way;
    deadline_ = deadline;
    error_ = way.descriptor < 0 ? EBADF : 0;
    room_ = {};
    used_ = 0;
    unnoticed_ = nullptr;
  }

  void gather(std::span<char> room, Unnoticed& unnoticed) noexcept {
    room_ = room;
    used_ = 0;
    unnoticed_ = &unnoticed;
  }

  int write_out() noexcept {
    put(std::string_view(room_.data(), used_));
    used_ = 0;
    return error_;
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    line.append(message.payload.begin(), message.payload.end());
    line.push_back('\n');
    if (line.size() > room_.size() - used_) write_out();
    if (line.size() > room_.size()) return put({line.data(), line.size()});
    std::memcpy(room_.data() + used_, line.data(), line.size());
    used_ += line.size();
  }

  void flush_() override {}

  void put(std::string_view text) noexcept {
    if (error_ != 0 || text.empty()) return;
    if (unnoticed_ != nullptr) {
      error_ = write_within(way_, text, deadline_, *unnoticed_);
    } else {
      Unnoticed unnoticed;
      error_ = write_within(way_, text, deadline_, unnoticed);
    }
  }

  Way way_ = kNowhere;
  Deadline deadline_ = Deadline::in(0);
  int error_ = EBADF;
  std::span<char> room_;  // for lines that are not written yet; empty: each is written at once
  std::size_t used_ = 0;
  Unnoticed* unnoticed_ = nullptr;  // null: each write has one of its own
};

static_assert(kLongestLine < spdlog::memory_buf_t().capacity());
static_assert(std::is_trivially_destructible_v<ExitLog>);

void ExitLog::prepare() noexcept {
  static_assert(sizeof(ReportLogger) <= kLoggerBytes && alignof(ReportLogger) <= 16);
  logger_ = new (memory_) ReportLogger;
}

void ExitLog::set_descriptor(int descriptor) noexcept {
  set_way({descriptor, Way::Kind::kPlain, 0}, Deadline::in(kPatienceMs));
}

void ExitLog::set_way(const Way& way, const Deadline& deadline) noexcept {
  if (logger_ != nullptr) logger_->set_way(way, deadline);
}

void ExitLog::gather(std::span<char> room, Unnoticed& unnoticed) noexcept {
  if (logger_ != nullptr) logger_->gather(room, unnoticed);
}

int ExitLog::write_out() noexcept { return logger_ != nullptr ? logger_->write_out() : EBADF; }

void ExitLog::write_line(std::string_view line) noexcept {
  if (logger_ == nullptr) return;
  line = line.substr(0, kLongestLine);
  logger_->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace bufpool
