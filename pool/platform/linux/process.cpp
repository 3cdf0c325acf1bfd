// SPDX-License-Identifier: MIT
#include "pool/platform/process.h"

#include <sched.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstring>

#include "pool/platform/linux/files.h"
#include "pool/platform/linux/system_calls.h"
#include "pool/platform/memory.h"

namespace bufpool::platform {
namespace {

// Returns field `index` of statm in bytes: 0 is the address space, and 1 is what is resident. The
// file of the process is empty once its main thread has ended, so the thread's is read.
std::size_t statm_bytes(int index) noexcept {
  const KeepErrno keep;
  char text[128];
  const std::size_t length = ReadOnlyFile("/proc/thread-self/statm").read(text);
  std::size_t pages = 0;
  for (std::size_t i = 0; i < length && index >= 0; ++i) {
    if (text[i] == ' ') {
      --index;
    } else if (index == 0 && text[i] >= '0' && text[i] <= '9') {
      pages = pages * 10 + static_cast<std::size_t>(text[i] - '0');
    }
  }
  return pages * kPageBytes;
}

}  // namespace

std::size_t address_space_limit() noexcept {
  const KeepErrno keep;
  rlimit limit{};
  const bool limited = getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  return limited ? limit.rlim_cur : SIZE_MAX;
}

std::size_t address_space_used() noexcept { return statm_bytes(0); }

std::size_t resident_bytes() noexcept { return statm_bytes(1); }

std::uint32_t usable_cpus() noexcept {
  const KeepErrno keep;
  cpu_set_t cpus[8];  // one is refused by a kernel that is ready for more than 1024 CPUs
  if (sched_getaffinity(0, sizeof cpus, cpus) != 0) return 1;
  const int count = CPU_COUNT_S(sizeof cpus, cpus);
  return count < 1 ? 1 : static_cast<std::uint32_t>(count);
}

std::uint64_t process_secret() noexcept {
  // These are the kernel's 16 random bytes of this exec. libc draws its stack and pointer guards
  // from them, so they are mixed one way before they are written into buffers' guard lines.
  std::uint64_t parts[2] = {0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9};
  if (const auto* random = reinterpret_cast<const void*>(getauxval(AT_RANDOM))) {
    std::memcpy(parts, random, sizeof parts);
  }
  std::uint64_t mixed = parts[0] ^ (parts[1] >> 29 | parts[1] << 35);
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return (mixed ^ (mixed >> 31)) | std::uint64_t{1} << 63;
}

std::uint32_t process_id() noexcept { return static_cast<std::uint32_t>(getpid()); }

}  // namespace bufpool::platform
