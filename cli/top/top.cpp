// SPDX-License-Identifier: MIT
// `bufpool top`: all processes under the pool, or one, while they run.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include "cli/figures/target.h"
#include "cli/formatted.h"
#include "cli/top/top_screen.h"
#include "cli/top/top_table.h"
#include "cli/verbs.h"

namespace bufpool {
namespace {

struct Options {
  std::string target;
  std::uint64_t interval_ms = 2000;
  std::uint64_t count = 0;
  std::string sort = "gets";
  bool is_batch = false;
};

SortBy sort_of(const std::string& word) {
  if (word == "misses") return SortBy::kMisses;
  if (word == "in_use") return SortBy::kInUse;
  if (word == "idle") return SortBy::kIdle;
  if (word == "rss") return SortBy::kResident;
  if (word == "pid") return SortBy::kPid;
  return SortBy::kGets;
}

// Tables one behind the other, where there is no screen.
ExitCode print_tables(const Options& options, pid_t pid) {
  TopTable top;
  const std::uint64_t count = std::max<std::uint64_t>(options.count, 1);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(options.interval_ms));
    top.look(pid);
    if (pid != 0 && top.find(pid) == nullptr) {
      print_error("bufpool top: process {} has ended\n", pid);
      return ExitCode::kGood;
    }
    if (i > 0) print_out("\n");
    const SortBy by = sort_of(options.sort);
    print_out("{}\n", top.summary());
    (pid != 0 ? top.classes(pid, by) : top.processes(by)).print();
    std::fflush(stdout);
  }
  return ExitCode::kGood;
}

// The screen, and what its user has chosen.
class TopView {
 public:
  TopView(TopScreen& screen, const Options& options, pid_t pid)
      : screen_(screen), options_(options), only_(pid), by_(sort_of(options.sort)), shown_(pid) {}

  // Until the user quits, or `count` looks are done.
  void run() {
    using Clock = std::chrono::steady_clock;
    const auto interval = std::chrono::milliseconds(options_.interval_ms);
    for (std::uint64_t looks = 1;; ++looks) {
      top_.look(only_);
      const auto next = Clock::now() + interval;
      do {
        draw();
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
        if (!obey(screen_.wait(static_cast<std::uint64_t>(std::max<std::int64_t>(left, 0)))))
          return;
      } while (Clock::now() < next);
      if (looks == options_.count) return;
    }
  }

 private:
  void draw() {
    Picture picture;
    Table table = shown_ != 0 ? top_.classes(shown_, by_) : top_.processes(by_);
    rows_ = table.size();
    selected_ = std::min(selected_, rows_ == 0 ? 0 : rows_ - 1);
    picture.top.push_back("bufpool top: " + (shown_ != 0 ? name_of_shown() : top_.summary()));
    if (shown_ == 0 && top_.forbidden() != 0) {
      picture.top.push_back(
          formatted("{} processes of others are not shown; sudo shows them", top_.forbidden()));
    }
    table.keep_within(screen_.columns());
    picture.heading = table.heading_line();
    for (std::size_t i = 0; i < rows_; ++i) picture.rows.push_back(table.row_line(i));
    picture.selected = selected_;
    picture.help = shown_ != 0
                       ? "q quit  Escape back  sort by: g gets m misses u in use i idle p size"
                       : "q quit  Enter classes  sort by: g gets m misses u in use i idle "
                         "r rss p pid";
    screen_.draw(picture);
  }

  std::string name_of_shown() const {
    const Sample* const sample = top_.find(shown_);
    if (sample == nullptr) return formatted("process {} has ended", shown_);
    return formatted("classes of {} {}", shown_, sample->command);
  }

  // Returns false if the user quits.
  bool obey(const Press& press) {
    constexpr std::size_t kPage = 10;
    switch (press.key) {
      case Key::kQuit:
        return false;
      case Key::kUp:
        selected_ -= std::min<std::size_t>(selected_, 1);
        break;
      case Key::kDown:
        ++selected_;
        break;
      case Key::kPageUp:
        selected_ -= std::min(selected_, kPage);
        break;
      case Key::kPageDown:
        selected_ += kPage;
        break;
      case Key::kEnter:
        if (shown_ == 0 && selected_ < top_.pids().size()) show(top_.pids()[selected_]);
        break;
      case Key::kBack:
        if (only_ == 0) show(0);
        break;
      case Key::kOther:
        sort(press.letter);
        break;
      case Key::kNone:
        break;
    }
    return true;
  }

  void show(pid_t pid) {
    shown_ = pid;
    selected_ = 0;
  }

  void sort(char letter) {
    for (const SortBy by : {SortBy::kGets, SortBy::kMisses, SortBy::kInUse, SortBy::kIdle,
                            SortBy::kResident, SortBy::kPid}) {
      if (letter == static_cast<char>(by)) by_ = by;
    }
  }

  TopScreen& screen_;
  const Options& options_;
  pid_t only_;
  SortBy by_;
  pid_t shown_;  // the process whose classes are shown; 0: all processes are
  TopTable top_;
  std::size_t rows_ = 0;
  std::size_t selected_ = 0;
};

ExitCode top(const Options& options) {
  const pid_t pid = options.target.empty() ? 0 : pid_of(options.target);
  if (pid != 0) static_cast<void>(process_or_fail(pid));
  if (options.is_batch || isatty(STDOUT_FILENO) != 1) return print_tables(options, pid);
  {
    TopScreen screen;
    if (screen.is_there()) {
      TopView(screen, options, pid).run();
      return ExitCode::kGood;
    }
  }
  print_error("bufpool top: this terminal is not known (TERM); printing one table\n");
  return print_tables(options, pid);
}

Action prepare(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  arguments.text("process", options->target, "",
                 "a process's number or name, whose classes are shown; without it, all processes");
  arguments.duration("-d,--interval", options->interval_ms, "the time between two looks");
  arguments.number("-n,--count", options->count, "how many looks; 0: until q is pressed");
  arguments.choice("-s,--sort", options->sort, {"gets", "misses", "in_use", "idle", "rss", "pid"},
                   "what to sort by");
  arguments.flag("-b,--batch", options->is_batch, "print tables, as it does without a terminal");
  return [options] { return top(*options); };
}

}  // namespace

extern const Verb kTopVerb{"top", "the processes under the pool while they run",
                           "bufpool top --batch\n"
                           "bufpool top $PID --batch --count 2 --interval 100ms --sort idle",
                           prepare};

}  // namespace bufpool
