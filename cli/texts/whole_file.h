// SPDX-License-Identifier: MIT
// Writes a text to stdout, or as a file that others see whole or not at all.
#pragma once

#include <string>
#include <string_view>

namespace bufpool {

// Writes the text to a file of another name in the same folder, and then renames it. With an empty
// path or "-" it goes to stdout. It throws a CommandError if it cannot.
void write_whole(const std::string& path, std::string_view text);

// Writes the text to a descriptor. Returns 0, or the errno.
[[nodiscard]] int write_all(int descriptor, std::string_view text);

}  // namespace bufpool
