// SPDX-License-Identifier: MIT
#include "report/report_target.h"

#include <cstddef>
#include <cstdint>

#include "pool/options/bounded_text.h"

namespace bufpool {
namespace {

// A program may be called anything. A slash would name a folder, and a leading dot could be `..`.
void add_command(BoundedText& path, std::string_view command) noexcept {
  if (command.empty()) command = "unknown";
  for (std::size_t i = 0; i < command.size(); ++i) {
    const auto c = static_cast<unsigned char>(command[i]);
    const bool unfit = c == '/' || c < 0x20 || c == 0x7F || (i == 0 && c == '.');
    path.add(unfit ? '_' : command[i]);
  }
}

// Returns false if the word has no meaning.
bool add_word(BoundedText& path, char word, const TargetNames& names) noexcept {
  switch (word) {
    case 'p':
      path.add(std::uint64_t{names.pid});
      return true;
    case 'c':
      add_command(path, names.command);
      return true;
    case 't':
      path.add(names.unix_time);
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
  BoundedText path(buffer);
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
