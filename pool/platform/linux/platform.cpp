// SPDX-License-Identifier: MIT
#include "pool/platform/platform.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

#include "pool/platform/linux/file.h"
#include "pool/platform/linux/keep_errno.h"

// Absent before glibc 2.35.
#pragma weak _dl_find_object

// Absent before glibc 2.35: then there are no sequences, and their place in the thread is unknown.
#pragma weak __rseq_offset
#pragma weak __rseq_size

namespace bufpool::platform {
namespace {

// For passes over the classes; untouched pages of it cost nothing.
constexpr std::size_t kThreadStack = 256 << 10;

// Bytes that libc puts on a thread's stack before the thread has any of it: the initial TLS of all
// that is loaded, foremost. It grows no more once the program runs. 0: not known.
constinit std::atomic<std::size_t> libc_stack{0};

// The calls that a filter has refused to this thread, which are not made again: filters stay. They
// are a thread's own, and of those that it starts, so others may have more luck.
enum class Call : unsigned {
  kCommit = 1,
  kPurge = 2,
  kMovePages = 4,
  kRestart = 8,
  kThread = 16,
  kHugePages = 32,
  kSmallPages = 64,
  kSplit = 128,
};
constinit thread_local unsigned refused_calls [[gnu::tls_model("initial-exec")]] = 0;

bool is_refused(Call call) noexcept { return (refused_calls & static_cast<unsigned>(call)) != 0; }

// Filters answer by one of these errors. None is an answer of the calls' own.
void note_error(Call call, int error) noexcept {
  const bool refused = error == EPERM || error == ENOSYS || error == EACCES;
  if (refused) refused_calls |= static_cast<unsigned>(call);
}

// Makes a call that is not refused. False: it failed, or it was not made.
template <typename Make>
bool try_call(Call call, Make make) noexcept {
  if (is_refused(call)) return false;
  const KeepErrno keep;
  if (make()) return true;
  note_error(call, errno);
  return false;
}

// The kernel is ready for restart_sequences().
constinit std::atomic<bool> may_restart{false};

// How address space is reserved.
constexpr int kReserving = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

// Field `index` of statm in bytes: 0 the address space, 1 what is resident. That of the process is
// empty once its main thread has ended.
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

// Whether a range lies in one mapping. It is found out by asking for a page more where there is no
// room for one: what lies in several is refused for that instead. Pre: the page behind is mapped.
bool in_one_mapping(void* start, std::size_t bytes) noexcept {
  if (mremap(start, bytes, bytes + kPageBytes, 0) != MAP_FAILED) return false;
  note_error(Call::kMovePages, errno);
  return errno == ENOMEM;
}

}  // namespace

void unreserve(void* start, std::size_t bytes) noexcept {
  const KeepErrno keep;
  if (bytes != 0) munmap(start, bytes);
}

bool unmap(void* start, std::size_t bytes) noexcept {
  const KeepErrno keep;
  return bytes == 0 || munmap(start, bytes) == 0;
}

// Kernels before 4.17 do not know MAP_FIXED_NOREPLACE and take the address for a wish.
Mapped map_at(void* start, std::size_t bytes) noexcept {
  const KeepErrno keep;
  if (getauxval(AT_PAGESZ) != kPageBytes) return Mapped::kRefused;
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
  void* const got = mmap(start, bytes, PROT_READ | PROT_WRITE, kFlags, -1, 0);
  if (got == start) return Mapped::kYes;
  if (got == MAP_FAILED) return errno == EEXIST ? Mapped::kOccupied : Mapped::kRefused;
  munmap(got, bytes);
  return Mapped::kOccupied;
}

bool map_over(void* start, std::size_t bytes) noexcept {
  const KeepErrno keep;
  constexpr int kFlags = kReserving | MAP_FIXED;
  return mmap(start, bytes, PROT_READ | PROT_WRITE, kFlags, -1, 0) != MAP_FAILED;
}

bool commit(void* start, std::size_t bytes) noexcept {
  return try_call(Call::kCommit, [=]() noexcept {
    return syscall(SYS_mprotect, start, bytes, PROT_READ | PROT_WRITE) == 0;
  });
}

// The kernel writes this thread's signal mask there.
bool is_writable(std::uint64_t* word) noexcept {
  const KeepErrno keep;
  return syscall(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, word, sizeof *word) == 0;
}

bool purge(void* start, std::size_t bytes) noexcept {
  return try_call(Call::kPurge,
                  [=]() noexcept { return madvise(start, bytes, MADV_DONTNEED) == 0; });
}

bool may_purge() noexcept { return !is_refused(Call::kPurge); }

// Several mappings are not tried: some may have moved when the kernel refuses (Linux 6.17). The
// kernel unmaps the target first, and may refuse then. It leaves a hole, which another thread's
// mmap may be given at once. So the hole is filled only if it still is one; a
// target that is mapped may be ours as it was, or somebody else's.
Moved move_pages(void* start, std::size_t bytes, void* to) noexcept {
  const KeepErrno keep;
  constexpr int kFlags = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
  if (is_refused(Call::kMovePages) || !in_one_mapping(start, bytes)) return Moved::kNo;
  const bool moved = try_call(Call::kMovePages, [=]() noexcept {
    return mremap(start, bytes, bytes, kFlags, to) != MAP_FAILED;
  });
  if (moved) return Moved::kYes;
  void* const filled = mmap(to, bytes, PROT_NONE, kReserving | MAP_FIXED_NOREPLACE, -1, 0);
  if (filled == to) return Moved::kNo;
  if (filled != MAP_FAILED) munmap(filled, bytes);  // before Linux 4.17 the address is a wish
  return Moved::kLost;
}

bool want_huge_pages(void* start, std::size_t bytes) noexcept {
  return try_call(Call::kHugePages,
                  [=]() noexcept { return madvise(start, bytes, MADV_HUGEPAGE) == 0; });
}

bool want_small_pages(void* start, std::size_t bytes) noexcept {
  return try_call(Call::kSmallPages,
                  [=]() noexcept { return madvise(start, bytes, MADV_NOHUGEPAGE) == 0; });
}

// The kernel splits a huge page of which a part is said to be cold (Linux 5.4).
void split_huge_pages(void* start, std::size_t bytes) noexcept {
  if (bytes == 0) return;
  (void)try_call(Call::kSplit, [=]() noexcept { return madvise(start, bytes, MADV_COLD) == 0; });
}

void* map(std::size_t bytes) noexcept {
  const KeepErrno keep;
  void* start = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return start == MAP_FAILED ? nullptr : start;
}

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
  // The kernel's 16 random bytes of this exec. libc draws its stack and pointer guards from them,
  // so they are mixed one way before they are written into buffers' guard lines.
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

void relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

void wait_on(const std::uint32_t* word, std::uint32_t expected) noexcept {
  const KeepErrno keep;
  const timespec second{1, 0};
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, &second, nullptr, 0);
}

