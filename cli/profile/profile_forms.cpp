// SPDX-License-Identifier: MIT
#include "cli/profile/profile_forms.h"

#include <algorithm>

#include "cli/formatted.h"
#include "cli/processes/proc_files.h"
#include "cli/processes/process_info.h"
#include "cli/texts/sizes.h"
#include "report/escape.h"
#include "report/units.h"

namespace bufpool {
namespace {

// The names are of other people's files, and may be long.
std::string json_text(std::string_view text) {
  std::string quoted = "\"";
  while (!text.empty()) quoted += next_escaped(text, Escape::kJson).view();
  return quoted + "\"";
}

std::string json_counts(std::string_view name, const BufferCounts& counts) {
  return formatted("\"{}_samples\": {}, \"{}_sampled_bytes\": {}", name, counts.buffers, name,
                   counts.bytes);
}

std::string json_estimate(std::string_view name, const BufferCounts& all) {
  return formatted("\"{}_buffers\": {}, \"{}_bytes\": {}", name, all.buffers, name, all.bytes);
}

std::string json_stack(const ProfileStack& stack) {
  std::string frames;
  for (const std::size_t frame : stack.frames) {
    frames += formatted("{}{}", frames.empty() ? "" : ", ", frame);
  }
  return formatted(
      "{{{}, {}, {}, {}, {}, {}, {}, \"returned_ms\": {}, \"longest_ms\": {}, \"held_byte_ms\": "
      "{}, "
      "\"oldest_ms\": {}, \"byte_seconds\": {}, \"frames\": [{}]}}",
      json_estimate("held", stack.all_held), json_estimate("got", stack.all_got),
      json_estimate("old", stack.all_old), json_counts("held", stack.held),
      json_counts("got", stack.got), json_counts("returned", stack.returned),
      json_counts("old", stack.old), stack.returned_ms, stack.longest_ms, stack.held_byte_ms,
      stack.oldest_ms, stack.byte_seconds, frames);
}

std::string json_place(const CodePlace& place) {
  return formatted(
      "{{\"address\": {}, \"function\": {}, \"module\": {}, \"module_offset_bytes\": {}}}",
      place.address, json_text(place.function), json_text(place.module), place.offset);
}

std::string json_size(const ProfileSize& size, std::uint64_t every_bytes) {
  return formatted("{{\"buffer_bytes\": {}, {}, {}}}", size.buffer_bytes,
                   json_counts("got", size.got),
                   json_estimate("got", estimated(size.got, every_bytes)));
}

std::string json_maps(std::string_view maps) {
  std::string lines;
  while (!maps.empty()) {
    const std::string line = printable(take_line(maps));
    lines += (lines.empty() ? "" : ",\n    ") + json_text(line);
  }
  return lines;
}

template <typename Item, typename Write>
std::string json_list(const std::vector<Item>& items, Write write) {
  std::string list;
  for (const Item& item : items) list += (list.empty() ? "" : ",\n    ") + write(item);
  return list;
}

// Behind a semicolon another function begins.
std::string collapsed_name(const CodePlace& place) {
  std::string name = place.name();
  std::replace(name.begin(), name.end(), ';', ',');
  return name;
}

std::string pprof_counts(const BufferCounts& held, const BufferCounts& got) {
  return formatted("{}: {} [{}: {}]", held.buffers, held.bytes, got.buffers, got.bytes);
}

}  // namespace

std::string held_time(std::uint64_t milliseconds) {
  constexpr std::uint64_t kLongMs = 10'000;
  return milliseconds < kLongMs ? std::string(seconds(milliseconds).view())
                                : short_time(milliseconds);
}

std::uint64_t measured(const ProfileStack& stack, ProfileMeasure measure) {
  if (measure == ProfileMeasure::kHeld) return stack.all_held.bytes;
  if (measure == ProfileMeasure::kGets) return stack.all_got.bytes;
  return stack.byte_seconds;
}

std::vector<const ProfileStack*> ranked(const Profile& profile, const ProfileValue& value) {
  std::vector<const ProfileStack*> stacks;
  for (const ProfileStack& stack : profile.stacks) {
    if (!stack.frames.empty() && value(stack) != 0) stacks.push_back(&stack);
  }
  std::stable_sort(stacks.begin(), stacks.end(),
                   [&](const auto* a, const auto* b) { return value(*a) > value(*b); });
  return stacks;
}

std::vector<std::string> call_names(const Profile& profile, const ProfileStack& stack,
                                    std::size_t most) {
  std::vector<std::string> names;
  std::string_view module;
  const std::size_t left_out = stack.frames.size() - std::min(most, stack.frames.size());
  for (const std::size_t frame : stack.frames) {
    if (left_out > 1 && names.size() == most) break;
    const CodePlace& place = profile.places[frame];
    const bool has_file = !place.function.empty() && place.module != module;
    module = place.module;
    names.push_back(has_file ? formatted("{}  ({})", place.function, place.module) : place.name());
  }
  if (left_out > 1) names.push_back(formatted("and {} calls more", left_out));
  return names;
}

std::string profile_collapsed(const Profile& profile, ProfileMeasure measure) {
  std::string text;
  for (const ProfileStack& stack : profile.stacks) {
    const std::uint64_t value = measured(stack, measure);
    if (value == 0) continue;
    std::string line;
    for (auto frame = stack.frames.rbegin(); frame != stack.frames.rend(); ++frame) {
      line += (line.empty() ? "" : ";") + collapsed_name(profile.places[*frame]);
    }
    text += formatted("{} {}\n", line.empty() ? "[other stacks]" : line, value);
  }
  return text;
}

std::string profile_pprof(const Profile& profile) {
  BufferCounts held;
  BufferCounts got;
  std::string lines;
  for (const ProfileStack& stack : profile.stacks) {
    held += stack.all_held;
    got += stack.all_got;
    if (stack.frames.empty() || stack.got.buffers == 0) continue;
    lines += pprof_counts(stack.all_held, stack.all_got) + " @";
    for (const std::size_t frame : stack.frames) {
      lines += formatted(" {:#x}", profile.places[frame].address);
    }
    lines += "\n";
  }
  return formatted("heap profile: {} @ heap_v2/1\n{}\nMAPPED_LIBRARIES:\n{}",
                   pprof_counts(held, got), lines, profile.maps);
}

std::string profile_json(const Profile& profile) {
  const std::uint64_t every = profile.every_bytes;
  const auto size = [every](const auto& one) { return json_size(one, every); };
  return formatted(
      "{{\n  \"profile\": 1,\n  \"every_bytes\": {},\n  \"dropped_samples\": {},\n"
      "  \"life_ms\": {},\n  \"stacks\": [\n    {}\n  ],\n  \"frames\": [\n    {}\n  ],\n"
      "  \"sizes\": [\n    {}\n  ],\n  \"maps\": [\n    {}\n  ]\n}}\n",
      every, profile.dropped, profile.life_ms, json_list(profile.stacks, &json_stack),
      json_list(profile.places, &json_place), json_list(profile.sizes, size),
      json_maps(profile.maps));
}

}  // namespace bufpool
