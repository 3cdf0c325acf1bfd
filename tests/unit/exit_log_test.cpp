// SPDX-License-Identifier: MIT
#include "report/exit_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>

#include "report/report.h"
#include "tests/unit/allocation_counter.h"

namespace bufpool {
namespace {

static_assert(std::is_trivially_destructible_v<ExitLog>);
constinit ExitLog may_be_static;

class Pipe {
 public:
  explicit Pipe(int flags = 0) { EXPECT_EQ(pipe2(ends_.data(), flags | O_CLOEXEC), 0); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_reader();
    close_writer();
  }

  void close_reader() { close_end(ends_[0]); }
  void close_writer() { close_end(ends_[1]); }

  // Returns what is in the pipe now, at most `most` bytes of it.
  std::string read_some(std::size_t most = 65536) {
    std::string text(most, '\0');
    const ssize_t got = read(ends_[0], text.data(), text.size());
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }

  // Fills a non-blocking pipe, and returns how many bytes that took.
  std::size_t fill() {
    std::size_t total = 0;
    const std::string block(4096, 'f');
    for (ssize_t n; (n = write(ends_[1], block.data(), block.size())) > 0;) {
      total += static_cast<std::size_t>(n);
    }
    while (write(ends_[1], "f", 1) == 1) ++total;
    return total;
  }

  [[nodiscard]] int writer() const { return ends_[1]; }

 private:
  static void close_end(int& end) {
    if (end >= 0) close(end);
    end = -1;
  }

  std::array<int, 2> ends_{-1, -1};
};

// An ExitLog is never destroyed. In a test it lives as long as the program.
ExitLog& prepared_log(int descriptor) {
  static ExitLog log;
  [[maybe_unused]] static const bool ready = (log.prepare(), true);
  log.set_descriptor(descriptor);
  return log;
}

TEST(ExitLog, WritesLines) {
  Pipe pipe;
  ExitLog& log = prepared_log(pipe.writer());
  log.write_line("one");
  log.write_line("");
  log.write_line("three {} %v %n");
  EXPECT_EQ(pipe.read_some(), "one\n\nthree {} %v %n\n");
}

TEST(ExitLog, WritesALineByOneWrite) {
  // A pipe in packet mode keeps what was written apart.
  Pipe pipe(O_DIRECT);
  ExitLog& log = prepared_log(pipe.writer());
  log.write_line("first");
  log.write_line("second");
  EXPECT_EQ(pipe.read_some(), "first\n");
  EXPECT_EQ(pipe.read_some(), "second\n");
}

// A pipe in packet mode keeps what was written apart.
TEST(ExitLog, WritesWhatWasGatheredByOneWrite) {
  Pipe pipe(O_DIRECT);
  ExitLog& log = prepared_log(pipe.writer());
  Unnoticed unnoticed;
  std::array<char, 20> room{};
  log.gather(room, unnoticed);
  log.write_line("first");
  log.write_line("second");
  EXPECT_EQ(log.write_out(), 0);
  EXPECT_EQ(pipe.read_some(), "first\nsecond\n");
  log.write_line("more than there is room");
  EXPECT_EQ(pipe.read_some(), "more than there is room\n");
  log.write_line("at the end");
  log.write_line("of the room");
  EXPECT_EQ(pipe.read_some(), "at the end\n");
  EXPECT_EQ(log.write_out(), 0);
  EXPECT_EQ(pipe.read_some(), "of the room\n");
}

TEST(ExitLog, TellsWhyWhatWasGatheredIsLost) {
  ExitLog& log = prepared_log(open("/dev/full", O_WRONLY | O_CLOEXEC));
  Unnoticed unnoticed;
  std::array<char, 20> room{};
  log.gather(room, unnoticed);
  log.write_line("lost");
  EXPECT_EQ(log.write_out(), ENOSPC);
}

TEST(ExitLog, WritesWhatIsNoText) {
  Pipe pipe;
  prepared_log(pipe.writer()).write_line(std::string_view("a\0\xff\n", 4));
  EXPECT_EQ(pipe.read_some(), std::string("a\0\xff\n\n", 5));
}

TEST(ExitLog, CutsALineThatWouldNeedTheHeap) {
  Pipe pipe;
  ExitLog& log = prepared_log(pipe.writer());
  const std::string line(1000, 'x');
  EXPECT_EQ(heap_calls_of([&] { log.write_line(line); }), 0U);
  EXPECT_EQ(pipe.read_some(), std::string(kLongestLine, 'x') + "\n");
}

TEST(ExitLog, TheCounterOfAllocationsCounts) {
  EXPECT_EQ(heap_calls_of([] { ::operator delete(::operator new(300)); }), 1U);
  EXPECT_GE(largest_heap_call, 300U);
}

TEST(ExitLog, WritesWithoutTheHeap) {
  Pipe pipe;
  ExitLog& log = prepared_log(pipe.writer());
  const std::string line(kLongestLine, 'x');
  EXPECT_EQ(heap_calls_of([&] {
              log.write_line("first");
              for (int i = 0; i < 50; ++i) log.write_line(line);
              log.set_descriptor(-1);
              log.write_line("nowhere");
            }),
            0U);
  EXPECT_EQ(pipe.read_some().size(), 6 + 50 * (kLongestLine + 1));
}

// There may be no heap, and no runtime to throw std::bad_alloc by.
TEST(ExitLog, PreparesWithoutTheHeap) {
  static ExitLog log;
  EXPECT_EQ(heap_calls_of([] { log.prepare(); }), 0U);
}

TEST(ExitLog, DropsLinesWhenNotPrepared) {
  Pipe pipe(O_NONBLOCK);
  may_be_static.set_descriptor(pipe.writer());
  may_be_static.write_line("lost");
  EXPECT_EQ(pipe.read_some(), "");
}

TEST(ExitLog, DropsLinesAfterAFailureUntilItGetsADescriptor) {
  Pipe pipe(O_NONBLOCK);
  ExitLog& log = prepared_log(pipe.writer());
  const int read_only = open("/dev/null", O_RDONLY | O_CLOEXEC);
  log.set_descriptor(read_only);
  log.write_line("lost");
  // The file that has the number now is not the log's.
  ASSERT_EQ(dup2(pipe.writer(), read_only), read_only);
  log.write_line("lost as well");
  EXPECT_EQ(pipe.read_some(), "");
  log.set_descriptor(read_only);
  log.write_line("kept");
  EXPECT_EQ(pipe.read_some(), "kept\n");
  close(read_only);
}

TEST(ExitLog, KeepsErrno) {
  ExitLog& log = prepared_log(-1);
  const int closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
  close(closed);
  log.set_descriptor(closed);
  errno = ENOTTY;
  log.write_line("lost");
  EXPECT_EQ(errno, ENOTTY);
}

TEST(ExitLog, ABrokenPipeIsNoSignal) {
  // The default action would end the test.
  ASSERT_EQ(signal(SIGPIPE, SIG_DFL), SIG_DFL);
  Pipe pipe;
  pipe.close_reader();
  prepared_log(pipe.writer()).write_line("lost");
  sigset_t pending;
  ASSERT_EQ(sigpending(&pending), 0);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
  sigset_t mask;
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, nullptr, &mask), 0);
  EXPECT_EQ(sigismember(&mask, SIGPIPE), 0);
}

