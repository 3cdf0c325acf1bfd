// SPDX-License-Identifier: MIT
#include "cli/formatted.h"

#include <fmt/format.h>

#include <cstdio>
#include <tuple>

namespace bufpool {

std::string format_any(fmt::string_view format, fmt::format_args arguments) {
  return fmt::vformat(format, arguments);
}

void print_out_any(fmt::string_view format, fmt::format_args arguments) {
  fmt::vprint(stdout, format, arguments);
}

void print_error_any(fmt::string_view format, fmt::format_args arguments) {
  std::ignore = std::fputs(fmt::vformat(format, arguments).c_str(), stderr);
}

}  // namespace bufpool
