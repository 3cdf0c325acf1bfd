// SPDX-License-Identifier: MIT
#include "report/report_target.h"

#include <charconv>
#include <cstddef>

namespace bufpool {
namespace {

// Writes a file name into a buffer, and counts on where it does not fit.
class PathWriter {
 public:
  explicit PathWriter(std::span<char> buffer) noexcept : buffer_(buffer) {}

  void add(char c) noexcept {
    if (size_ < buffer_.size()) buffer_[size_] = c;
    ++size_;
  }

  void add_number(std::uint64_t number) noexcept {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    for (const char* c = digits; c != end; ++c) add(*c);
  }

  // Replaces the characters of a command that would not make one file name: a slash would name a
  // folder, and a leading dot could be `..`.
  void add_command(std::string_view command) noexcept {
    if (command.empty()) command = "unknown";
    for (std::size_t i = 0; i < command.size(); ++i) {
      const auto c = static_cast<unsigned char>(command[i]);
      const bool unfit = c == '/' || c < 0x20 || c == 0x7F || (i == 0 && c == '.');
      add(unfit ? '_' : command[i]);
    }
  }

  [[nodiscard]] bool fits() const noexcept { return size_ <= buffer_.size(); }

 private:
  std::span<char> buffer_;
  std::size_t size_ = 0;
};

// Adds the value of the word. Returns false if there is no such word.
bool add_word(PathWriter& path, char word, const TargetNames& names) noexcept {
  switch (word) {
    case 'p':
      path.add_number(names.pid);
      return true;
    case 'c':
      path.add_command(names.command);
      return true;
    case 't':
      path.add_number(names.unix_time);
      return true;
    case '%':
      path.add('%');
      return true;
    default:
      return false;
  }
}

bool same_word(std::string_view text, std::string_view lower) noexcept {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool upper = 'A' <= text[i] && text[i] <= 'Z';
    if ((upper ? static_cast<char>(text[i] - 'A' + 'a') : text[i]) != lower[i]) return false;
  }
  return true;
}

}  // namespace

ReportTarget report_target(std::string_view setting, const TargetNames& names,
                           std::span<char> buffer) noexcept {
  using Kind = ReportTarget::Kind;
  if (setting.empty() || same_word(setting, "stderr")) return {Kind::kStderr, nullptr};
  if (same_word(setting, "off")) return {Kind::kOff, nullptr};
  PathWriter path(buffer);
  for (std::size_t i = 0; i < setting.size(); ++i) {
    if (setting[i] != '%') {
      path.add(setting[i]);
      continue;
    }
    const char word = ++i < setting.size() ? setting[i] : '\0';
    if (!add_word(path, word, names)) return {Kind::kUnknownWord, nullptr};
  }
  path.add('\0');
  if (!path.fits()) return {Kind::kTooLong, nullptr};
  return {Kind::kFile, buffer.data()};
}

}  // namespace bufpool
