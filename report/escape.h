// SPDX-License-Identifier: MIT
// Makes names that others chose, such as a program's command, safe for each form of the report.
#pragma once

#include <cstdint>
#include <string_view>

#include "report/fixed_text.h"

namespace bufpool {

// Names the place that a name is escaped for.
enum class Escape : std::uint8_t {
  kTerminal,    // Control characters become "?".
  kJson,        // It is the inside of a JSON string.
  kPrometheus,  // It is the inside of a label value. Control characters but the newline become "?".
};

// Returns the first character of `raw` escaped for the form, and takes it off. It is always UTF-8:
// a byte that is no part of a character becomes "?". Pre: `raw` is not empty. A signal handler may
// call it.
[[nodiscard]] Cell next_escaped(std::string_view& raw, Escape form) noexcept;

using EscapedName = FixedText<96>;

// Returns `raw` escaped for the form, as next_escaped() does each character. The result ends before
// the first one that would pass `limit` bytes. A signal handler may call it.
[[nodiscard]] EscapedName escaped(std::string_view raw, Escape form,
                                  std::size_t limit = EscapedName::kCapacity) noexcept;

}  // namespace bufpool
