// SPDX-License-Identifier: MIT
// Starts this program once more, with a stderr of the caller's choice, and reads what it says
// there.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <string>

#include "tests/programs/promise.h"

namespace promise {

// It is longer than any machine takes, and shorter than the test's own limit.
inline constexpr int kLongMs = 30'000;

struct Pipe {
  int reader;
  int writer;
};

// Makes a pipe that is closed at exec and has room for `bytes` or a little more. 0 leaves the room
// as the system has it.
inline Pipe make_pipe(int bytes = 0) {
  std::array<int, 2> ends{};
  keep(pipe2(ends.data(), O_CLOEXEC) == 0, "a pipe is made");
  if (bytes > 0) keep(fcntl(ends[1], F_SETPIPE_SZ, bytes) >= bytes, "its size is set");
  return {ends[0], ends[1]};
}

// Fills a pipe. It blocks afterwards, as before.
inline void fill_pipe(const Pipe& pipe) {
  const int flags = fcntl(pipe.writer, F_GETFL);
  fcntl(pipe.writer, F_SETFL, flags | O_NONBLOCK);
  const std::array<char, 4096> block{};
  while (write(pipe.writer, block.data(), block.size()) > 0) {
  }
  while (write(pipe.writer, "", 1) > 0) {
  }
  fcntl(pipe.writer, F_SETFL, flags);
}

inline pid_t start_again(const char* argument, int stderr_fd, int stdin_fd = STDIN_FILENO) {
  const pid_t child = fork();
  keep(child >= 0, "a child is started");
  if (child != 0) return child;
  dup2(stderr_fd, STDERR_FILENO);
  dup2(stdin_fd, STDIN_FILENO);
  execl("/proc/self/exe", "again", argument, nullptr);
  _exit(127);
}

// Starts this program once more, with the argument "with-log" and a new file `log` as stderr. No
// process but that has the file open. Returns the status that it ends with.
inline int status_with_log() {
  const pid_t child = fork();
  keep(child >= 0, "a child is started");
  if (child == 0) {
    const int log = open("log", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    keep(log > STDERR_FILENO && dup2(log, STDERR_FILENO) == STDERR_FILENO, "there is a log");
    execl("/proc/self/exe", "again", "with-log", nullptr);
    _exit(127);
  }
  int status = 0;
  keep(waitpid(child, &status, 0) == child && WIFEXITED(status), "it ends by itself");
  return WEXITSTATUS(status);
}

// Returns what comes out of the pipe up to its end, which must come.
inline std::string read_to_end(int reader) {
  std::string text;
  std::array<char, 65536> block{};
  for (;;) {
    pollfd waited{reader, POLLIN, 0};
    keep(poll(&waited, 1, kLongMs) > 0, "the pipe has an end");
    const ssize_t got = read(reader, block.data(), block.size());
    if (got <= 0) return text;
    text.append(block.data(), static_cast<std::size_t>(got));
  }
}

// Returns the wait status of a child that ends by itself. A child that does not is killed.
inline int wait_for(pid_t child) {
  int status = 0;
  for (int waited_ms = 0; waited_ms < kLongMs; waited_ms += 10) {
    if (waitpid(child, &status, WNOHANG) == child) return status;
    poll(nullptr, 0, 10);
  }
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  keep(false, "the child ends by itself");
  return status;
}

}  // namespace promise
