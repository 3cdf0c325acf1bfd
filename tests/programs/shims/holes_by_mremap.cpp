// SPDX-License-Identifier: MIT
// Refuses to move pages as kernels do that unmap the target first. Another thread's mapping is in
// the hole before the caller looks again. It is for large_growth_survives_refusals. libc's syscall
// is the one function by which the library moves pages.
#include <sys/mman.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstring>

#include "tests/programs/shims/raw_call.h"

namespace {

std::array<void*, 256> strangers;
std::size_t count;
std::size_t refused;

// Returns the kernel's result.
long refuse_to_move(const std::array<long, 6>& arguments) {
  if ((arguments[3] & MREMAP_FIXED) == 0) return -ENOMEM;
  auto* const to = reinterpret_cast<void*>(arguments[4]);
  munmap(to, static_cast<std::size_t>(arguments[2]));
  // Every other time nobody is in the way.
  if (refused++ % 2 == 0 && count < strangers.size()) {
    void* const stranger = mmap(to, 4096, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (stranger != MAP_FAILED) strangers[count++] = memset(stranger, 0x5a, 4096);
  }
  return -EINVAL;
}

}  // namespace

extern "C" {

long syscall(long number, ...) noexcept {
  va_list list;
  va_start(list, number);
  std::array<long, 6> arguments;
  for (long& argument : arguments) argument = va_arg(list, long);
  va_end(list);
  const long result = number == SYS_mremap ? refuse_to_move(arguments) : call(number, arguments);
  if (result >= 0 || result <= -4096) return result;
  errno = static_cast<int>(-result);
  return -1;
}

// Returns how many there are, or -1 if one was written to, or lost.
int unharmed_strangers() {
  for (std::size_t i = 0; i < count; ++i) {
    const auto* bytes = static_cast<const unsigned char*>(strangers[i]);
    if (bytes[0] != 0x5a || memcmp(bytes, bytes + 1, 4095) != 0) return -1;
  }
  return static_cast<int>(count);
}
}
