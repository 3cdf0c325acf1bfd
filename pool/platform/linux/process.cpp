// SPDX-License-Identifier: MIT
// Implements process.h and safe_calls.h.
#include "pool/platform/process.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "pool/platform/linux/files.h"
#include "pool/platform/linux/system_calls.h"
#include "pool/platform/memory.h"
#include "pool/platform/safe_calls.h"

namespace bufpool::platform {
namespace {

constinit int filters_at_start = kNotTold;
constinit std::atomic<bool> filter_is_expected{false};

// Returns what begins with a field of the process's stat, which proc(5) numbers. The name, which is
// field 2, may hold any character but ends with the last bracket. Pre: `field` is 3 or more.
std::string_view stat_from(int field, std::span<char> buffer) noexcept {
  std::string_view rest = beginning_of("/proc/self/stat", buffer);
  rest.remove_prefix(std::min(rest.size(), rest.rfind(')') + 1));
  for (int i = 2; i < field; ++i) {
    rest.remove_prefix(std::min(rest.size(), rest.find(' ') + 1));
  }
  return rest;
}

// Returns the time on CPUs that all threads had, in milliseconds. getrusage would tell it more
// exactly, but a filter of system calls that allows the report to read files may kill the process
// for it.
std::uint64_t cpu_ms() noexcept {
  constexpr int kUserTime = 14;
  constexpr std::uint64_t kTickMs = 10;  // the kernel's USER_HZ is 100 on all of Linux but Alpha's
  char text[1024];
  const Number user = leading_number(stat_from(kUserTime, text));
  if (user.rest.empty()) return 0;
  const Number system = leading_number(user.rest.substr(1));
  return system.value == kUnknown ? 0 : (user.value + system.value) * kTickMs;
}

// Returns the bytes that a line tells in KiB, or 0 if there is none.
std::uint64_t kib_in(const NumberLine& line) noexcept {
  constexpr std::uint64_t kKiB = 1024;
  return line.value == kUnknown ? 0 : line.value * kKiB;
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

// The status of the process is empty once its main thread has ended, and that of a thread tells the
// memory of all.
Space space_used() noexcept {
  const KeepErrno keep;
  NumberLine lines[] = {{"VmSize:"}, {"VmData:"}};
  read_numbers("/proc/thread-self/status", lines);
  return {kib_in(lines[0]), kib_in(lines[1])};
}

ProcessUse process_use() noexcept {
  const KeepErrno keep;
  NumberLine lines[] = {{"VmHWM:"}, {"VmRSS:"}};
  read_numbers("/proc/thread-self/status", lines);
  return {kib_in(lines[1]), kib_in(lines[0]), cpu_ms()};
}

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

// The main thread may have ended. Its namespace is not told then.
ProcessIdentity process_identity() noexcept {
  const KeepErrno keep;
  constexpr int kStartTime = 22;
  char text[1024];
  const Number started = leading_number(stat_from(kStartTime, text));
  struct stat space = {};
  if (started.value == kUnknown) return {};
  if (syscall(SYS_newfstatat, AT_FDCWD, "/proc/thread-self/ns/pid", &space, 0) != 0) return {};
  return {started.value, space.st_ino};
}

std::uint32_t process_id() noexcept { return static_cast<std::uint32_t>(getpid()); }

// "Seccomp:" is 0 without filters and 2 with some. "Seccomp_filters:" says how many, since Linux
// 5.9.
int call_filters(const char* status) noexcept {
  constexpr std::uint64_t kFiltered = 2;
  const KeepErrno keep;
  NumberLine lines[] = {{"Seccomp:"}, {"Seccomp_filters:"}};
  if (!read_numbers(status, lines)) return kNotTold;
  const std::uint64_t mode = lines[0].value;
  const std::uint64_t filters = lines[1].value;
  if (mode == 0) return 0;
  return mode == kFiltered && filters != kUnknown ? static_cast<int>(filters) : kNotTold;
}

void remember_filters() noexcept { filters_at_start = call_filters(); }

SafeCalls safe_calls(const char* status) noexcept {
  const int filters = call_filters(status);
  if (filters == 0) return SafeCalls::kAny;
  const bool as_at_start = filters != kNotTold && filters == filters_at_start;
  return as_at_start ? SafeCalls::kLoaders : SafeCalls::kFew;
}

void expect_filter() noexcept { filter_is_expected.store(true, std::memory_order_relaxed); }

bool expects_filter() noexcept { return filter_is_expected.load(std::memory_order_relaxed); }

}  // namespace bufpool::platform
