// SPDX-License-Identifier: MIT
// Text put together in a buffer of the caller's: no allocation, cut where it does not fit.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace bufpool {

class BoundedText {
 public:
  explicit BoundedText(std::span<char> out) noexcept : out_(out) {}

  void add(std::string_view text) noexcept {
    const std::size_t length = std::min(text.size(), out_.size() - used_);
    if (length == 0) return;
    std::memcpy(out_.data() + used_, text.data(), length);
    used_ += length;
  }

  void add(char character) noexcept { add(std::string_view(&character, 1)); }

  void add(std::uint64_t number) noexcept {
    char digits[20];
    const char* const end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    add(std::string_view(digits, static_cast<std::size_t>(end - digits)));
  }

  [[nodiscard]] std::string_view text() const noexcept { return {out_.data(), used_}; }

 private:
  std::span<char> out_;
  std::size_t used_ = 0;
};

}  // namespace bufpool