void wake_one(const std::uint32_t* word) noexcept {
  const KeepErrno keep;
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

// _dl_find_object (glibc 2.35) takes no lock.
bool may_start_thread_from(const void* caller) noexcept {
  if (&_dl_find_object == nullptr) return false;
  dl_find_object here{};
  if (_dl_find_object(const_cast<void*>(caller), &here) != 0) return false;
  const auto holds = [&here](auto* function) {
    const auto address = reinterpret_cast<std::uintptr_t>(function);
    return address >= reinterpret_cast<std::uintptr_t>(here.dlfo_map_start) &&
           address < reinterpret_cast<std::uintptr_t>(here.dlfo_map_end);
  };
  return !holds(&pthread_create) && !holds(&_dl_find_object) && !holds(&statm_bytes);
}

// libc tells it by a name that is for its own libraries. The public sysconf(_SC_THREAD_STACK_MIN)
// leaves the TLS out.
void learn_thread_needs() noexcept {
  using LeastStack = std::size_t (*)(const pthread_attr_t*);
  const KeepErrno keep;
  const auto least_stack =
      reinterpret_cast<LeastStack>(dlsym(RTLD_DEFAULT, "__pthread_get_minstack"));
  pthread_attr_t attributes;
  if (least_stack == nullptr || pthread_attr_init(&attributes) != 0) return;
  libc_stack.store(page_above(least_stack(&attributes)), std::memory_order_relaxed);
  pthread_attr_destroy(&attributes);
}

bool start_thread(void* (*body)(void*), void* argument) noexcept {
  const KeepErrno keep;
  const std::size_t needed = libc_stack.load(std::memory_order_relaxed);
  if (needed == 0 || is_refused(Call::kThread)) return false;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, kThreadStack + needed);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  pthread_t thread;
  const int error = pthread_create(&thread, &attributes, body, argument);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  note_error(Call::kThread, error);
  return error == 0;
}

