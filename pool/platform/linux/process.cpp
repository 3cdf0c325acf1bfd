// SPDX-License-Identifier: MIT
#include "pool/platform/process.h"

#include <sched.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "pool/platform/linux/files.h"
#include "pool/platform/linux/system_calls.h"
#include "pool/platform/memory.h"

namespace bufpool::platform {
namespace {

// Holds the fields of statm in bytes. They are 0 where the kernel does not tell.
struct Statm {
  static constexpr int kAddresses = 0;
  static constexpr int kResident = 1;
  static constexpr int kData = 5;
  std::size_t bytes[kData + 1] = {};
};

// The file of the process is empty once its main thread has ended, so the thread's is read.
Statm statm() noexcept {
  const KeepErrno keep;
  char text[128];
  const std::size_t length = ReadOnlyFile("/proc/thread-self/statm").read(text);
  Statm found;
  std::string_view rest(text, length);
  for (std::size_t& bytes : found.bytes) {
    const auto [pages, behind] = leading_number(rest);
    if (rest.empty()) break;
    bytes = pages * kPageBytes;
    rest = behind.substr(std::min<std::size_t>(1, behind.size()));
  }
  return found;
}

std::size_t limit_of(__rlimit_resource resource) noexcept {
  rlimit limit{};
  const bool limited = getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  return limited ? limit.rlim_cur : SIZE_MAX;
}

}  // namespace

Space space_limits() noexcept {
  const KeepErrno keep;
  return {limit_of(RLIMIT_AS), limit_of(RLIMIT_DATA)};
}

Space space_used() noexcept {
  const Statm now = statm();
  return {now.bytes[Statm::kAddresses], now.bytes[Statm::kData]};
}

std::size_t resident_bytes() noexcept { return statm().bytes[Statm::kResident]; }

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
