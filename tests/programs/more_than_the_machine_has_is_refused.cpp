// SPDX-License-Identifier: MIT
// Promise: a request for far more memory than the machine has fails with ENOMEM, where the kernel
//   refuses obvious overcommitment, and a buffer that could not grow is as it was.
#include <malloc.h>
#include <sys/sysinfo.h>

#include <cerrno>

#include "tests/programs/memory.h"

namespace {

// The kernel refuses what is more than all memory and all swap.
std::size_t too_much() {
  struct sysinfo machine = {};
  promise::keep(sysinfo(&machine) == 0, "the kernel tells of the machine");
  return 2 * (machine.totalram + machine.totalswap) * machine.mem_unit + (std::size_t{2} << 30);
}

void keep_refused(void* memory, const char* what) {
  promise::keep(memory == nullptr && errno == ENOMEM, what);
  errno = 0;
}

}  // namespace

int main() {
  if (promise::FileText<16>("/proc/sys/vm/overcommit_memory").text[0] != '0') {
    promise::skip("the kernel refuses by another rule");
  }
  const std::size_t bytes = too_much();
  errno = 0;
  keep_refused(promise::hide(malloc(bytes)), "malloc");
  keep_refused(promise::hide(calloc(16, bytes / 16)), "calloc");
  keep_refused(promise::hide(memalign(1 << 16, bytes)), "memalign");
  for (const std::size_t held : {std::size_t{100}, std::size_t{5000}, 8 * promise::kMiB}) {
    void* const memory = promise::get<void>(held);
    promise::fill(memory, held, 1);
    keep_refused(promise::hide(realloc(memory, bytes)), "realloc");
    promise::keep(promise::holds(memory, held, 1), "the buffer is as it was");
    promise::put(memory);
  }
  void* const large = promise::get<void>(std::size_t{1200} << 20);
  keep_refused(promise::hide(realloc(large, bytes)), "realloc of a large one");
  promise::put(large);
}