bool leave_descriptors() noexcept {
  const KeepErrno keep;
  return syscall(SYS_close_range, 0u, ~0u, CLOSE_RANGE_UNSHARE) == 0;
}

std::uint32_t thread_id() noexcept { return static_cast<std::uint32_t>(syscall(SYS_gettid)); }

bool thread_exists(std::uint32_t thread) noexcept {
  const KeepErrno keep;
  return syscall(SYS_tgkill, getpid(), thread, 0) == 0;
}

// proc(5): behind the name, which may hold any character but ends with the last bracket, stand the
// state, 16 other fields, the number of threads (an ended main thread counts), 31 others, and the
// status as wait(2) tells it.
MainThread main_thread() noexcept {
  const KeepErrno keep;
  constexpr std::string_view kFolder = "/proc/self/task/";
  constexpr std::string_view kFile = "/stat";
  char path[48];
  char* end = std::copy(kFolder.begin(), kFolder.end(), path);
  end = std::to_chars(end, end + 12, process_id()).ptr;
  *std::copy(kFile.begin(), kFile.end(), end) = '\0';
  char text[1024];
  std::string_view rest(text, ReadOnlyFile(path).read(text));
  rest = rest.substr(std::min(rest.size(), rest.rfind(')') + 1));
  if (!rest.starts_with(" Z ")) return {};
  int fields[50] = {};
  for (int& field : fields) {
    rest.remove_prefix(std::min(rest.size(), rest.find(' ') + 1));
    std::from_chars(rest.data(), rest.data() + rest.size(), field);
  }
  return {true, fields[17] == 2, fields[49] >> 8 & 0xff};
}

void end_thread(int status) noexcept {
  for (;;) syscall(SYS_exit, status);
}

void sleep_for(std::uint32_t milliseconds) noexcept {
  const KeepErrno keep;
  const timespec time{milliseconds / 1000, static_cast<long>(milliseconds % 1000) * 1000000};
  syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, nullptr);
}

void name_thread(const char* name) noexcept {
  const KeepErrno keep;
  syscall(SYS_prctl, PR_SET_NAME, name, 0, 0, 0);
}

void* rseq_area() noexcept {
  if (&__rseq_offset == nullptr || &__rseq_size == nullptr || __rseq_size == 0) return nullptr;
  return static_cast<char*>(__builtin_thread_pointer()) + __rseq_offset;
}

void prepare_restarts() noexcept {
  const KeepErrno keep;
  const long result = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0);
  may_restart.store(result == 0, std::memory_order_relaxed);
}

bool restart_sequences(std::uint32_t cpu) noexcept {
  if (!may_restart.load(std::memory_order_relaxed)) return false;
  return try_call(Call::kRestart, [=]() noexcept {
    return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, MEMBARRIER_CMD_FLAG_CPU,
                   cpu) == 0;
  });
}

}  // namespace bufpool::platform
