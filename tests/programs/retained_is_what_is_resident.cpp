// SPDX-License-Identifier: MIT
// Promise: what the report calls retained is resident, though most of the buffers were never
//   touched. If the question might be fatal, it is all that is idle, and no call is made. If the
//   program was started under a filter, as in a container, it is asked by a file.
// Needs: library
// Env: -BUFPOOL_REPORT BUFPOOL_REPORT_FORMAT=json BUFPOOL_RETAIN_TIME=1440m BUFPOOL_TRIMMER=off
// Env: BUFPOOL_REPORT_MIN=100
// Run: asked
// Args: asked
// Stderr: (?s)"reserved.*"size": "1M",.*"idle_bytes": 10[4-9]\d{6},\s"retained_bytes": 1[01]\d{6},
// Run: growing
// Args: growing
// Env: BUFPOOL_CPU_CACHE=1M
// Stderr: (?s)"size": "16M",[^}]*"idle_bytes": \d{5,6},\s"retained_bytes": \d{5,6},
// Run: contained
// Args: contained
// Stderr: (?s)"reserved.*"size": "1M",.*"idle_bytes": 10[4-9]\d{6},\s"retained_bytes": 1[01]\d{6},
// Run: filtered
// Args: filtered
// Stderr: (?s)"size": "1M",.*"idle_bytes": (10[4-9]\d{6}),\s"retained_bytes": \1,
#include "tests/programs/memory.h"
#include "tests/programs/seccomp.h"

namespace {

bool is_filtered() {
  const promise::FileText<4096> status("/proc/thread-self/status");
  return strstr(status.text, "\nSeccomp:\t0\n") == nullptr;
}

// Uses a hundred buffers of a megabyte, of which a tenth is touched.
void use_little() {
  std::array<void*, 100> held{};
  for (void*& memory : held) promise::fill(memory = promise::get<void>(1 << 20), 100'000, 1);
  for (void* memory : held) promise::put(memory);
}

void* grown(std::size_t last) {
  void* memory = nullptr;
  for (std::size_t bytes = 600; bytes < last; bytes += bytes / 2) {
    memory = realloc(promise::hide(memory), promise::hide(bytes));
    promise::keep(memory != nullptr, "realloc gives memory");
    memset(memory, 1, bytes < 60'000 ? bytes : 60'000);
  }
  return memory;
}

// Grows two buffers that stay small, in slots as wide as the ones before them needed. A slot in a
// CPU's cache counts as idle from end to end, so the caches have no room for one.
void grow_little() {
  for (int i = 0; i < 4; ++i) promise::put(grown(15 << 20));
  void* const held[] = {grown(60'000), grown(60'000)};
  for (void* memory : held) promise::put(memory);
  promise::use(5000, 200);
}

}  // namespace

int main(int, char** arguments) {
  if (strcmp(arguments[1], "contained") == 0) {
    promise::answer_calls({SYS_mincore}, SECCOMP_RET_KILL_PROCESS);
    execl("/proc/self/exe", arguments[0], "inside", nullptr);
  }
  const bool growing = strcmp(arguments[1], "growing") == 0;
  growing ? grow_little() : use_little();
  if (strcmp(arguments[1], "inside") == 0) {
    promise::keep(is_filtered(), "the filter outlives exec");
  } else if (strcmp(arguments[1], "filtered") != 0) {
    if (is_filtered()) promise::skip("a filter of system calls is in force");
  } else {
    promise::answer_calls({SYS_mincore}, SECCOMP_RET_KILL_PROCESS);
  }
}
