// SPDX-License-Identifier: MIT
// A profile in its forms. Each text ends with a newline.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/profile/profile.h"

namespace bufpool {

// What stacks are measured by.
enum class ProfileMeasure : std::uint8_t {
  kHeld,  // bytes held now
  kGets,  // bytes asked for since the start
  kTime,  // bytes times the seconds that they were held
};

// Returns the estimate of it for a stack.
[[nodiscard]] std::uint64_t measured(const ProfileStack& stack, ProfileMeasure measure);

// Returns the stacks with known calls of which the value is not 0, the greatest first.
using ProfileValue = std::function<std::uint64_t(const ProfileStack&)>;
[[nodiscard]] std::vector<const ProfileStack*> ranked(const Profile& profile,
                                                      const ProfileValue& value);

// Returns the innermost calls of a stack as names, with the file where it is another one
// than that of the call before, and how many calls there are more.
[[nodiscard]] std::vector<std::string> call_names(const Profile& profile, const ProfileStack& stack,
                                                  std::size_t most);

// Returns how long a buffer is held as a short text: seconds, or larger units.
[[nodiscard]] std::string held_time(std::uint64_t milliseconds);

// Returns tables for people, with `top` stacks in each. `title` is the name of the process.
[[nodiscard]] std::string profile_text(const Profile& profile, std::string_view title,
                                       ProfileMeasure measure, std::size_t top);
// Returns a line for each stack, "outer;...;inner COUNT", as programs that draw flame graphs take
// it.
[[nodiscard]] std::string profile_collapsed(const Profile& profile, ProfileMeasure measure);
// Returns the text of a heap profile for pprof. It has the estimates, and says that each byte was
// sampled: pprof would estimate by the mean size of each stack.
[[nodiscard]] std::string profile_pprof(const Profile& profile);
// Returns a JSON object in several lines.
[[nodiscard]] std::string profile_json(const Profile& profile);

}  // namespace bufpool
