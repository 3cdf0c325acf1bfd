// SPDX-License-Identifier: MIT
// Promise: with BUFPOOL_REPORT_EVERY a process that goes on appends reports to its file, and a line
//   for each class that misses often; so does a child that it forks. It opens no descriptor of the
//   program's, and a pipe that is full or has no reader holds nothing up. Without a file it is
//   told.
// Needs: library
// Modes: auto
// Run: text
// Env: BUFPOOL_REPORT={tmp}/report.txt BUFPOOL_REPORT_EVERY=250ms BUFPOOL_CPU_CACHE=64K
// Args: {tmp}/report.txt
// File: report.txt (?s)what to change.*warning: class 64K: hit rate \d+\.\d\d% with \d+ misses
// Run: json
// Env: BUFPOOL_REPORT={tmp}/report.txt BUFPOOL_REPORT_EVERY=250ms BUFPOOL_REPORT_FORMAT=json
// Args: {tmp}/report.txt
// File: report.txt (?s)"schema".*"schema"
// Run: forked
// Env: BUFPOOL_REPORT={tmp}/%p BUFPOOL_REPORT_EVERY=250ms
// Args: {tmp}/child
// Run: full-pipe
// Env: BUFPOOL_REPORT={tmp}/fifo BUFPOOL_REPORT_EVERY=250ms BUFPOOL_REPORT_MIN=99999999
// Args: {tmp}/fifo
// Run: told
// Env: BUFPOOL_REPORT=stderr BUFPOOL_REPORT_EVERY=250ms BUFPOOL_REPORT_MIN=99999999
// Stderr: \Abufpool: BUFPOOL_REPORT_EVERY=250ms: needs a file in BUFPOOL_REPORT; using 0\n\Z
#include <malloc.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "tests/programs/again.h"
#include "tests/programs/memory.h"

namespace {

std::string contents(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

int count_of(const std::string& text, std::string_view word) {
  int count = 0;
  for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; ++at) ++count;
  return count;
}

// Many buffers at once run a CPU's cache empty.
void miss_often() {
  constexpr std::size_t kHeld = 2500;
  static std::array<void*, kHeld> held;
  for (void*& buffer : held) buffer = promise::get<void>(65000);
  for (void* buffer : held) promise::put(buffer);
}

// What began before the first of them is in the second one.
void use_until_reported(const std::string& path) {
  for (int waited_ms = 0;
       count_of(contents(path), "what to change") < 2 && count_of(contents(path), "\"schema\"") < 2;
       waited_ms += 20) {
    promise::keep(waited_ms < promise::kLongMs, "reports come while the process goes on");
    miss_often();
    promise::sleep_ms(20);
  }
}

int lowest_free_descriptor() {
  const int found = open("/dev/null", O_RDONLY | O_CLOEXEC);
  close(found);
  return found;
}

// The child has a thread of its own, and a file.
void report_from_a_child(const std::string& folder) {
  const pid_t child = fork();
  if (child == 0) {
    use_until_reported(folder + std::to_string(getpid()));
    _exit(0);
  }
  const int status = promise::wait_for(child);
  promise::keep(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a child has its own reports");
}

// Many periods long: nothing that the program does waits for room in the pipe.
void go_on_beside_a_full_pipe(const std::string& path) {
  promise::keep(mkfifo(path.c_str(), 0600) == 0, "a pipe is made");
  promise::sleep_ms(600);
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK);
  const int writer = open(path.c_str(), O_WRONLY);
  promise::fill_pipe({reader, writer});
  for (int i = 0; i < 60; ++i) {
    promise::use(65000, 10);
    malloc_trim(0);
    promise::sleep_ms(20);
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 1) {
    promise::use(70000, 10);
    return 0;
  }
  const std::string path = arguments[1];
  const int free_before = lowest_free_descriptor();
  if (path.ends_with("fifo")) {
    go_on_beside_a_full_pipe(path);
  } else if (path.ends_with("child")) {
    report_from_a_child(path.substr(0, path.size() - 5));
  } else {
    use_until_reported(path);
    promise::keep(lowest_free_descriptor() == free_before,
                  "no descriptor of the program's is taken");
  }
}
