// SPDX-License-Identifier: MIT
// The small files in which the kernel tells of control groups and memory, and where they are. For
// the implementation of pool/platform/memory_limits.h only; callers keep errno.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

namespace bufpool::platform {

inline constexpr std::uint64_t kUnknown = UINT64_MAX;

// Where version 2 of the control groups is mounted: alone, or beside version 1.
inline constexpr std::string_view kGroupMounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

// A path put together of parts. Longer ones name no file: a signal handler's stack is small.
class Path {
 public:
  Path(std::initializer_list<std::string_view> parts) noexcept;

  [[nodiscard]] const char* c_str() const noexcept { return text_; }

  static constexpr std::size_t kRoom = 1024;

 private:
  char text_[kRoom];
};

// The beginning of a file, as much as one read gives; empty where it cannot be read.
std::string_view beginning_of(const char* path, std::span<char> buffer) noexcept;

struct Number {
  std::uint64_t value = kUnknown;
  std::string_view rest;
};

// Empty and unknown where no number begins the text, or one that is too large.
Number leading_number(std::string_view text) noexcept;

// This process's group where `controller` is known, or "" for the one of version 2.
class OwnGroup {
 public:
  OwnGroup(const char* root, std::string_view controller) noexcept;
  OwnGroup(const OwnGroup&) = delete;
  OwnGroup& operator=(const OwnGroup&) = delete;

  // Begins with a slash, or is empty: the topmost one, or unknown.
  [[nodiscard]] std::string_view path() const noexcept { return path_; }

 private:
  char text_[Path::kRoom];
  std::string_view path_;
};

}  // namespace bufpool::platform
