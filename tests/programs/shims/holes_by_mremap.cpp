// SPDX-License-Identifier: MIT
// Refuses to move pages as kernels do that unmap the target first. Another thread's mapping is in
// the hole before the caller looks again. It is for large_growth_survives_refusals.
#include <sys/mman.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstring>

namespace {

std::array<void*, 256> strangers;
std::size_t count;
std::size_t refused;

}  // namespace

extern "C" {

void* mremap(void*, std::size_t, std::size_t bytes, int flags, ...) noexcept {
  va_list rest;
  va_start(rest, flags);
  void* const to = va_arg(rest, void*);
  va_end(rest);
  errno = ENOMEM;
  if ((flags & MREMAP_FIXED) == 0) return MAP_FAILED;
  munmap(to, bytes);
  // Every other time nobody is in the way.
  if (refused++ % 2 == 0 && count < strangers.size()) {
    void* const stranger = mmap(to, 4096, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (stranger != MAP_FAILED) strangers[count++] = memset(stranger, 0x5a, 4096);
  }
  errno = EINVAL;
  return MAP_FAILED;
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
