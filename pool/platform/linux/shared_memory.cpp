// SPDX-License-Identifier: MIT
#include "pool/platform/shared_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
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

// What the caller had at `at` is not left to whoever maps something next. Returns nullptr.
void* give_up(void* mapped, std::size_t bytes, const void* at) noexcept {
  if (at == nullptr) {
    munmap(mapped, bytes);
  } else {
    (void)replace_by_private(mapped, bytes);
  }
  return nullptr;
}

// Returns the state of a file. It has no size, no owner and no kind where the kernel, or a filter
// that answers for it, does not tell.
struct stat state_of(const Descriptor& file) noexcept {
  struct stat now = {};
  return fstat(file.number(), &now) == 0 ? now : decltype(now){};
}

// Returns whether all of the file is there. The kernel or a filter may have said so already.
bool is_as_large(const Descriptor& file, std::size_t bytes) noexcept {
  return state_of(file).st_size == static_cast<off_t>(bytes);
}

// The kernel writes where the program may, and says where it may not. Pre: it is all zero.
bool may_be_written(void* start) noexcept {
  if (syscall(SYS_clock_gettime, CLOCK_BOOTTIME, start) != 0) return false;
  *static_cast<timespec*>(start) = {};
  return true;
}

// After mlockall(MCL_FUTURE) the kernel gives memory to all that can be read. Most of the file is
// for CPUs that are not there.
void* map_descriptor(const Descriptor& file, std::size_t bytes, void* at) noexcept {
  const int flags = MAP_SHARED | (at != nullptr ? MAP_FIXED : 0);
  void* const got = mmap(at, bytes, PROT_NONE, flags, file.number(), 0);
  if (got == MAP_FAILED || got == nullptr || (at != nullptr && got != at)) return nullptr;
  const bool opened = syscall(SYS_mprotect, got, bytes, PROT_READ | PROT_WRITE) == 0;
  return opened && may_be_written(got) ? got : give_up(got, bytes, at);
}

long new_memory_file(const char* name) noexcept {
  const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const long file = syscall(SYS_memfd_create, name, flags | kNoExecSeal);
  return file >= 0 || errno != EINVAL ? file : syscall(SYS_memfd_create, name, flags);
}

// The kernel is asked whether the seals are there: a filter may have answered for it.
bool add_seals(const Descriptor& file, int seals) noexcept {
  if (syscall(SYS_fcntl, file.number(), F_ADD_SEALS, seals) != 0) return false;
  const long there = syscall(SYS_fcntl, file.number(), F_GET_SEALS);
  return there >= 0 && (there & seals) == seals;
}

// The writable mapping that is there stays one. Where the kernel knows no seals against writing
// (before Linux 5.1) the file is as safe as the process's memory once the descriptor is closed:
// only those who may trace the process reach the file.
bool seal(const Descriptor& file) noexcept {
  constexpr int kSize = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  return add_seals(file, kSize | F_SEAL_FUTURE_WRITE) ||
         (errno == EINVAL && add_seals(file, kSize));
}

// Until it was sealed, another process of the same user could open the file by /proc/PID/fd,
// without the right to trace this one. The kernel refuses a lease for reading while somebody has
// opened the file for writing, or keeps it mapped since. Its own descriptor, which nobody opened,
// is no matter. A kernel that knows no leases of such files answers EINVAL. It tells of opens under
// a lease by a signal, which is one that harms nobody. It is asked whether the lease is there, as a
// filter may have answered for it. A lease that stayed would last as long as the mapping, and hold
// up whoever opens the file for writing.
bool is_open_for_others(const Descriptor& file) noexcept {
  syscall(SYS_fcntl, file.number(), F_SETSIG, SIGURG);
  if (syscall(SYS_fcntl, file.number(), F_SETLEASE, F_RDLCK) != 0) return errno != EINVAL;
  const bool has_lease = syscall(SYS_fcntl, file.number(), F_GETLEASE) == F_RDLCK;
  syscall(SYS_fcntl, file.number(), F_SETLEASE, F_UNLCK);
  return !has_lease;
}

// Holds the names that a file may have: FOLDER/PID.NUMBER. Processes of two containers may have one
// number and one folder. So a process has some names that nobody else has, and that it finds again
// when it has executed another program. The last name is one that nobody foresees.
class FileNames {
 public:
  FileNames(const NamedFile& wanted, FileName& name) noexcept
      : wanted_(wanted), name_(name), tried_(wanted.owner.is_known() ? -1 : kNames - 2) {
    const std::size_t most = sizeof name.text - kRoomBehindFolder;
    char* at = std::copy_n(wanted.folder, std::min(std::strlen(wanted.folder), most), name.text);
    while (at > name.text + 1 && at[-1] == '/') --at;
    folder_end_ = at;
    *at++ = '/';
    number_ = std::to_chars(at, end(), process_id()).ptr;
    *number_++ = '.';
  }

