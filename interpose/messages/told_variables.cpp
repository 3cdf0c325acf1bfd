// SPDX-License-Identifier: MIT
#include "interpose/messages/told_variables.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "interpose/inheritance/start_environment.h"

namespace bufpool {
namespace {

constexpr std::string_view kPrefix = "BUFPOOL_";
constexpr std::string_view kHidden = "bufpool_";

void hide(std::string_view name) noexcept {
  if (!name.starts_with(kPrefix) || !is_in_start_environment(name)) return;
  std::copy(kHidden.begin(), kHidden.end(), const_cast<char*>(name.data()));
}

}  // namespace

void hide_from_children(const Complaint& complaint) noexcept {
  hide(complaint.name);
  hide(complaint.other);
}

}  // namespace bufpool
