// SPDX-License-Identifier: MIT
// Holds the threads that look how much address space is used until as many of them look as the
// program has said. libc's syscall is the one function by which the library opens such files.
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdarg>

#include "tests/programs/shims/raw_call.h"

extern "C" {

std::atomic<int> looks_to_gather{0};
std::atomic<int> looks_gathered{0};
}

namespace {

thread_local bool looks = false;

void gather() {
  if (++looks_gathered > looks_to_gather) return;
  while (looks_gathered < looks_to_gather) usleep(1000);
}

}  // namespace

extern "C" long syscall(long number, ...) noexcept {
  va_list list;
  va_start(list, number);
  std::array<long, 6> arguments;
  for (long& argument : arguments) argument = va_arg(list, long);
  va_end(list);
  if (number == SYS_openat) {
    looks = strstr(reinterpret_cast<const char*>(arguments[1]), "statm") != nullptr;
  } else if (number == SYS_close && looks) {  // it has read the file
    looks = false;
    gather();
  }
  const long result = call(number, arguments);
  if (result < 0 && result > -4096) {
    errno = static_cast<int>(-result);
    return -1;
  }
  return result;
}
