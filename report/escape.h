// SPDX-License-Identifier: MIT
// Names we did not choose (a program's command), made safe for each form.
#pragma once

#include <cstdint>
#include <string_view>

#include "report/fixed_text.h"

namespace bufpool {

enum class Escape : std::uint8_t {
  kTerminal,    // control characters become ?
  kJson,        // the inside of a JSON string
  kPrometheus,  // the inside of a label value; control characters but the newline become ?
};

using EscapedName = FixedText<96>;

// `raw` escaped, cut before the first character that would pass `limit` bytes. Always UTF-8: bytes
// that are not become ?.
[[nodiscard]] EscapedName escaped(std::string_view raw, Escape form,
                                  std::size_t limit = EscapedName::kCapacity) noexcept;

}  // namespace bufpool
