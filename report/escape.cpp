// SPDX-License-Identifier: MIT
#include "report/escape.h"

#include <algorithm>
#include <cstddef>

namespace bufpool {
namespace {

unsigned char byte_at(std::string_view text, std::size_t index) noexcept {
  return static_cast<unsigned char>(text[index]);
}

// Returns the length of a UTF-8 sequence with this first byte, or 0 if no sequence starts with it.
std::size_t sequence_length(unsigned char lead) noexcept {
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) return 2;
  if (lead < 0xF0) return 3;
  return lead < 0xF5 ? 4 : 0;
}

// The second byte's range rules out overlong forms, surrogates and what lies beyond U+10FFFF.
bool second_byte_fits(unsigned char lead, unsigned char second) noexcept {
  const unsigned char lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  return lowest <= second && second <= highest;
}

// Returns the length of the character that `text` starts with, or 0 if it is not UTF-8.
std::size_t character_length(std::string_view text) noexcept {
  const std::size_t length = sequence_length(byte_at(text, 0));
  if (length <= 1) return length;
  if (text.size() < length || !second_byte_fits(byte_at(text, 0), byte_at(text, 1))) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte_at(text, i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

// Tells whether it is U+0000 to U+001F, U+007F, or U+0080 to U+009F. Terminals obey all of these.
bool is_control(std::string_view character) noexcept {
  const unsigned char lead = byte_at(character, 0);
  if (lead == 0xC2) return byte_at(character, 1) < 0xA0;
  return lead < 0x20 || lead == 0x7F;
}

Cell escaped_character(std::string_view character, Escape form) noexcept {
  const char first = character[0];
  if (form != Escape::kTerminal) {
    if (first == '"' || first == '\\') return Cell{}.append("\\").append(character);
    if (first == '\n') return Cell{}.append("\\n");
  }
  if (!is_control(character)) return Cell{}.append(character);
  if (form != Escape::kJson) return Cell{}.append("?");
  // The last byte of either kind of control character is its code point.
  return Cell{}.add("\\u{:04x}", byte_at(character, character.size() - 1));
}

}  // namespace

Cell next_escaped(std::string_view& raw, Escape form) noexcept {
  const std::size_t length = character_length(raw);
  const Cell piece =
      length == 0 ? Cell{}.append("?") : escaped_character(raw.substr(0, length), form);
  raw.remove_prefix(std::max<std::size_t>(length, 1));
  return piece;
}

EscapedName escaped(std::string_view raw, Escape form, std::size_t limit) noexcept {
  EscapedName name;
  std::size_t room = std::min(limit, EscapedName::kCapacity);
  while (!raw.empty()) {
    const Cell piece = next_escaped(raw, form);
    if (piece.view().size() > room) break;
    room -= piece.view().size();
    name.append(piece.view());
  }
  return name;
}

}  // namespace bufpool
