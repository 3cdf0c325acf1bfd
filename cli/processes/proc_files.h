// SPDX-License-Identifier: MIT
// The texts that the kernel has about a process.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bufpool {

// Returns the path /proc/PID/NAME.
[[nodiscard]] std::string proc_path(pid_t pid, std::string_view name);

// Returns the whole file. Nothing: `error` is the errno that says why.
[[nodiscard]] std::optional<std::string> read_text(const std::string& path, int& error);
// Returns the whole file, or nothing at all if it cannot be read.
[[nodiscard]] std::string read_text_or_empty(const std::string& path);

// Returns where a link such as /proc/PID/exe leads to; empty if that cannot be read.
[[nodiscard]] std::string link_target(const std::string& path);

// Returns what stands behind "NAME:" in a text such as /proc/PID/status, without the blanks around
// it; empty if there is no such line.
[[nodiscard]] std::string_view status_value(std::string_view text, std::string_view name);

// Returns the parts between separators. Empty parts are left out.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

// Takes the first line off the text, and returns it.
[[nodiscard]] std::string_view take_line(std::string_view& text);

// Returns the numbers of all processes, ascending.
[[nodiscard]] std::vector<pid_t> all_processes();

}  // namespace bufpool
