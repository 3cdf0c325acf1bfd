// SPDX-License-Identifier: MIT
// Promise: if no thread may be made, the program's own calls give idle memory back, and the report
//   says why.
// Needs: library
// Env: BUFPOOL_RETAIN_TIME=1s BUFPOOL_REPORT=stderr BUFPOOL_REPORT_FORMAT=json
// Env: BUFPOOL_CPU_CACHE=1M
// Stderr: "trimmer": 3\b
// Run: filter
// Args: filter
// Run: limit
// Args: limit
// Run: registration
// Args: registration
#include <sys/resource.h>

#include <string_view>

#include "tests/programs/memory.h"
#include "tests/programs/seccomp.h"

namespace {

// libc ends the process if a new thread is refused to be registered for restartable sequences.
void forbid_threads(std::string_view how) {
  if (how == "registration") {
    return promise::answer_calls({SYS_rseq}, SECCOMP_RET_ERRNO | ENOSYS);
  }
  if (how == "filter") {
    return promise::answer_calls({SYS_clone, SYS_clone3}, SECCOMP_RET_ERRNO | EAGAIN);
  }
  const rlimit none{1, 1};
  promise::keep(setrlimit(RLIMIT_NPROC, &none) == 0, "no other process");
  if (geteuid() == 0) promise::keep(setuid(65534) == 0, "root is not bound by it");
}

}  // namespace

int main(int, char** arguments) {
  forbid_threads(arguments[1]);
  const std::size_t before = promise::resident_bytes();
  { promise::Burst burst(60 * promise::kMiB, 70'000); }
  promise::keep(promise::trimmer_thread() == 0, "there is no thread");
  promise::keep(promise::comes_true([&] {
                  promise::Burst burst(3 * promise::kMiB, 300'000);
                  return promise::grown_since(before) < 20 * promise::kMiB;
                }),
                "its memory goes back all the same");
}
