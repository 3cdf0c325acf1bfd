// SPDX-License-Identifier: MIT
#include "cli/formatted.h"

#include <fmt/format.h>

namespace bufpool {

std::string format_any(fmt::string_view format, fmt::format_args arguments) {
  return fmt::vformat(format, arguments);
}

void print_any(std::FILE* stream, fmt::string_view format, fmt::format_args arguments) {
  fmt::vprint(stream, format, arguments);
}

}  // namespace bufpool
