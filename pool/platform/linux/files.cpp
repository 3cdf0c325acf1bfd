// SPDX-License-Identifier: MIT
// Reads files of the kernel, and makes the files of shared_memory.h.
#include "pool/platform/linux/files.h"

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
#include <utility>

#include "pool/options/bounded_text.h"
#include "pool/platform/linux/system_calls.h"
#include "pool/platform/process.h"
#include "pool/platform/shared_memory.h"

namespace bufpool::platform {
namespace {

// Hands `visit` the lines of a file until it returns true, or one is longer than the buffer.
template <typename Visit>
void visit_lines(const char* path, std::span<char> buffer, Visit visit) noexcept {
  ReadOnlyFile file(path);
  std::size_t used = 0;
  while (used < buffer.size()) {
    const std::size_t length = file.read(buffer.subspan(used));
    if (length == 0) return;
    std::string_view text(buffer.data(), used + length);
    for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
      if (visit(text.substr(0, end))) return;
      text.remove_prefix(end + 1);
    }
    std::memmove(buffer.data(), text.data(), text.size());
    used = text.size();
  }
}

bool list_has(std::string_view list, std::string_view word) noexcept {
  for (std::size_t comma = list.find(','); comma != std::string_view::npos;
       comma = list.find(',')) {
    if (list.substr(0, comma) == word) return true;
    list.remove_prefix(comma + 1);
  }
  return list == word;
}

// Returns the group in a line such as "4:cpu,memory:/shop/web" that has the controller. It is empty
// for other lines. The line of version 2 has the number 0 and no controllers.
std::string_view group_in(std::string_view line, std::string_view controller) noexcept {
  const std::size_t first = line.find(':');
  const std::size_t second = line.find(':', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return {};
  const std::string_view list = line.substr(first + 1, second - first - 1);
  if (controller.empty() && line.substr(0, first) != "0") return {};
  return list_has(list, controller) ? line.substr(second + 1) : std::string_view{};
}

}  // namespace

Descriptor::~Descriptor() {
  if (is_open()) syscall(SYS_close, number_);
}

int Descriptor::release() noexcept { return std::exchange(number_, -1); }

int open_file(const char* path, int flags) noexcept {
  return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC | O_NONBLOCK));
}

ReadOnlyFile::ReadOnlyFile(const char* path) noexcept : file_(open_file(path, O_RDONLY)) {}

std::size_t ReadOnlyFile::read(std::span<char> to) noexcept {
  if (!is_open()) return 0;
  const long length = syscall(SYS_read, file_.number(), to.data(), to.size());
  return length < 0 ? 0 : static_cast<std::size_t>(length);
}

std::size_t ReadOnlyFile::read_at(std::size_t offset, std::span<char> to) noexcept {
  if (!is_open()) return 0;
  const long length = syscall(SYS_pread64, file_.number(), to.data(), to.size(), offset);
  return length < 0 ? 0 : static_cast<std::size_t>(length);
}

Path::Path(std::initializer_list<std::string_view> parts) noexcept {
  BoundedText text({text_, sizeof text_ - 1});
  for (const std::string_view part : parts) text.add(part);
  text_[text.fits() ? text.text().size() : 0] = '\0';
}

std::string_view beginning_of(const char* path, std::span<char> buffer) noexcept {
  return {buffer.data(), ReadOnlyFile(path).read(buffer)};
}

Number leading_number(std::string_view text) noexcept {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{}) return {};
  return {value, {stopped, static_cast<std::size_t>(end - stopped)}};
}

namespace {

// Looks at the beginning of each line that it is fed in pieces: a line in front of those that are
// wanted may be long.
class LineLooker {
 public:
  explicit LineLooker(std::span<NumberLine> wanted) noexcept : wanted_(wanted) {}

  void feed(std::string_view piece) noexcept {
    for (const char c : piece) {
      if (c == '\n') {
        look({line_, length_});
        length_ = 0;
      } else if (length_ < sizeof line_) {
        line_[length_++] = c;
      }
    }
  }

  [[nodiscard]] bool has_all() const noexcept { return found_ == wanted_.size(); }

 private:
  void look(std::string_view line) noexcept {
    for (NumberLine& wanted : wanted_) {
      if (wanted.value != kUnknown || !line.starts_with(wanted.name)) continue;
      line.remove_prefix(std::min(line.size(), line.find_first_of("0123456789")));
      wanted.value = leading_number(line).value;
      ++found_;
      return;
    }
  }

  std::span<NumberLine> wanted_;
  std::size_t found_ = 0;
  char line_[48];
  std::size_t length_ = 0;
};

}  // namespace

bool read_numbers(const char* path, std::span<NumberLine> lines) noexcept {
  ReadOnlyFile file(path);
  if (!file.is_open()) return false;
  LineLooker looker(lines);
  char piece[512];
  while (!looker.has_all()) {
    const std::size_t got = file.read(piece);
    if (got == 0) break;
    looker.feed({piece, got});
  }
  return true;
}

OwnGroup::OwnGroup(const char* root, std::string_view controller) noexcept {
  visit_lines(Path({root, "/proc/self/cgroup"}).c_str(), text_,
              [&](std::string_view line) noexcept {
                path_ = group_in(line, controller);
                return !path_.empty();
              });
  if (path_ == "/" || !path_.starts_with('/')) path_ = {};
}

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

// After mlockall(MCL_FUTURE) the kernel gives memory to all that can be read. Most of the file is
// for CPUs that are not there.
void* map_descriptor(const Descriptor& file, std::size_t bytes, void* at) noexcept {
  const int flags = MAP_SHARED | (at != nullptr ? MAP_FIXED : 0);
  void* const got = mmap(at, bytes, PROT_NONE, flags, file.number(), 0);
  if (got == MAP_FAILED) return nullptr;
  const bool opened = syscall(SYS_mprotect, got, bytes, PROT_READ | PROT_WRITE) == 0;
  return opened ? got : give_up(got, bytes, at);
}

long new_memory_file(const char* name) noexcept {
  const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const long file = syscall(SYS_memfd_create, name, flags | kNoExecSeal);
  return file >= 0 || errno != EINVAL ? file : syscall(SYS_memfd_create, name, flags);
}

// The writable mapping that is there stays one. Where the kernel knows no such seals (before Linux
// 5.1) the file is as safe as the process's memory once the descriptor is closed: only those who
// may trace the process reach the file.
void seal(const Descriptor& file) noexcept {
  constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
  syscall(SYS_fcntl, file.number(), F_ADD_SEALS, kSeals);
}

// Until it was sealed, another process of the same user could open the file by /proc/PID/fd,
// without the right to trace this one. The kernel refuses a lease for reading while somebody has
// opened the file for writing, or keeps it mapped since. Its own descriptor, which nobody opened,
// is no matter. The kernel tells of opens under a lease by a signal, which is one that harms
// nobody.
bool is_open_for_others(const Descriptor& file) noexcept {
  syscall(SYS_fcntl, file.number(), F_SETSIG, SIGURG);
  return syscall(SYS_fcntl, file.number(), F_SETLEASE, F_RDLCK) != 0 && errno == EAGAIN;
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
  const Descriptor file(static_cast<int>(new_memory_file(name)));
  if (!file.is_open() || syscall(SYS_ftruncate, file.number(), bytes) != 0) return nullptr;
  void* const mapped = map_descriptor(file, bytes, at);
  if (mapped == nullptr) return nullptr;
  seal(file);
  return is_open_for_others(file) ? give_up(mapped, bytes, at) : mapped;
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
