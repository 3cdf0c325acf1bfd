// SPDX-License-Identifier: MIT
#include <algorithm>

#include "cli/formatted.h"
#include "cli/html/markup.h"
#include "cli/html/sections.h"
#include "cli/profile/profile_forms.h"
#include "cli/texts/sizes.h"
#include "report/units.h"

namespace bufpool {
namespace {

constexpr std::size_t kStacksShown = 8;
constexpr std::size_t kCallsShown = 5;

std::string calls_of(const Profile& profile, const ProfileStack& stack) {
  std::string items;
  for (const std::string& name : call_names(profile, stack, kCallsShown)) {
    items += "<li>" + in_html(name) + "</li>";
  }
  return "<ul>" + items + "</ul>";
}

std::string item(const Profile& profile, const ProfileStack& stack, std::string_view figure,
                 std::string_view more) {
  return formatted("<li><b>{}</b> {}{}</li>\n", in_html(figure), in_html(more),
                   calls_of(profile, stack));
}

std::string list_of(const std::vector<std::string>& items) {
  std::string list;
  for (const std::string& one : items) list += one;
  return "<ol class=\"holders\">\n" + list + "</ol>\n";
}

std::string most_held(const Profile& profile) {
  const auto value = [](const ProfileStack& stack) {
    return measured(stack, ProfileMeasure::kHeld);
  };
  std::uint64_t all = 0;
  for (const ProfileStack& stack : profile.stacks) all += value(stack);
  std::vector<std::string> items;
  for (const ProfileStack* const stack : ranked(profile, value)) {
    if (items.size() == kStacksShown) break;
    const BufferCounts& held = stack->all_held;
    items.push_back(item(profile, *stack, bytes_text(held.bytes),
                         formatted("{}, {} buffers, the oldest for {}", share_text(held.bytes, all),
                                   count_text(held.buffers), held_time(stack->oldest_ms))));
  }
  if (items.empty()) return {};
  return card(Width::kHalf, "Holders",
              formatted("Who holds most now: {} in all. Bytes and buffers are estimates from "
                        "samples, one every {} asked for. The innermost call comes first.",
                        bytes_text(all), bytes_text(profile.every_bytes)),
              list_of(items));
}

std::string longest_held(const Profile& profile) {
  std::vector<std::string> items;
  for (const ProfileStack* const stack : ranked(profile, &longest_ms)) {
    if (items.size() == kStacksShown) break;
    items.push_back(
        item(profile, *stack, held_time(longest_ms(*stack)),
             formatted("{} of {} samples came back", count_text(stack->returned.buffers),
                       count_text(stack->got.buffers))));
  }
  if (items.empty()) return {};
  return card(Width::kHalf, "Held longest",
              "The longest time that one of a caller's buffers was held, or is held so far.",
              list_of(items));
}

}  // namespace

std::string holders_section(const std::vector<Sample>& samples) {
  const auto last = std::find_if(samples.rbegin(), samples.rend(),
                                 [](const Sample& sample) { return sample.profile.has_value(); });
  if (last == samples.rend()) return {};
  const Profile profile = by_functions(*last->profile);
  return most_held(profile) + longest_held(profile);
}

}  // namespace bufpool
