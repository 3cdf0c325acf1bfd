// SPDX-License-Identifier: MIT
#include "cli/formatted.h"
#include "cli/profile/profile_forms.h"
#include "cli/texts/sizes.h"
#include "report/units.h"

namespace bufpool {
namespace {

// The first list has most of each stack, and the others as much as tells it from others.
constexpr std::size_t kCallsOfMost = 10;
constexpr std::size_t kCallsOfOthers = 4;

std::string bytes_of(std::uint64_t bytes) { return std::string(human_bytes(bytes).view()); }

std::string buffers_of(std::uint64_t count) {
  return formatted("{} {}", count, count == 1 ? "buffer" : "buffers");
}

BufferCounts held_by_all(const Profile& profile) {
  BufferCounts sum;
  for (const ProfileStack& stack : profile.stacks) {
    sum += stack.all_held;
  }
  return sum;
}

std::uint64_t sample_count(const Profile& profile) {
  std::uint64_t count = 0;
  for (const ProfileStack& stack : profile.stacks) count += stack.got.buffers;
  return count;
}

std::string head(const Profile& profile, std::string_view title) {
  const BufferCounts held = held_by_all(profile);
  std::string text = formatted(
      "{}, up {}: {} samples, one every {} asked for\n"
      "held now: {} in {}; counts and bytes are estimates from the samples\n",
      title, held_time(profile.life_ms), sample_count(profile), bytes_of(profile.every_bytes),
      bytes_of(held.bytes), buffers_of(held.buffers));
  if (profile.dropped != 0) {
    text += formatted(
        "dropped: {} samples, as there was no room for them; they are missing below, so a larger "
        "BUFPOOL_SAMPLE would show more\n",
        profile.dropped);
  }
  if (!profile.stacks.empty() && profile.stacks[0].got.buffers != 0) {
    const ProfileStack& others = profile.stacks[0];
    text += formatted(
        "other stacks: {} held of {} asked for, by calls that there was no room for or that are "
        "not known\n",
        bytes_of(others.all_held.bytes), bytes_of(others.all_got.bytes));
  }
  return text;
}

std::string calls_of(const Profile& profile, const ProfileStack& stack, std::size_t most) {
  std::string lines;
  for (const std::string& name : call_names(profile, stack, most)) lines += "      " + name + "\n";
  return lines;
}

// Writes `top` stacks with a line of figures in front of each.
template <typename Figures>
std::string section(const Profile& profile, std::string_view heading,
                    const std::vector<const ProfileStack*>& stacks, std::size_t top,
                    std::size_t calls, Figures figures) {
  if (stacks.empty() || top == 0) return {};
  const std::size_t shown = std::min(top, stacks.size());
  std::string text = formatted("\n{}", heading);
  if (shown < stacks.size()) text += formatted(" ({} of {} stacks)", shown, stacks.size());
  text += "\n";
  for (std::size_t i = 0; i < shown; ++i) {
    text += "  " + figures(*stacks[i]) + "\n" + calls_of(profile, *stacks[i], calls);
  }
  return text;
}

std::string heading_of(ProfileMeasure measure) {
  if (measure == ProfileMeasure::kGets) return "Asked for most since the start";
  if (measure == ProfileMeasure::kTime) return "Held most for longest (bytes times seconds)";
  return "Hold most now";
}

std::string value_text(std::uint64_t value, ProfileMeasure measure) {
  return bytes_of(value) + (measure == ProfileMeasure::kTime ? "-seconds" : "");
}

std::string most_section(const Profile& profile, ProfileMeasure measure, std::size_t top) {
  std::uint64_t all = 0;
  for (const ProfileStack& stack : profile.stacks) all += measured(stack, measure);
  const auto figures = [&](const ProfileStack& stack) {
    const std::uint64_t value = measured(stack, measure);
    const BufferCounts& held = stack.all_held;
    std::string line = formatted("{}, {}%", value_text(value, measure), percent_text(value, all));
    if (measure == ProfileMeasure::kGets) {
      return line + ", " + buffers_of(stack.all_got.buffers);
    }
    if (held.buffers == 0) return line + ", none held now";
    return line + formatted(", {}, the oldest for {}", buffers_of(held.buffers),
                            held_time(stack.oldest_ms));
  };
  return section(profile, heading_of(measure),
                 ranked(profile, [&](const auto& s) { return measured(s, measure); }), top,
                 kCallsOfMost, figures);
}

std::string old_section(const Profile& profile, std::size_t top) {
  const auto figures = [](const ProfileStack& stack) {
    const BufferCounts& old = stack.all_old;
    return formatted("{} in {}, the oldest for {}; {} of {} samples came back", bytes_of(old.bytes),
                     buffers_of(old.buffers), held_time(stack.oldest_ms), stack.returned.buffers,
                     stack.got.buffers);
  };
  return section(profile, "Not returned since the first half of the process's life, oldest first",
                 ranked(profile,
                        [](const ProfileStack& stack) {
                          return stack.old.buffers == 0 ? 0 : stack.oldest_ms + 1;
                        }),
                 top, kCallsOfOthers, figures);
}

std::string longest_section(const Profile& profile, std::size_t top) {
  const auto figures = [](const ProfileStack& stack) {
    const std::uint64_t mean =
        stack.returned.buffers == 0 ? 0 : stack.returned_ms / stack.returned.buffers;
    return formatted("{} at most, {} on average; {} of {} samples came back",
                     held_time(stack.longest_ms), held_time(mean), stack.returned.buffers,
                     stack.got.buffers);
  };
  return section(profile, "Held longest of those that came back",
                 ranked(profile, [](const ProfileStack& stack) { return stack.longest_ms; }), top,
                 kCallsOfOthers, figures);
}

}  // namespace

std::string profile_text(const Profile& profile, std::string_view title, ProfileMeasure measure,
                         std::size_t top) {
  return head(profile, title) + most_section(profile, measure, top) + old_section(profile, top) +
         longest_section(profile, top);
}

}  // namespace bufpool
