// SPDX-License-Identifier: MIT
// `bufpool run`: starts a command under the pool.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "cli/formatted.h"
#include "cli/steering/library.h"
#include "cli/steering/recorder.h"
#include "cli/verbs.h"

namespace bufpool {
namespace {

struct Options {
  std::vector<std::string> settings;
  std::vector<std::string> command;
  std::string recording;
  std::uint64_t interval_ms = 1000;
  bool no_inherit = false;
};

// These stay as they are for this process: its own faults, and what a shell stops its jobs with.
constexpr int kLeftAlone[] = {SIGSEGV, SIGBUS,  SIGFPE,  SIGILL, SIGTRAP,
                              SIGSYS,  SIGTSTP, SIGTTIN, SIGTTOU};

// These concern this process alone. The last two are raised by a write to the recording, which says
// by its error what is wrong.
constexpr int kOwn[] = {SIGCHLD, SIGPIPE, SIGXFSZ};

// Returns whether a signal is for the command. The terminal and the kernel send theirs to the
// command as well, so only those of other processes are passed on.
bool is_for_command(const signalfd_siginfo& info) {
  const bool is_own = std::count(std::begin(kOwn), std::end(kOwn), info.ssi_signo) != 0;
  return info.ssi_code <= 0 && !is_own;
}

// Signals come by a descriptor as long as this lives. SIGCHLD is not ignored meanwhile, whatever
// the starter of this process chose: the status of a child whose end is ignored is lost.
class Signals {
 public:
  Signals() {
    sigset_t wanted;
    sigfillset(&wanted);
    for (const int signal : kLeftAlone) sigdelset(&wanted, signal);
    sigprocmask(SIG_BLOCK, &wanted, &before_);
    struct sigaction by_default {};
    by_default.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &by_default, &child_before_);
    descriptor_ = Descriptor(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals() {
    pass_on_to(0);
    restore();
  }

  void restore() const {
    sigaction(SIGCHLD, &child_before_, nullptr);
    sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_.number(); }

  // Takes all that have come. Without a child they are dropped.
  void pass_on_to(pid_t child) const {
    signalfd_siginfo info{};
    while (read(descriptor_.number(), &info, sizeof info) == sizeof info) {
      if (child != 0 && is_for_command(info)) kill(child, static_cast<int>(info.ssi_signo));
    }
  }

 private:
  sigset_t before_{};
  struct sigaction child_before_ {};
  Descriptor descriptor_;
};

// Returns the process, or throws what `execute` throws in it.
pid_t start(const std::vector<std::string>& command, const Signals& signals) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) fail("no pipe can be made: error {}", errno);
  Descriptor from_child(ends[0]);
  Descriptor to_parent(ends[1]);
  const pid_t child = fork();
  if (child < 0) fail("no process can be made: error {}", errno);
  if (child == 0) {
    signals.restore();
    try {
      execute(command);
    } catch (const CommandError&) {
      const int error = errno;
      static_cast<void>(!write(to_parent.number(), &error, sizeof error));
    }
    _exit(static_cast<int>(ExitCode::kFailed));
  }
  static_cast<void>(to_parent.close());
  int error = 0;
  if (read(from_child.number(), &error, sizeof error) == sizeof error) {
    waitpid(child, nullptr, 0);
    fail_to_execute(command[0], error);
  }
  return child;
}

int watch(pid_t child, const Signals& signals, Recorder& recorder, std::uint64_t interval_ms) {
  using Clock = std::chrono::steady_clock;
  const auto interval = std::chrono::milliseconds(std::max<std::uint64_t>(interval_ms, 1));
  auto next = Clock::now() + interval;
  for (;;) {
    pollfd events[] = {{signals.descriptor(), POLLIN, 0}, {recorder.new_pages(), POLLIN, 0}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
    poll(events, std::size(events), static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (events[1].revents != 0) recorder.look();
    signals.pass_on_to(child);
    int status = 0;
    if (waitpid(child, &status, WNOHANG) == child) return status;
    if (Clock::now() < next) continue;
    recorder.take_samples();
    next = std::max(next + interval, Clock::now());
  }
}

// Ends as the command did, so that the shell sees no difference.
ExitCode end_like(int status) {
  if (!WIFSIGNALED(status)) return static_cast<ExitCode>(WEXITSTATUS(status));
  constexpr rlimit kNoCore{0, 0};
  setrlimit(RLIMIT_CORE, &kNoCore);
  const int signal = WTERMSIG(status);
  ::signal(signal, SIG_DFL);
  sigset_t own;
  sigemptyset(&own);
  sigaddset(&own, signal);
  sigprocmask(SIG_UNBLOCK, &own, nullptr);
  raise(signal);
  return static_cast<ExitCode>(128 + signal);
}

void tell_what_was_recorded(const Options& options, const Recorder& recorder) {
  if (recorder.samples() == 0) {
    print_error("bufpool run: there was nothing to record; try: bufpool doctor {}\n",
                options.command[0]);
    return;
  }
  print_error("bufpool run: recorded, {} samples of {} programs; try: bufpool report {}\n",
              recorder.samples(), recorder.processes(), options.recording);
}

ExitCode record(const Options& options) {
  int status = 0;
  {
    const Signals signals;
    Recorder recorder(options.recording, options.command, options.interval_ms);
    const pid_t child = start(options.command, signals);
    status = watch(child, signals, recorder, options.interval_ms);
    recorder.finish(status);
    tell_what_was_recorded(options, recorder);
  }
  return end_like(status);
}

ExitCode run(const Options& options) {
  for (const std::string& setting : options.settings) set_variable(setting);
  if (options.no_inherit) set_variable("INHERIT=0");
  preload(library_path());
  if (options.recording.empty()) execute(options.command);
  return record(options);
}

Action prepare(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  arguments.texts("-s,--set", options->settings, "KEY=VALUE",
                  "set the variable BUFPOOL_KEY; may be given several times");
  arguments.text("--record", options->recording, "FILE",
                 "write the figures to this file as they change, and the last ones however the "
                 "command ends");
  arguments.duration("--interval", options->interval_ms, "the time between two samples");
  arguments.flag("--no-inherit", options->no_inherit,
                 "the programs that the command starts run without the pool");
  arguments.command(options->command, "the command and its arguments", true);
  return [options] { return run(*options); };
}

}  // namespace

extern const Verb kRunVerb{"run", "run a command under the pool",
                           "bufpool run -- ls -l\n"
                           "bufpool run -s RETAIN_MAX=16M -s REPORT=off -- ls\n"
                           "bufpool run --record new.jsonl -- sleep 0.1",
                           prepare};

}  // namespace bufpool
