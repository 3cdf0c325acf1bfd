// SPDX-License-Identifier: MIT
// Promise: a program whose stderr is a file deletes it, closes the descriptor and opens a data
//   file, which gets the number of the descriptor and that of the inode. No report is written to
//   the data file.
// Env: BUFPOOL_REPORT=stderr BUFPOOL_REPORT_MIN=1
#include <sys/stat.h>

#include "tests/programs/again.h"

namespace {

constexpr int kNotReused = 3;

ino_t inode_of(int descriptor) {
  struct stat file = {};
  promise::keep(fstat(descriptor, &file) == 0, "the descriptor is looked at");
  return file.st_ino;
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

int main(int count, char**) {
  if (count > 1) return run_with_log();
  const int status = promise::status_with_log();
  if (status == kNotReused) _exit(promise::kSkipped);
  promise::keep(status == 0, "it ended well");
  check_data();
  _exit(0);
}
