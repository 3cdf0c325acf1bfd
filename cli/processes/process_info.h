// SPDX-License-Identifier: MIT
// What the kernel says of a process: its name, its user, where it belongs.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bufpool {

struct ProcessInfo {
  pid_t pid = 0;        // as it is called here
  pid_t inner_pid = 0;  // as it calls itself, in its own namespace
  uid_t uid = 0;        // the effective one
  std::string command;  // printable; the kernel's name of the program, of 15 bytes at most
  std::uint64_t resident_bytes = 0;
  std::uint64_t resident_peak_bytes = 0;
  std::uint64_t cpu_ms = 0;  // of all threads
  std::uint64_t threads = 0;
  std::int64_t clock_lead_ns = 0;  // of its CLOCK_BOOTTIME over this process's; 0 where not told
  int seccomp = 0;                 // 0: no filter of system calls; 2: there is one
};

// Nothing: there is no such process, or it has ended and is only waited for.
[[nodiscard]] std::optional<ProcessInfo> process_info(pid_t pid);
// The same of a process that calls itself by this number. Nothing: here another process has the
// number, as it began at another time than `started` (in clock ticks since the machine started) or
// counts in another PID namespace than that of this inode; or the kernel does not tell.
[[nodiscard]] std::optional<ProcessInfo> process_info(pid_t inner_pid, std::uint64_t started,
                                                      std::uint64_t pid_namespace);

// Returns the user's name, or the number where there is no name.
[[nodiscard]] std::string user_name(uid_t uid);

// Returns the systemd unit or the container that the text of /proc/PID/cgroup names, such as
// redis.service or docker:0123456789ab; "-" if it names none.
[[nodiscard]] std::string unit_of(std::string_view cgroup_text);
[[nodiscard]] std::string unit_of_process(pid_t pid);

// Returns the text for a terminal: what is no printable ASCII is a question mark.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace bufpool
