// SPDX-License-Identifier: MIT
// Memory that another process can read, and that a forked child does not share. As in all of this
// room, every function may be called at any time, none allocates, and none changes errno. Each
// makes system calls that a program does not make by itself: the caller knows that none is
// forbidden.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool/platform/process.h"

namespace bufpool::platform {

// Maps a new memory file without a name in any folder, all zero, readable and writable. /proc/PID/
// maps calls it /memfd:NAME. Nobody can change its size or map it for writing afterwards. No
// descriptor is kept: one is open for the length of a few system calls, with the close-on-exec
// flag. If another process has opened it for writing meanwhile, it is given up. `at`: what is
// mapped there gives way to it; nullptr: anywhere. Returns nullptr where the kernel refuses, where
// a filter of system calls answers for the kernel, or where RLIMIT_FSIZE is less than `bytes`; then
// there may be private zeroed memory at `at`.
[[nodiscard]] void* map_memory_file(const char* name, std::size_t bytes, void* at) noexcept;

// Holds the name of a file in a folder, and which file it is. It is empty where there is none.
struct FileName {
  char text[256] = {};
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
};

// Says in which folder a file is to be, and whose it is. The caller writes `owner` into the file,
// `owner_at` bytes from its start.
struct NamedFile {
  const char* folder = nullptr;
  ProcessIdentity owner;
  std::size_t owner_at = 0;
};

// Maps a new file in a folder in the same way. It is one that the owner alone may read, and that is
// left when the process dies. Its name is PID.NUMBER. All of its pages are there, so that a full
// file system cannot end the process later on. The file is locked (flock) as long as it is mapped.
// It is refused on a file system that is not memory, as writing back would stop the program, and in
// a folder that is a symbolic link, that belongs to another user than this one and root, or that
// others may rename files in. `name` becomes its path, for remove_file(). What the same process
// left before it executed this program is removed.
[[nodiscard]] void* map_named_file(const NamedFile& wanted, std::size_t bytes, void* at,
                                   FileName& name) noexcept;
// Removes the name if it still is that of the same file.
void remove_file(const FileName& name) noexcept;

// Puts private zeroed memory in the place of what is mapped. Returns false if the kernel refuses;
// then all is as it was.
[[nodiscard]] bool replace_by_private(void* start, std::size_t bytes) noexcept;

// Maps shared memory a second time, in the place of what is mapped at `to`. No descriptor is
// needed, and the seals do not matter. Pre: `from` is in a mapping of map_memory_file() or
// map_named_file(), with `bytes` to come. `to` is private memory that is all zero, and nobody else
// uses it.
enum class MappedAgain : std::uint8_t {
  kYes,
  kPrivate,  // the kernel refused, and private zeroed memory is there as before
  kLost,     // it refused when it had unmapped what was there, and somebody else's may be there now
};
[[nodiscard]] MappedAgain map_again(void* from, std::size_t bytes, void* to) noexcept;

// Has a forked child find zeros in these pages from now on, however it is forked. Returns false if
// the kernel cannot (before Linux 4.14), or a filter answers for it. Pre: these are whole pages of
// private memory that is no file's.
[[nodiscard]] bool wipe_on_fork(void* start, std::size_t bytes) noexcept;

// Returns one more than the highest number that a CPU of this machine can have; a few more than
// there are.
[[nodiscard]] std::uint32_t possible_cpus() noexcept;

// Returns whether this thread may run on a CPU now.
[[nodiscard]] bool may_use_cpu(std::uint32_t cpu) noexcept;

// Holds nanoseconds since 1970, and since the machine started, sleep included.
struct ClockTimes {
  std::uint64_t since_1970_ns;
  std::uint64_t since_boot_ns;
};
// Returns both clocks as they are now.
[[nodiscard]] ClockTimes clock_times() noexcept;

// Returns the parent of this process, or 0 if it is in another namespace.
[[nodiscard]] std::uint32_t parent_process_id() noexcept;

// Returns the process's name, as libc has it. It is empty before libc is ready.
[[nodiscard]] const char* command_name() noexcept;

// Writes the control group of this process into `out`, the last line's of /proc/self/cgroup.
// Reads a file.
void read_control_group(char* out, std::size_t bytes) noexcept;

}  // namespace bufpool::platform
