// SPDX-License-Identifier: MIT
// Promise: buffers lie where mimalloc asks for no addresses, however the kernel lays a process out:
//   from the top, from the middle as it once did, or with a stack that has no limit.
// Needs: library
#include <sys/personality.h>
#include <sys/resource.h>

#include <string_view>

#include "tests/programs/memory.h"

namespace {

constexpr std::uintptr_t kHintsBegin = std::uintptr_t{2} << 40;
constexpr std::uintptr_t kHintsEnd = std::uintptr_t{30} << 40;

void check() {
  for (std::size_t size = 512; size < (4 << 20); size *= 2) {
    const auto address = reinterpret_cast<std::uintptr_t>(promise::get<void>(size));
    promise::keep(address < kHintsBegin || address >= kHintsEnd, "a buffer is clear of hints");
  }
}

void use_old_layout() {
  const int now = personality(0xffffffff);
  if (now == -1 || personality(now | ADDR_COMPAT_LAYOUT) == -1) promise::skip("it may not be had");
}

void lift_stack_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_STACK, &limit);
  if (limit.rlim_max != RLIM_INFINITY) promise::skip("there is a limit");
  limit.rlim_cur = RLIM_INFINITY;
  promise::keep(setrlimit(RLIMIT_STACK, &limit) == 0, "the stack has no limit");
}

}  // namespace

int main(int count, char** words) {
  check();
  const std::string_view layout = count > 1 ? words[1] : "top";
  if (layout == "unlimited") return 0;
  const bool top = layout == "top";
  top ? use_old_layout() : lift_stack_limit();
  if (!top) personality(personality(0xffffffff) & ~ADDR_COMPAT_LAYOUT);
  execl("/proc/self/exe", words[0], top ? "middle" : "unlimited", nullptr);
  promise::keep(false, "the program starts itself again");
}
