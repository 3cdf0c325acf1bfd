// SPDX-License-Identifier: MIT
// Promise: the thread that gives memory back has room on its stack beside the program's initial
//   TLS, however large that is. libc puts the TLS on the same stack.
// Needs: library
// Env: BUFPOOL_RETAIN_TIME=500ms
// Run: alone
// Args: alone
// Run: with-a-library
// Preload-before: much_thread_local_storage
// Args: more
#include "tests/programs/memory.h"

namespace {

// With what libc adds, this leaves next to nothing of a stack of 256 KiB.
thread_local char storage[std::size_t{247} << 10] = {1};

}  // namespace

int main() {
  promise::hide(&storage[0])[1] = 1;
  const std::size_t before = promise::resident_bytes();
  for (int i = 0; i < 2; ++i) promise::Burst burst(30 * promise::kMiB, 50'000);
  promise::keep(promise::comes_true([] { return promise::trimmer_thread() != 0; }), "it is there");
  promise::keep(
      promise::comes_true([&] { return promise::grown_since(before) < 6 * promise::kMiB; }),
      "it does its work");
}
