// SPDX-License-Identifier: MIT
// Formats text for all sources of the command.
#pragma once

#include <fmt/core.h>

#include <string>

namespace bufpool {

// Do what the functions below do, with arguments of any types. They are functions, not templates:
// otherwise each source would compile the whole of fmt.
std::string format_any(fmt::string_view format, fmt::format_args arguments);
void print_out_any(fmt::string_view format, fmt::format_args arguments);
void print_error_any(fmt::string_view format, fmt::format_args arguments);

// Returns the arguments as fmt formats them.
template <typename... Args>
std::string formatted(fmt::format_string<Args...> format, Args&&... arguments) {
  return format_any(format, fmt::make_format_args(arguments...));
}

// Prints the arguments on stdout as fmt formats them. It throws if stdout cannot be written.
template <typename... Args>
void print_out(fmt::format_string<Args...> format, Args&&... arguments) {
  print_out_any(format, fmt::make_format_args(arguments...));
}

// Prints the arguments on stderr as fmt formats them. What cannot be written there is lost.
template <typename... Args>
void print_error(fmt::format_string<Args...> format, Args&&... arguments) {
  print_error_any(format, fmt::make_format_args(arguments...));
}

}  // namespace bufpool
