// SPDX-License-Identifier: MIT
// Puts text together in a buffer of the caller's. It allocates nothing, and cuts what does not fit.
// The report knows this file, too.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace bufpool {

// Holds a text in room of the caller's, which has to outlive it. It takes no lock, and a signal
// handler may call all.
class BoundedText {
 public:
  // Begins an empty text.
  explicit BoundedText(std::span<char> room) noexcept : room_(room) {}

  // Adds as much of the text as there is room for.
  void add(std::string_view text) noexcept {
    const std::size_t length = std::min(text.size(), room_.size() - used_);
    fits_ = fits_ && length == text.size();
    if (length == 0) return;
    std::memcpy(room_.data() + used_, text.data(), length);
    used_ += length;
  }

  // Adds a character, if there is room for it.
  void add(char character) noexcept { add(std::string_view(&character, 1)); }

  // Adds a number in decimal digits.
  void add(std::uint64_t number) noexcept { add_number(number, 10); }

  // Adds a number in hexadecimal digits.
  void add_hexadecimal(std::uint64_t number) noexcept { add_number(number, 16); }

  // Returns what was added so far, as much of it as there was room for.
  [[nodiscard]] std::string_view text() const noexcept { return {room_.data(), used_}; }

  // Returns whether nothing was cut.
  [[nodiscard]] bool fits() const noexcept { return fits_; }

 private:
  void add_number(std::uint64_t number, int base) noexcept {
    char digits[20];
    const char* const end = std::to_chars(digits, digits + sizeof digits, number, base).ptr;
    add(std::string_view(digits, static_cast<std::size_t>(end - digits)));
  }

  std::span<char> room_;
  std::size_t used_ = 0;
  bool fits_ = true;
};

}  // namespace bufpool
