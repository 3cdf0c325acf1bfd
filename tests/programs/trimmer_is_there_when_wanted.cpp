// SPDX-License-Identifier: MIT
// Promise: the thread that gives memory back is there once there is something to give. It has a
//   name and no signal, and it leaves. In a program that needs little it never is there.
//   BUFPOOL_TRIMMER decides.
// Needs: library
// Env: BUFPOOL_RETAIN_TIME=500ms
// Run: little
// Args: little
// Run: much
// Args: much
// Run: forbidden BUFPOOL_TRIMMER=off
// Args: forbidden
// Run: always BUFPOOL_TRIMMER=on
// Args: always
#include <string_view>

#include "tests/programs/memory.h"

namespace {

void expect_all_signals_blocked(int thread) {
  char file[64];
  snprintf(file, sizeof file, "/proc/self/task/%d/status", thread);
  // Nobody can block SIGKILL, SIGSTOP and the two that libc keeps for itself.
  constexpr unsigned long kCannot = 1UL << 8 | 1UL << 18 | 1UL << 31 | 1UL << 32;
  const unsigned long blocked = promise::FileText<4096>(file).number("SigBlk:", 16);
  promise::keep((blocked | kCannot) == ~0UL, "all signals are blocked");
}

void work(std::size_t bytes, int rounds) {
  for (int i = 0; i < rounds; ++i) promise::Burst burst(bytes, 50'000);
}

}  // namespace

int main(int, char** arguments) {
  const std::string_view expected = arguments[1];
  const bool at_start =
      expected == "always" && promise::comes_true([] { return promise::trimmer_thread() != 0; });
  promise::keep(at_start == (expected == "always"), "there from the start if wanted");
  if (expected == "little") {
    promise::move_to_cpu(false);  // every CPU's cache would keep as much
    work(4 * promise::kMiB, 300);
    promise::keep(promise::trimmer_thread() == 0, "never for a little");
    return 0;
  }
  work(30 * promise::kMiB, 1);
  if (expected == "forbidden") {
    promise::keep(promise::trimmer_thread() == 0, "never where forbidden");
    return 0;
  }
  int thread = 0;
  promise::keep(promise::comes_true([&] { return (thread = promise::trimmer_thread()) != 0; }),
                "there for much");
  expect_all_signals_blocked(thread);
  if (expected == "always") return 0;
  promise::keep(promise::comes_true([] { return promise::trimmer_thread() == 0; }), "it leaves");
  work(30 * promise::kMiB, 1);
  promise::keep(promise::comes_true([] { return promise::trimmer_thread() != 0; }),
                "it comes again");
}
