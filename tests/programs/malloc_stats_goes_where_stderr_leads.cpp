// SPDX-License-Identifier: MIT
// Promise: malloc_stats prints to the program's stderr, wherever that leads, in the order in which
//   the program prints, and never into a file that the program has opened in its place.
// Needs: library
#include <fcntl.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

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

bool is_between(const char* text, const char* first, const char* last) {
  const char* const start = strstr(text, first);
  const char* const stats = strstr(text, "system bytes");
  const char* const end = strstr(text, last);
  return start != nullptr && start < stats && stats < end;
}

// Prints to `stream` before and after, as to stderr. A file's stream keeps what it was given.
void print_around(std::FILE* stream) {
  std::FILE* const before = stderr;
  stderr = stream;
  std::fputs("first", stderr);
  malloc_stats();
  std::fputs("last", stderr);
  std::fflush(stderr);
  stderr = before;
}

}  // namespace

int main() {
  promise::use(5'000);
  const int other = new_file();
  print_around(fdopen(other, "w"));
  static char text[1 << 16];
  promise::keep(pread(other, text, sizeof text - 1, 0) > 0, "it goes to another stderr");
  promise::keep(is_between(text, "first", "last"), "in the order of the program's lines");

  char* in_memory = nullptr;
  std::size_t bytes = 0;
  print_around(open_memstream(&in_memory, &bytes));
  promise::keep(is_between(in_memory, "first", "last"), "it goes to a stream in memory");

  const int kept = dup(STDERR_FILENO);
  promise::keep(std::fclose(stderr) == 0, "stderr is closed");
  const int data = new_file();
  malloc_stats();
  const bool is_empty = data == STDERR_FILENO && bytes_in(data) == 0;
  dup2(kept, STDERR_FILENO);
  promise::keep(is_empty, "it goes into no file of the program's");
}
