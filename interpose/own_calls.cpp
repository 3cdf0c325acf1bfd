// SPDX-License-Identifier: MIT
// The linker sends here the calls by which this library asks the kernel (CMakeLists.txt has their
// names). ISO C leaves most of these names to programs, and a program's own `write` stands in front
// of libc's for every library in the process. A library that is preloaded before this one may stand
// there, too, and ask for memory in its `mremap`. So the kernel is asked by number, as libc does
// it. None of these is a point of cancellation.
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace {

// The kernel's sets have a bit for each signal, and libc's begin with these.
using Signals = std::uint64_t;

// libc keeps two signals for itself, and nobody may block them.
constexpr Signals kOfLibc = Signals{3} << 31;

constexpr Signals bit_of(int signal) noexcept { return Signals{1} << (signal - 1); }

Signals& of(sigset_t* set) noexcept { return *reinterpret_cast<Signals*>(set); }
const Signals& of(const sigset_t* set) noexcept { return *reinterpret_cast<const Signals*>(set); }

}  // namespace

extern "C" {

// This is libc's getauxval() by a name that no program may have.
unsigned long __getauxval(unsigned long type) noexcept;  // NOLINT(bugprone-reserved-identifier)

// The names are the linker's.
// NOLINTBEGIN(bugprone-reserved-identifier)

int __wrap_open(const char* path, int flags, ...) noexcept {
  va_list rest;
  va_start(rest, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

int __wrap_close(int file) noexcept { return static_cast<int>(syscall(SYS_close, file)); }

ssize_t __wrap_write(int file, const void* bytes, std::size_t count) noexcept {
  return syscall(SYS_write, file, bytes, count);
}

ssize_t __wrap_send(int file, const void* bytes, std::size_t count, int flags) noexcept {
  return syscall(SYS_sendto, file, bytes, count, flags, nullptr, 0);
}

int __wrap_fcntl(int file, int command, ...) noexcept {
  va_list rest;
  va_start(rest, command);
  const auto argument = va_arg(rest, long);
  va_end(rest);
  return static_cast<int>(syscall(SYS_fcntl, file, command, argument));
}

int __wrap_fstat(int file, struct stat* status) noexcept {
  return static_cast<int>(syscall(SYS_newfstatat, file, "", status, AT_EMPTY_PATH));
}

int __wrap_stat(const char* path, struct stat* status) noexcept {
  return static_cast<int>(syscall(SYS_newfstatat, AT_FDCWD, path, status, 0));
}

int __wrap_statx(int folder, const char* path, int flags, unsigned mask,
                 struct statx* status) noexcept {
  return static_cast<int>(syscall(SYS_statx, folder, path, flags, mask, status));
}

int __wrap_fstatfs(int file, struct statfs* status) noexcept {
  return static_cast<int>(syscall(SYS_fstatfs, file, status));
}

// Returns nullptr for a folder that cannot be reached from the root, too.
char* __wrap_getcwd(char* path, std::size_t bytes) noexcept {
  if (syscall(SYS_getcwd, path, bytes) > 0 && path[0] == '/') return path;
  return nullptr;
}

int __wrap_poll(pollfd* files, nfds_t count, int milliseconds) noexcept {
#ifdef SYS_poll
  return static_cast<int>(syscall(SYS_poll, files, count, milliseconds));
#else
  const timespec time{milliseconds / 1000, milliseconds % 1000 * 1'000'000L};
  return static_cast<int>(
      syscall(SYS_ppoll, files, count, milliseconds < 0 ? nullptr : &time, nullptr, 0));
#endif
}

void* __wrap_mremap(void* start, std::size_t bytes, std::size_t wanted, int flags, ...) noexcept {
  va_list rest;
  va_start(rest, flags);
  void* const to = (flags & MREMAP_FIXED) != 0 ? va_arg(rest, void*) : nullptr;
  va_end(rest);
  return reinterpret_cast<void*>(syscall(SYS_mremap, start, bytes, wanted, flags, to));
}

int __wrap_mincore(void* start, std::size_t bytes, unsigned char* pages) noexcept {
  return static_cast<int>(syscall(SYS_mincore, start, bytes, pages));
}

int __wrap_getrlimit(int resource, rlimit* limit) noexcept {
  return static_cast<int>(syscall(SYS_prlimit64, 0, resource, nullptr, limit));
}

int __wrap_sched_getaffinity(pid_t thread, std::size_t bytes, cpu_set_t* cpus) noexcept {
  const long written = syscall(SYS_sched_getaffinity, thread, bytes, cpus);
  if (written < 0) return -1;
  std::memset(reinterpret_cast<char*>(cpus) + written, 0,
              bytes - static_cast<std::size_t>(written));
  return 0;
}

pid_t __wrap_getpid() noexcept { return static_cast<pid_t>(syscall(SYS_getpid)); }
pid_t __wrap_getppid() noexcept { return static_cast<pid_t>(syscall(SYS_getppid)); }
uid_t __wrap_geteuid() noexcept { return static_cast<uid_t>(syscall(SYS_geteuid)); }

unsigned long __wrap_getauxval(unsigned long type) noexcept { return __getauxval(type); }

int __wrap_sigemptyset(sigset_t* set) noexcept {
  *set = {};
  return 0;
}

int __wrap_sigfillset(sigset_t* set) noexcept {
  *set = {};
  of(set) = ~kOfLibc;
  return 0;
}

int __wrap_sigaddset(sigset_t* set, int signal) noexcept {
  of(set) |= bit_of(signal);
  return 0;
}

int __wrap_sigdelset(sigset_t* set, int signal) noexcept {
  of(set) &= ~bit_of(signal);
  return 0;
}

int __wrap_sigismember(const sigset_t* set, int signal) noexcept {
  return (of(set) & bit_of(signal)) != 0 ? 1 : 0;
}

// Returns an error instead of setting errno, as libc's does.
int __wrap_pthread_sigmask(int how, const sigset_t* set, sigset_t* before) noexcept {
  const int kept = errno;
  const long result = syscall(SYS_rt_sigprocmask, how, set, before, sizeof(Signals));
  const int error = result == 0 ? 0 : errno;
  errno = kept;
  return error;
}

int __wrap_sigpending(sigset_t* set) noexcept {
  *set = {};
  return static_cast<int>(syscall(SYS_rt_sigpending, set, sizeof(Signals)));
}

int __wrap_sigtimedwait(const sigset_t* set, siginfo_t* info, const timespec* time) noexcept {
  return static_cast<int>(syscall(SYS_rt_sigtimedwait, set, info, time, sizeof(Signals)));
}

// NOLINTEND(bugprone-reserved-identifier)

}  // extern "C"