  // Opens the folder, and then knows the files in it only.
  [[nodiscard]] int open_folder() const noexcept {
    *folder_end_ = '\0';
    constexpr int kFlags = O_PATH | O_DIRECTORY | O_NOFOLLOW;
    const int folder = open_file(name_.text, kFlags);
    *folder_end_ = '/';
    return folder;
  }
  // Goes to the next name. Returns false if there is none.
  [[nodiscard]] bool next() noexcept {
    if (++tried_ == kNames) return false;
    const bool is_last = tried_ == kNames - 1;
    const std::uint64_t chance =
        is_last ? process_secret() ^ clock_times().since_boot_ns * kMix : own_number();
    *std::to_chars(number_, end(), chance, 16).ptr = '\0';
    return true;
  }
  // Returns the name within the folder.
  [[nodiscard]] const char* leaf() const noexcept { return folder_end_ + 1; }

 private:
  static constexpr int kNames = 4;
  static constexpr std::size_t kRoomBehindFolder = 40;
  static constexpr std::uint64_t kMix = 0x9e3779b97f4a7c15;

  char* end() const noexcept { return name_.text + sizeof name_.text - 1; }
  std::uint64_t own_number() const noexcept {
    std::uint64_t mixed = wanted_.owner.started * kMix ^ wanted_.owner.pid_namespace;
    mixed = (mixed ^ mixed >> 29 ^ static_cast<unsigned>(tried_)) * kMix;
    return mixed ^ mixed >> 32;
  }

  const NamedFile& wanted_;
  FileName& name_;
  char* folder_end_ = nullptr;
  char* number_ = nullptr;
  int tried_;
};

bool is_own_file(const struct stat& now) noexcept {
  return S_ISREG(now.st_mode) && now.st_uid == geteuid() && now.st_nlink == 1;
}

// In a folder of another user, or in one where others may rename files, a name says little.
bool is_safe_folder(const Descriptor& folder) noexcept {
  const struct stat now = state_of(folder);
  const bool is_ours = now.st_uid == geteuid() || now.st_uid == 0;
  const bool is_closed = (now.st_mode & (S_IWGRP | S_IWOTH)) == 0 || (now.st_mode & S_ISVTX) != 0;
  return S_ISDIR(now.st_mode) && is_ours && is_closed;
}

// Of these there is no writing back.
bool is_in_memory(const Descriptor& file) noexcept {
  struct statfs system = {};
  return fstatfs(file.number(), &system) == 0 &&
         (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC);
}

// A filter that answers for the kernel does so for an operation that there is not, too.
bool lock(const Descriptor& file) noexcept {
  if (syscall(SYS_flock, file.number(), 0) == 0) return false;
  return syscall(SYS_flock, file.number(), LOCK_EX | LOCK_NB) == 0;
}

// Removes a file that this process left when it executed this program. Nobody holds its lock then:
// a forked child that shares the page with what it was forked from does.
bool remove_left(const Descriptor& folder, const char* name, const NamedFile& wanted) noexcept {
  constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
  const Descriptor file(own_descriptor(syscall(SYS_openat, folder.number(), name, kFlags)));
  if (!file.is_open() || !is_own_file(state_of(file)) || !lock(file)) return false;
  ProcessIdentity owner;
  const long got =
      syscall(SYS_pread64, file.number(), &owner, sizeof owner, static_cast<long>(wanted.owner_at));
  if (got != sizeof owner || !(owner == wanted.owner)) return false;
  return syscall(SYS_unlinkat, folder.number(), name, 0) == 0;
}

int open_new(const Descriptor& folder, const char* name) noexcept {
  constexpr int kFlags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  return own_descriptor(syscall(SYS_openat, folder.number(), name, kFlags, 0600));
}

int open_first_free(const Descriptor& folder, const NamedFile& wanted, FileNames& names) noexcept {
  while (names.next()) {
    const int file = open_new(folder, names.leaf());
    if (file >= 0 || errno != EEXIST) return file;
    if (!wanted.owner.is_known() || !remove_left(folder, names.leaf(), wanted)) continue;
    const int in_its_place = open_new(folder, names.leaf());
    if (in_its_place >= 0) return in_its_place;
  }
  return -1;
}

// A store to a page that a full file system could not give would end the process.
bool has_all_pages(const Descriptor& file, std::size_t bytes) noexcept {
  constexpr std::size_t kBlock = 512;
  return is_as_large(file, bytes) &&
         static_cast<std::size_t>(state_of(file).st_blocks) >= bytes / kBlock;
}

