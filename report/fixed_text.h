// SPDX-License-Identifier: MIT
// Text in a fixed buffer on the stack, formatted by fmt, which then never asks the heap. A text
// that does not fit is cut.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include "report/report.h"

namespace bufpool {

template <std::size_t kSize>
class FixedText {
 public:
  static constexpr std::size_t kCapacity = kSize;

  // Floating-point arguments are not for here: fmt may format them on the heap.
  template <typename... Args>
  FixedText& add(fmt::format_string<Args...> format, Args&&... args) noexcept {
    const auto result =
        fmt::format_to_n(chars_.data() + size_, room(), format, std::forward<Args>(args)...);
    size_ += std::min(room(), result.size);
    return *this;
  }

  FixedText& append(std::string_view text) noexcept {
    size_ += text.copy(chars_.data() + size_, room());
    return *this;
  }

  void clear() noexcept { size_ = 0; }

  [[nodiscard]] std::size_t room() const noexcept { return kSize - size_; }
  [[nodiscard]] std::string_view view() const noexcept { return {chars_.data(), size_}; }

 private:
  std::array<char, kSize> chars_;
  std::size_t size_ = 0;
};

using Line = FixedText<kLongestLine>;
using Cell = FixedText<24>;

}  // namespace bufpool
