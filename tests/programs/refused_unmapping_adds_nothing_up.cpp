// SPDX-License-Identifier: MIT
// Promise: the system refuses to unmap in a process that has used up its mappings. The pool then
//   uses what it could not unmap again, and takes no more.
// Needs: library
// Env: BUFPOOL_RETAIN_TIME=200ms
#include "tests/programs/memory.h"
#include "tests/programs/seccomp.h"

namespace {

std::array<char*, 1000> held;

void phase() {
  for (char*& memory : held) *(memory = promise::get(60'000)) = 1;
  for (char* memory : held) promise::put(memory);
}

std::size_t mapped_bytes() {
  return promise::FileText<4096>("/proc/self/status").number("VmSize:") << 10;
}

}  // namespace

int main() {
  promise::answer_calls({SYS_munmap}, SECCOMP_RET_ERRNO | ENOMEM);
  phase();
  const std::size_t before = promise::resident_bytes();
  const std::size_t mapped = mapped_bytes();
  for (int round = 0; round < 2; ++round) {
    phase();
    promise::keep(
        promise::comes_true([&] { return promise::resident_bytes() + 2 * promise::kMiB < before; }),
        "what is idle goes back");
    promise::sleep_ms(700);
  }
  phase();
  promise::keep(mapped_bytes() < mapped + 40 * promise::kMiB, "no more is mapped");
}
