// SPDX-License-Identifier: MIT
// Promise: malloc_stats prints to the program's stderr, wherever that leads, and never into a file
//   that the program has opened in its place.
// Needs: library
#include <fcntl.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "tests/programs/promise.h"

namespace {

off_t bytes_in(int file) {
  struct stat entry = {};
  promise::keep(fstat(file, &entry) == 0, "the file is there");
  return entry.st_size;
}

// Returns an unnamed file with the lowest number that is free.
int new_file() {
  char name[] = "/tmp/bufpool-test.XXXXXX";
  const int file = mkostemp(name, O_CLOEXEC);
  unlink(name);
  return file;
}

}  // namespace

int main() {
  promise::use(5'000);
  const int other = new_file();
  std::FILE* const before = stderr;
  stderr = fdopen(other, "w");
  malloc_stats();
  stderr = before;
  promise::keep(bytes_in(other) > 0, "it goes to another stderr");

  const int kept = dup(STDERR_FILENO);
  promise::keep(std::fclose(stderr) == 0, "stderr is closed");
  const int data = new_file();
  malloc_stats();
  const bool is_empty = data == STDERR_FILENO && bytes_in(data) == 0;
  dup2(kept, STDERR_FILENO);
  promise::keep(is_empty, "it goes into no file of the program's");
}
