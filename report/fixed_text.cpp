// SPDX-License-Identifier: MIT
#include "report/fixed_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace bufpool {

std::size_t format_within(std::span<char> room, fmt::string_view format,
                          fmt::format_args arguments) noexcept {
  const auto result = fmt::vformat_to_n(room.data(), room.size(), format, arguments);
  return std::min(room.size(), result.size);
}

}  // namespace bufpool
