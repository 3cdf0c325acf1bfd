// SPDX-License-Identifier: MIT
// The lines of the text form of the report.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "report/escape.h"
#include "report/fixed_text.h"
#include "report/report.h"

namespace bufpool {

// Sends lines that each start with the process's name, so that the reports of a server and of its
// children can be told apart. A signal handler may use it.
class TextLines {
 public:
  // Sends the lines of the process `pid`, whose command may be any bytes, to `sink`.
  TextLines(std::uint32_t pid, std::string_view command, LineSink sink) noexcept : sink_(sink) {
    constexpr std::size_t kShownCommand = 24;
    prefix_.add("bufpool[{} {}]: ", pid, escaped(command, Escape::kTerminal, kShownCommand).view());
  }

  // Sends a line of the arguments as fmt formats them.
  template <typename... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) const noexcept {
    sink_(begin().add(format, std::forward<Args>(args)...).view());
  }

  // Begins a line with the process's name, and sends one that was begun so.
  [[nodiscard]] Line begin() const noexcept { return Line{}.append(prefix_.view()); }
  void put(const Line& line) const noexcept { sink_(line.view()); }

 private:
  FixedText<48> prefix_;
  LineSink sink_;
};

}  // namespace bufpool
