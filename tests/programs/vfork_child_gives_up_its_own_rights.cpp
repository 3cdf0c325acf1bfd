// SPDX-License-Identifier: MIT
// Promise: a child of vfork gives up new privileges for itself, as launchers do before they execute
//   a program. Its parent, on whose memory it runs, still gets huge pages.
// Needs: library
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/programs/huge_pages.h"

namespace {

constexpr std::size_t kBuffers = 100;
std::array<void*, kBuffers> held;

void launch() {
  const pid_t child = vfork();
  if (child == 0) _exit(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  int status = -1;
  promise::keep(waitpid(child, &status, 0) == child && status == 0, "the child ends well");
}

bool gets_huge_pages() {
  for (void*& memory : held) memory = memset(promise::get<void>(1'000'000), 1, 1'000'000);
  const bool got = promise::huge_bytes() > 10 * promise::kMiB;
  for (void* memory : held) promise::put(memory);
  return got;
}

}  // namespace

int main() {
  promise::need_huge_pages_on_request();
  launch();
  promise::keep(promise::comes_true(gets_huge_pages), "dense buffers get huge pages");
}
