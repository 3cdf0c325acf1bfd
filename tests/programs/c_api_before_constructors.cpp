// SPDX-License-Identifier: MIT
// Promise: each function of the header may be the first thing that a program calls, before any
//   constructor has run, when there is no pool yet. Any of them but bufpool_trim may be called in a
//   signal handler with a small stack.
// Needs: library
// Run: snapshot
// Args: snapshot
// Run: class
// Args: class
// Run: report
// Args: report
// Run: trim
// Args: trim
// Run: warm_up
// Args: warm_up
// Run: peaks
// Args: peaks
// Run: get
// Args: get
#include <signal.h>
#include <sys/mman.h>

#include <string_view>

#include "include/bufpool/bufpool.h"
#include "tests/programs/promise.h"

using promise::keep;

namespace {

struct bufpool_snapshot all;
struct bufpool_class_snapshot row;
bool is_started = false;

// Before the start is noted, the process is up for no time.
void report() {
  static char text[4096];
  const int file = memfd_create("report", 0);
  keep(bufpool_report(file, BUFPOOL_TEXT) == 0, "bufpool_report");
  keep(pread(file, text, sizeof text - 1, 0) > 0, "there is a report");
  keep(is_started || strstr(text, "up 0.000 s") != nullptr, text);
  close(file);
}

void call(std::string_view name) {
  all.size = sizeof all;
  row.size = sizeof row;
  if (name == "snapshot") keep(bufpool_snapshot(&all) == 0, "bufpool_snapshot");
  if (name == "class") {
    const int result = bufpool_class_snapshot(9, &row);
    keep(result == (is_started ? 0 : ENOTSUP), "bufpool_class_snapshot");
  }
  if (name == "trim") bufpool_trim(0);
  if (name == "warm_up") {
    const std::size_t ready = bufpool_warm_up(50000, 5);
    keep(is_started ? ready >= 5 : ready == 0, "bufpool_warm_up");
  }
  if (name == "peaks") bufpool_reset_peaks();
  if (name == "get") bufpool_put(bufpool_get(63000), 63000);
  if (name == "report") report();
}

void before_constructors(int, char** arguments, char**) {
  call(arguments[1]);
  promise::use(50000, 3);
}

[[gnu::used, gnu::section(".preinit_array")]] void (*const kEarliest)(int, char**,
                                                                      char**) = before_constructors;

void handle(int) {
  for (const char* name : {"snapshot", "class", "report", "warm_up", "peaks", "get"}) call(name);
}

}  // namespace

int main(int, char** arguments) {
  promise::use(50000, 3);
  is_started = true;
  constexpr std::size_t kStack = 16 << 10;
  void* const low =
      mmap(nullptr, 2 * kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  keep(low != MAP_FAILED && mprotect(low, kStack, PROT_NONE) == 0, "there is a stack");
  stack_t stack{};
  stack.ss_sp = static_cast<char*>(low) + kStack;
  stack.ss_size = kStack;
  keep(sigaltstack(&stack, nullptr) == 0, "it is set");
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_ONSTACK;
  sigaction(SIGUSR1, &action, nullptr);
  call(arguments[1]);
  raise(SIGUSR1);
  keep(all.gets > 0, "the handler saw figures");
}
