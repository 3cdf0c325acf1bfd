// SPDX-License-Identifier: MIT
// This is the contract for what this process is, may use and has in use. linux/process.cpp
// implements it. Every function may be called before constructors, in a forked child and in a
// signal handler. None allocates, and none changes errno.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bufpool::platform {

// Returns the number of this process, as the kernel numbers it.
[[nodiscard]] std::uint32_t process_id() noexcept;

// Tells this process from all others that ever had its number. It stays when the process executes
// another program.
struct ProcessIdentity {
  std::uint64_t started = 0;        // when it began, in clock ticks since the machine started
  std::uint64_t pid_namespace = 0;  // the inode of the namespace that its number belongs to
  // Returns whether the kernel told it.
  [[nodiscard]] bool is_known() const noexcept { return started != 0 && pid_namespace != 0; }
  friend bool operator==(const ProcessIdentity&, const ProcessIdentity&) noexcept = default;
};

// Returns it. It reads a file.
[[nodiscard]] ProcessIdentity process_identity() noexcept;

// Returns a number that differs from process to process and cannot be guessed. It never is 0.
[[nodiscard]] std::uint64_t process_secret() noexcept;

// Returns the number of CPUs that this process may run on now. It is 1 at least.
[[nodiscard]] std::uint32_t usable_cpus() noexcept;

// Counts in bytes what the kernel limits for each process: all addresses (RLIMIT_AS), and private
// memory that can be written (RLIMIT_DATA).
struct Space {
  std::size_t addresses;
  std::size_t data;
};

// Returns what this process may map, or SIZE_MAX where there is no limit.
[[nodiscard]] Space space_limits() noexcept;

// Returns what this process has mapped, or 0 where the kernel does not tell. It reads a file.
[[nodiscard]] Space space_used() noexcept;

// Holds what this process has used of the machine. A value is 0 where the kernel does not tell it.
struct ProcessUse {
  std::uint64_t resident_bytes;       // now
  std::uint64_t resident_peak_bytes;  // the most at once, since the exec or fork
  std::uint64_t cpu_ms;               // of all threads, to some 10 ms
};

// Returns what this process has used. It reads two files.
[[nodiscard]] ProcessUse process_use() noexcept;

}  // namespace bufpool::platform
