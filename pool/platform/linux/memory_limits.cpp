// SPDX-License-Identifier: MIT
#include "pool/platform/memory_limits.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "pool/platform/linux/files.h"
#include "pool/platform/linux/system_calls.h"
#include "pool/platform/memory.h"

namespace bufpool::platform {
namespace {

// Version 1 writes the largest whole page of a signed number where there is no limit.
constexpr std::uint64_t kLargestLimit = std::uint64_t{1} << 60;

// Returns the limit in a file, or kUnknown if it holds "max" or what is no number.
std::uint64_t limit_in(const char* path) noexcept {
  char buffer[64];
  const auto [value, rest] = leading_number(beginning_of(path, buffer));
  const bool whole = rest.empty() || rest == "\n";
  return whole && value < kLargestLimit ? value : kUnknown;
}

std::uint64_t machine_memory(const char* root) noexcept {
  constexpr std::string_view kName = "MemTotal:";
  char buffer[256];
  std::string_view text = beginning_of(Path({root, "/proc/meminfo"}).c_str(), buffer);
  const std::size_t found = text.find(kName);
  if (found == std::string_view::npos) return kUnknown;
  text.remove_prefix(found + kName.size());
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const auto [kib, rest] = leading_number(text);
  return rest.starts_with(" kB") && kib < kLargestLimit / 1024 ? kib * 1024 : kUnknown;
}

// Returns the least limit from a group up to the topmost that is mounted. A container may show its
// own group as the topmost, whatever the path says.
std::uint64_t least_limit(const char* root, std::string_view mount, std::string_view group,
                          std::string_view file) noexcept {
  std::uint64_t least = limit_in(Path({root, mount, "/", file}).c_str());
  while (!group.empty()) {
    least = std::min(least, limit_in(Path({root, mount, group, "/", file}).c_str()));
    group = group.substr(0, group.rfind('/'));
  }
  return least;
}

std::uint64_t group_limit(const char* root) noexcept {
  std::uint64_t least = kUnknown;
  const OwnGroup own(root, "");
  for (const std::string_view mount : kGroupMounts) {
    for (const std::string_view file : {"memory.max", "memory.high"}) {
      least = std::min(least, least_limit(root, mount, own.path(), file));
    }
  }
  return least;
}

std::uint64_t version1_limit(const char* root) noexcept {
  const OwnGroup own(root, "memory");
  return least_limit(root, "/sys/fs/cgroup/memory", own.path(), "memory.limit_in_bytes");
}

enum class Given : std::uint8_t { kNo, kYes, kElsewhere };

// Returns whether huge pages are given, by the word in brackets, which is in force. Since Linux 6.8
// each size has such a file, which may leave it to the file that is for all sizes.
Given given_by(const char* path) noexcept {
  char buffer[128];
  const std::string_view text = beginning_of(path, buffer);
  if (text.find("[inherit]") != std::string_view::npos || text.empty()) return Given::kElsewhere;
  const bool asked = text.find("[madvise]") != std::string_view::npos;
  const bool always = text.find("[always]") != std::string_view::npos;
  return asked || always ? Given::kYes : Given::kNo;
}

}  // namespace

bool gives_huge_pages(const char* root) noexcept {
  constexpr std::string_view kFolder = "/sys/kernel/mm/transparent_hugepage";
  const KeepErrno keep;
  Given given = given_by(Path({root, kFolder, "/hugepages-2048kB/enabled"}).c_str());
  if (given == Given::kElsewhere) given = given_by(Path({root, kFolder, "/enabled"}).c_str());
  return given == Given::kYes;
}

std::uint64_t memory_limit(const char* root) noexcept {
  const KeepErrno keep;
  const auto least = std::min({machine_memory(root), group_limit(root), version1_limit(root)});
  // The result 0 means that there is no limit, so a limit of 0 becomes one page.
  return least == kUnknown ? 0 : std::max<std::uint64_t>(least, kPageBytes);
}

}  // namespace bufpool::platform