TEST(ExitLog, ASignalOfTheProgramsOwnStaysPending) {
  sigset_t pipe_signal;
  sigset_t old;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &pipe_signal, &old), 0);
  raise(SIGPIPE);
  Pipe pipe;
  pipe.close_reader();
  prepared_log(pipe.writer()).write_line("lost");
  const timespec at_once{};
  EXPECT_EQ(sigtimedwait(&pipe_signal, nullptr, &at_once), SIGPIPE);
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

TEST(ExitLog, GivesUpOnAPipeNobodyReads) {
  Pipe pipe(O_NONBLOCK);
  ExitLog& log = prepared_log(pipe.writer());
  const std::size_t filled = pipe.fill();
  const auto start = std::chrono::steady_clock::now();
  // It waits a second for the first line, and would take a minute and a half if it did so for each.
  for (int i = 0; i < 90; ++i) log.write_line("lost");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
  std::string all;
  for (std::string some; !(some = pipe.read_some()).empty();) all += some;
  EXPECT_EQ(all, std::string(filled, 'f'));
}

// Returns what a reader finds behind the bytes that filled the pipe. The reader comes while a line
// waits to be written.
std::string read_late() {
  Pipe pipe(O_NONBLOCK);
  ExitLog& log = prepared_log(pipe.writer());
  const std::size_t filled = pipe.fill();
  std::string all;
  std::atomic<bool> written{false};
  std::thread reader([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    for (bool last = false; !last;) {
      last = written;
      for (std::string some; !(some = pipe.read_some()).empty();) all += some;
    }
  });
  log.write_line("late");
  written = true;
  reader.join();
  EXPECT_EQ(all.substr(0, filled), std::string(filled, 'f'));
  return all.substr(filled);
}

// On a busy machine the reader may come too late even for the log's patience, but not every time.
TEST(ExitLog, WaitsForAReaderAndFinishesTheLine) {
  std::string late;
  for (int attempt = 0; attempt < 20 && late.empty(); ++attempt) late = read_late();
  EXPECT_EQ(late, "late\n");
}

// Signals interrupt a write that has to wait.
TEST(ExitLog, SignalsDoNotLoseLines) {
  static std::atomic<int> signals{0};
  struct sigaction action {};
  action.sa_handler = [](int) { ++signals; };  // no SA_RESTART
  struct sigaction old {};
  ASSERT_EQ(sigaction(SIGUSR1, &action, &old), 0);
  Pipe pipe;
  ASSERT_GE(fcntl(pipe.writer(), F_SETPIPE_SZ, 4096), 4096);
  constexpr int kLines = 40;
  std::atomic<bool> done{false};
  std::thread writer([&] {
    ExitLog& log = prepared_log(pipe.writer());
    for (int i = 0; i < kLines; ++i) log.write_line(std::string(kLongestLine, 'x'));
    done = true;
    pipe.close_writer();
  });
  const pthread_t target = writer.native_handle();
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    if (!done) pthread_kill(target, SIGUSR1);
  }
  std::string all;
  for (std::string some; !(some = pipe.read_some(1000)).empty();) all += some;
  writer.join();
  sigaction(SIGUSR1, &old, nullptr);
  EXPECT_GT(signals, 0);
  EXPECT_EQ(all.size(), kLines * (kLongestLine + 1));
}

TEST(ExitLog, IsNoCancellationPoint) {
  Pipe pipe;
  ExitLog& log = prepared_log(pipe.writer());
  bool went_on = false;
  std::thread thread([&] {
    pthread_cancel(pthread_self());
    log.write_line("written");
    went_on = true;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
  });
  thread.join();
  EXPECT_TRUE(went_on);
  EXPECT_EQ(pipe.read_some(), "written\n");
}

TEST(ExitLog, AForkedChildWritesToo) {
  Pipe pipe;
  ExitLog& log = prepared_log(pipe.writer());
  const pid_t child = fork();
  if (child == 0) {
    log.write_line("child");
    _exit(0);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(pipe.read_some(), "child\n");
}

}  // namespace
}  // namespace bufpool
