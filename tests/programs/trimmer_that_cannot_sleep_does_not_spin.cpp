// SPDX-License-Identifier: MIT
// Promise: if a filter refuses sleep to the thread that gives memory back, it sleeps otherwise, or
//   leaves the work to the program's own calls. It never takes a CPU for itself.
// Needs: library
// Env: BUFPOOL_TRIMMER=on BUFPOOL_RETAIN_TIME=500ms
// Run: no-poll
// Args: one
// Run: no-sleep
// Args: both
#include <string_view>

#include "tests/programs/memory.h"
#include "tests/programs/seccomp.h"

namespace {

std::uint64_t cpu_ms() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1000 +
         static_cast<std::uint64_t>(time.tv_nsec) / 1'000'000;
}

void refuse_sleep(bool both) {
  constexpr unsigned kRefuse = SECCOMP_RET_ERRNO | EPERM;
  constexpr unsigned kAll = SECCOMP_FILTER_FLAG_TSYNC;
  promise::answer_calls({{{SYS_poll}, kRefuse}}, SECCOMP_RET_ALLOW, kAll);
  if (both) promise::answer_calls({{{SYS_futex}, kRefuse}}, SECCOMP_RET_ALLOW, kAll);
}

}  // namespace

int main(int, char** arguments) {
  promise::keep(promise::comes_true([] { return promise::trimmer_thread() != 0; }), "it is there");
  const std::size_t before = promise::resident_bytes();
  { promise::Burst burst(30 * promise::kMiB, 70'000); }
  refuse_sleep(std::string_view(arguments[1]) == "both");
  const std::uint64_t used = cpu_ms();
  const std::uint64_t start = promise::now_ms();
  promise::sleep_ms(1500);
  promise::keep((cpu_ms() - used) * 5 < promise::now_ms() - start, "it does not spin");
  promise::keep(promise::comes_true([&] {
                  promise::Burst burst(3 * promise::kMiB, 300'000);
                  return promise::grown_since(before) < 12 * promise::kMiB;
                }),
                "memory goes back all the same");
}
