// SPDX-License-Identifier: MIT
// Promise: a child of _Fork or of a raw clone runs no fork handlers and has no thread of its
//   parent's. It gives what it frees back in its own calls, whether its parent has a trimmer or
//   not, and starts no thread. A child that it forks itself does start one.
// Needs: library
// Run: beside_a_trimmer
// Env: BUFPOOL_TRIMMER=on
// Run: without_a_trimmer
// Env: BUFPOOL_TRIMMER=auto
#include "tests/programs/memory.h"
#include "tests/programs/workers.h"

namespace {

constexpr std::size_t kSize = 70'000;
std::array<char*, 900> held;  // 60 MiB

void write_all(char value) {
  for (char* const buffer : held) memset(buffer, value, kSize);
}
void free_all() {
  for (char* const buffer : held) promise::put(buffer);
}

pid_t raw_clone() { return static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }

// A child by fork has a thread as ever.
void expect_trimmer_of_forked_child() {
  const pid_t child = fork();
  if (child == 0) {
    alarm(promise::kHungSeconds);
    { promise::Burst burst(40 * promise::kMiB, kSize); }
    promise::keep(promise::comes_true([] { return promise::trimmer_thread() != 0; }), "it has one");
    _exit(0);
  }
  promise::expect_good_end(child);
}

[[noreturn]] void free_in_child() {
  alarm(promise::kHungSeconds);
  write_all(2);
  const std::size_t before = promise::resident_bytes();
  free_all();
  promise::keep(promise::resident_bytes() + 30 * promise::kMiB < before, "most has gone back");
  promise::keep(promise::trimmer_thread() == 0, "no thread is started");
  expect_trimmer_of_forked_child();
  promise::allocate_and_exit();
}

void expect_given_back_by(pid_t (*make)()) {
  const pid_t child = make();
  if (child == 0) free_in_child();
  promise::expect_good_end(child);
}

}  // namespace

int main() {
  const char* const choice = getenv("BUFPOOL_TRIMMER");
  const bool wanted = choice != nullptr && strcmp(choice, "on") == 0;
  for (char*& buffer : held) buffer = promise::get(kSize);
  write_all(1);
  promise::keep(promise::comes_true([=] { return (promise::trimmer_thread() != 0) == wanted; }),
                "the parent has a trimmer, or none");
  expect_given_back_by(_Fork);
  expect_given_back_by(raw_clone);
  free_all();
}
