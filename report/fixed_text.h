// SPDX-License-Identifier: MIT
// Holds a text in a fixed buffer on the stack. fmt formats it, and never asks the heap for that.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include "report/report.h"

namespace bufpool {

// Holds up to `kSize` bytes of text. Text that does not fit is cut off. A signal handler may use
// it.
template <std::size_t kSize>
class FixedText {
 public:
  static constexpr std::size_t kCapacity = kSize;

  // Appends the arguments as fmt formats them. No argument may be a floating-point number, which
  // fmt may format on the heap.
  template <typename... Args>
  FixedText& add(fmt::format_string<Args...> format, Args&&... args) noexcept {
    const auto result =
        fmt::format_to_n(chars_.data() + size_, room(), format, std::forward<Args>(args)...);
    size_ += std::min(room(), result.size);
    return *this;
  }

  // Appends the text as it is.
  FixedText& append(std::string_view text) noexcept {
    size_ += text.copy(chars_.data() + size_, room());
    return *this;
  }

  // Makes the text empty.
  void clear() noexcept { size_ = 0; }

  // Returns how many bytes can still be added.
  [[nodiscard]] std::size_t room() const noexcept { return kSize - size_; }

  // Returns the text, which is not ended by a NUL. The view is valid until the next change.
  [[nodiscard]] std::string_view view() const noexcept { return {chars_.data(), size_}; }

 private:
  std::array<char, kSize> chars_;
  std::size_t size_ = 0;
};

// These are a line of the report, and a word or number in it.
using Line = FixedText<kLongestLine>;
using Cell = FixedText<24>;

}  // namespace bufpool
