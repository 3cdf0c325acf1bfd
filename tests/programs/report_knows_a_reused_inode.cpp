// SPDX-License-Identifier: MIT
// Promise: a program whose stderr is a file deletes it, closes the descriptor and opens a data
//   file, which gets the number of the descriptor and that of the inode. No report is written to
//   the data file.
// Env: BUFPOOL_REPORT=stderr BUFPOOL_REPORT_MIN=1
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/programs/promise.h"

namespace {

constexpr int kNotReused = 3;

ino_t inode_of(int descriptor) {
  struct stat file = {};
  promise::keep(fstat(descriptor, &file) == 0, "the descriptor is looked at");
  return file.st_ino;
}

// Starts this program again with a new file for stderr.
[[noreturn]] void start_again(char* self) {
  const int log = open("log", O_RDWR | O_CREAT | O_TRUNC, 0600);
  promise::keep(log > STDERR_FILENO && dup2(log, STDERR_FILENO) == STDERR_FILENO, "a log");
  close(log);
  char with_log[] = "with-log";
  char* arguments[] = {self, with_log, nullptr};
  execv(self, arguments);
  _exit(1);
}

int run_with_log() {
  for (int i = 0; i < 100; ++i) promise::put(promise::get(5000));
  const ino_t inode = inode_of(STDERR_FILENO);
  unlink("log");
  close(STDERR_FILENO);
  const int data = open("data", O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (data != STDERR_FILENO || inode_of(data) != inode) return kNotReused;
  return write(data, "data\n", 5) == 5 ? 0 : 1;
}

void check_data() {
  char text[64] = {};
  const int data = open("data", O_RDONLY);
  promise::keep(read(data, text, sizeof text - 1) == 5 && strcmp(text, "data\n") == 0,
                "the data file has what the program wrote");
}

}  // namespace

int main(int count, char** arguments) {
  if (count > 1) return run_with_log();
  const pid_t child = fork();
  if (child == 0) start_again(arguments[0]);
  int status = 0;
  promise::keep(waitpid(child, &status, 0) == child && WIFEXITED(status), "it ended");
  if (WEXITSTATUS(status) == kNotReused) _exit(promise::kSkipped);
  promise::keep(WEXITSTATUS(status) == 0, "it ended well");
  check_data();
  _exit(0);
}
