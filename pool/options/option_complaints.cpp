// SPDX-License-Identifier: MIT
// Puts complaints about variables into words.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "pool/options/bounded_text.h"
#include "pool/options/option_values.h"
#include "pool/options/options.h"

namespace bufpool {
namespace {

// Adds a text that somebody else wrote. It is made short enough to leave room for the rest, and put
// on one line.
void add_given(BoundedText& out, std::string_view text) noexcept {
  constexpr std::size_t kShown = 64;
  for (const char character : std::string_view(text.data(), std::min(text.size(), kShown))) {
    const bool control = static_cast<unsigned char>(character) < ' ' || character == '\x7f';
    out.add(control ? '?' : character);
  }
  if (text.size() > kShown) out.add("...");
}

void add_hint(BoundedText& out, const OptionInfo* nearest) noexcept {
  out.add("no such variable");
  if (nearest == nullptr) return;
  out.add("; did you mean BUFPOOL_");
  out.add(nearest->name);
  out.add('?');
}

void add_wanted(BoundedText& out, const OptionInfo& row) noexcept {
  const auto is_kind = [&row](const KindName& name) { return name.kind == row.kind; };
  out.add("not ");
  out.add(std::find_if(kKindNames.begin(), kKindNames.end(), is_kind)->wanted);
  if (row.kind != OptionKind::kChoice) return;
  for (std::string_view words = row.highest; !words.empty();) {
    out.add(next_word(words));
    if (!words.empty()) out.add(", ");
  }
}

void add_default(BoundedText& out, const OptionInfo& row) noexcept {
  out.add(row.default_value.empty() ? "; ignored" : "; using ");
  out.add(row.default_value);
}

// Shares and warmups have bounds that are not in their rows.
void add_second_range(BoundedText& out, OptionKind kind) noexcept {
  if (kind == OptionKind::kShare) {
    out.add(", or 0% to ");
    write_number(out, kMostPercent, kPercentUnits);
  }
  if (kind == OptionKind::kWarmup) {
    out.add(", 1 to ");
    out.add(kMostWarmed);
    out.add(" of each");
  }
}

void add_range(BoundedText& out, const OptionInfo& row, std::string_view highest) noexcept {
  out.add("out of range (");
  out.add(row.lowest);
  out.add(" to ");
  out.add(highest);
  add_second_range(out, row.kind);
  out.add(')');
}

// MIN_SIZE may be good by itself. Then it was above MAX_SIZE.
void add_out_of_range(BoundedText& out, const Complaint& complaint) noexcept {
  const OptionInfo& row = *complaint.info;
  std::uint64_t bytes = 0;
  if (row.name == "MIN_SIZE" && read_bytes(complaint.value, row, bytes) == Verdict::kGood) {
    add_range(out, row, "BUFPOOL_MAX_SIZE");
    out.add("; using the defaults of both");
    return;
  }
  add_range(out, row, row.highest);
  add_default(out, row);
}

}  // namespace

std::string_view describe(const Complaint& complaint, std::span<char> out) noexcept {
  BoundedText text(out);
  add_given(text, complaint.name);
  text.add('=');
  add_given(text, complaint.value);
  text.add(": ");
  switch (complaint.kind) {
    case Complaint::Kind::kUnknownName:
      add_hint(text, complaint.info);
      break;
    case Complaint::Kind::kBadValue:
      add_wanted(text, *complaint.info);
      add_default(text, *complaint.info);
      break;
    case Complaint::Kind::kOutOfRange:
      add_out_of_range(text, complaint);
      break;
  }
  return text.text();
}

}  // namespace bufpool
