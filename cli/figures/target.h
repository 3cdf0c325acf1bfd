// SPDX-License-Identifier: MIT
// What the user names as "PID or FILE": a living process, or what one left.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "cli/figures/sample.h"

namespace bufpool {

// Returns the process's number that the text is, or that of the only process under the pool with
// this command. It throws a CommandError if there is none, or several.
[[nodiscard]] pid_t pid_of(const std::string& text);

// Returns whether the text names a file rather than a process.
[[nodiscard]] bool is_file_name(const std::string& text);

// Returns the figures of the process or the file that the text names, as they are now. A recording
// gives its last ones: of the process `chosen`, or, if that is empty, of the one that asked for the
// most buffers. It throws a CommandError that says what is wrong with the name.
[[nodiscard]] Sample sample_named(const std::string& text, const std::string& chosen);
// Returns all samples of the file in their order; of a page or a report there is one.
[[nodiscard]] std::vector<Sample> samples_in_file(const std::string& path);
// Returns the samples of one process: of `chosen`, or of the busiest.
[[nodiscard]] std::vector<Sample> samples_of_one(std::vector<Sample> samples,
                                                 const std::string& chosen);

}  // namespace bufpool
