// SPDX-License-Identifier: MIT
#include "pool/platform/shared_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>

#include "pool/platform/linux/files.h"
#include "pool/platform/linux/system_calls.h"
#include "pool/platform/process.h"

namespace bufpool::platform {
namespace {

// The headers of Debian 12's glibc lack it. Linux has it since 6.3.
#ifdef MFD_NOEXEC_SEAL
constexpr unsigned kNoExecSeal = MFD_NOEXEC_SEAL;
#else
constexpr unsigned kNoExecSeal = 8;
#endif

// A file that grows beyond the limit ends the process (SIGXFSZ).
bool may_be_as_large(std::size_t bytes) noexcept {
  rlimit limit{};
  return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur >= bytes;
}

// A call of the program's may be interrupted by a signal; this one is then made again.
void* map_descriptor(const Descriptor& file, std::size_t bytes, void* at) noexcept {
  const int flags = MAP_SHARED | (at != nullptr ? MAP_FIXED : 0);
  void* const got = mmap(at, bytes, PROT_READ | PROT_WRITE, flags, file.number(), 0);
  return got == MAP_FAILED ? nullptr : got;
}

long new_memory_file(const char* name) noexcept {
  const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const long file = syscall(SYS_memfd_create, name, flags | kNoExecSeal);
  return file >= 0 || errno != EINVAL ? file : syscall(SYS_memfd_create, name, flags);
}

// The writable mapping that is there stays one.
bool seal(const Descriptor& file) noexcept {
  constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
  return syscall(SYS_fcntl, file.number(), F_ADD_SEALS, kSeals) == 0;
}

// PID.RANDOM: processes of two containers may have one number and one folder.
void name_file(const char* folder, FileName& name) noexcept {
  char* const end = name.text + sizeof name.text - 1;
  const std::size_t length = std::min(std::strlen(folder), sizeof name.text - 40);
  char* at = std::copy_n(folder, length, name.text);
  *at++ = '/';
  at = std::to_chars(at, end, process_id()).ptr;
  *at++ = '.';
  const std::uint64_t chance = process_secret() ^ clock_times().since_boot_ns * 0x9e3779b97f4a7c15;
  at = std::to_chars(at, end, chance, 16).ptr;
  *at = '\0';
}

bool is_own_new_file(const Descriptor& file) noexcept {
  struct stat now = {};
  return fstat(file.number(), &now) == 0 && S_ISREG(now.st_mode) && now.st_uid == geteuid() &&
         now.st_nlink == 1 && now.st_size == 0;
}

// Of these there is no writing back.
bool is_in_memory(const Descriptor& file) noexcept {
  struct statfs system = {};
  return fstatfs(file.number(), &system) == 0 &&
         (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC);
}

void* fill_named_file(const Descriptor& file, std::size_t bytes, void* at) noexcept {
  if (!is_own_new_file(file) || !is_in_memory(file)) return nullptr;
  if (syscall(SYS_flock, file.number(), LOCK_EX | LOCK_NB) != 0) return nullptr;
  if (syscall(SYS_fallocate, file.number(), 0, 0L, bytes) != 0) return nullptr;
  return map_descriptor(file, bytes, at);
}

std::uint64_t nanoseconds(clockid_t clock) noexcept {
  timespec now{};
  syscall(SYS_clock_gettime, clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000000000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

void* map_memory_file(const char* name, std::size_t bytes, void* at) noexcept {
  const KeepErrno keep;
  if (!may_be_as_large(bytes)) return nullptr;
  const Descriptor file(static_cast<int>(new_memory_file(name)));
  if (!file.is_open() || syscall(SYS_ftruncate, file.number(), bytes) != 0) return nullptr;
  // Where the seals are refused (before Linux 5.1) the page is as safe as the process's memory:
  // only those who may trace the process reach the file.
  void* const mapped = map_descriptor(file, bytes, at);
  if (mapped != nullptr) (void)seal(file);
  return mapped;
}

void* map_named_file(const char* folder, std::size_t bytes, void* at, FileName& name) noexcept {
  const KeepErrno keep;
  if (!may_be_as_large(bytes)) return nullptr;
  name_file(folder, name);
  constexpr int kFlags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const Descriptor file(static_cast<int>(syscall(SYS_openat, AT_FDCWD, name.text, kFlags, 0600)));
  void* const mapped = file.is_open() ? fill_named_file(file, bytes, at) : nullptr;
  if (mapped == nullptr) {
    if (file.is_open()) remove_file(name);
    name.text[0] = '\0';
  }
  return mapped;
}

void remove_file(const FileName& name) noexcept {
  const KeepErrno keep;
  if (name.text[0] != '\0') syscall(SYS_unlink, name.text);
}

bool replace_by_private(void* start, std::size_t bytes) noexcept {
  const KeepErrno keep;
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  return mmap(start, bytes, PROT_READ | PROT_WRITE, kFlags, -1, 0) == start;
}

bool wipe_on_fork(void* start, std::size_t bytes) noexcept {
  const KeepErrno keep;
  return madvise(start, bytes, MADV_WIPEONFORK) == 0;
}

// The kernel tells how long its sets of CPUs are.
std::uint32_t possible_cpus() noexcept {
  const KeepErrno keep;
  cpu_set_t cpus[8];
  const long bytes = syscall(SYS_sched_getaffinity, 0, sizeof cpus, cpus);
  return bytes <= 0 ? 0 : static_cast<std::uint32_t>(bytes * 8);
}

ClockTimes clock_times() noexcept {
  const KeepErrno keep;
  return {nanoseconds(CLOCK_REALTIME), nanoseconds(CLOCK_BOOTTIME)};
}

std::uint32_t parent_process_id() noexcept { return static_cast<std::uint32_t>(getppid()); }

const char* command_name() noexcept {
  return program_invocation_short_name != nullptr ? program_invocation_short_name : "";
}

// The last line is that of the unified tree, or of systemd's own: "0::/system.slice/x.service".
void read_control_group(char* out, std::size_t bytes) noexcept {
  const KeepErrno keep;
  char text[1024];
  std::string_view lines(text, ReadOnlyFile("/proc/self/cgroup").read(text));
  while (lines.ends_with('\n')) lines.remove_suffix(1);
  std::string_view line = lines.substr(lines.rfind('\n') + 1);
  for (int colons = 0; colons < 2; ++colons) {
    line.remove_prefix(std::min(line.size(), line.find(':') + 1));
  }
  const std::size_t length = line.copy(out, bytes - 1);
  out[length] = '\0';
}

}  // namespace bufpool::platform