void* fill_named_file(const Descriptor& file, std::size_t bytes, void* at) noexcept {
  if (!is_in_memory(file) || !lock(file)) return nullptr;
  if (syscall(SYS_fallocate, file.number(), 0, 0L, bytes) != 0) return nullptr;
  return has_all_pages(file, bytes) ? map_descriptor(file, bytes, at) : nullptr;
}

bool map_private(void* start, std::size_t bytes) noexcept {
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
  void* const got = mmap(start, bytes, PROT_READ | PROT_WRITE, kFlags, -1, 0);
  if (got != MAP_FAILED && got != start) munmap(got, bytes);  // before Linux 4.17
  return got == start;
}

// The kernel reads the word, as the memory may be gone: a wait ends at once where the word has
// another value, and where there is no time to wait.
bool is_mapped_with(const std::uint32_t* word, std::uint32_t value) noexcept {
  const timespec no_time{};
  return syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &no_time, nullptr, 0) != 0 &&
         errno == ETIMEDOUT;
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
  const Descriptor file(own_descriptor(new_memory_file(name)));
  if (!file.is_open() || !is_as_large(file, 0)) return nullptr;
  if (syscall(SYS_ftruncate, file.number(), bytes) != 0 || !is_as_large(file, bytes)) {
    return nullptr;
  }
  void* const mapped = map_descriptor(file, bytes, at);
  if (mapped == nullptr) return nullptr;
  return !seal(file) || is_open_for_others(file) ? give_up(mapped, bytes, at) : mapped;
}

void* map_named_file(const NamedFile& wanted, std::size_t bytes, void* at,
                     FileName& name) noexcept {
  const KeepErrno keep;
  FileNames names(wanted, name);
  const Descriptor folder(names.open_folder());
  const bool may_be = folder.is_open() && is_safe_folder(folder) && may_be_as_large(bytes);
  const Descriptor file(may_be ? open_first_free(folder, wanted, names) : -1);
  const struct stat made = file.is_open() ? state_of(file) : decltype(made){};
  const bool is_new = is_own_file(made) && made.st_size == 0;
  name.device = made.st_dev;
  name.inode = made.st_ino;
  void* const mapped = is_new ? fill_named_file(file, bytes, at) : nullptr;
  if (mapped == nullptr) {
    if (file.is_open()) remove_file(name);
    name = {};
  }
  return mapped;
}

// Somebody else may have put another file in its place since.
void remove_file(const FileName& name) noexcept {
  const KeepErrno keep;
  struct stat now = {};
  if (name.text[0] == '\0') return;
  if (syscall(SYS_newfstatat, AT_FDCWD, name.text, &now, AT_SYMLINK_NOFOLLOW) != 0) return;
  if (now.st_dev == name.device && now.st_ino == name.inode)
    syscall(SYS_unlinkat, AT_FDCWD, name.text, 0);
}

bool replace_by_private(void* start, std::size_t bytes) noexcept {
  const KeepErrno keep;
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  return mmap(start, bytes, PROT_READ | PROT_WRITE, kFlags, -1, 0) == start;
}

// A size of 0 keeps what is mapped, and maps it once more. The kernel may refuse before it has
// unmapped what is at the target, as where mappings are used up, or after that. A mark tells.
MappedAgain map_again(void* from, std::size_t bytes, void* to) noexcept {
  const KeepErrno keep;
  auto* const word = static_cast<std::uint32_t*>(to);
  const auto mark = static_cast<std::uint32_t>(process_secret() >> 32) | 1;
  std::atomic_ref(*word).store(mark);
  if (mremap(from, 0, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to) return MappedAgain::kYes;
  if (!is_mapped_with(word, mark)) {
    return map_private(to, bytes) ? MappedAgain::kPrivate : MappedAgain::kLost;
  }
  *word = 0;
  return MappedAgain::kPrivate;
}

// A filter that answers with success instead of making the call does so for an address that the
// kernel refuses, too.
bool wipe_on_fork(void* start, std::size_t bytes) noexcept {
  const KeepErrno keep;
  if (madvise(static_cast<char*>(start) + 1, bytes, MADV_WIPEONFORK) == 0) return false;
  return madvise(start, bytes, MADV_WIPEONFORK) == 0;
}

// The kernel tells how long its sets of CPUs are.
std::uint32_t possible_cpus() noexcept {
  const KeepErrno keep;
  cpu_set_t cpus[8];
  const long bytes = syscall(SYS_sched_getaffinity, 0, sizeof cpus, cpus);
  return bytes <= 0 ? 0 : static_cast<std::uint32_t>(bytes * 8);
}

bool may_use_cpu(std::uint32_t cpu) noexcept {
  const KeepErrno keep;
  cpu_set_t cpus[8];
  const long bytes = syscall(SYS_sched_getaffinity, 0, sizeof cpus, cpus);
  return bytes > 0 && cpu < bytes * 8 && CPU_ISSET_S(cpu, sizeof cpus, cpus);
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
