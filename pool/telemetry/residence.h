// SPDX-License-Identifier: MIT
// How much of a range is resident, asked of the kernel a window at a time. Asking changes nothing,
// whatever other threads do with the pages meanwhile.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "pool/platform/safe_calls.h"

namespace bufpool {

class Residence {
 public:
  // Asks nothing where this thread may be killed for the question, as under a filter of system
  // calls that the program added, and no more after kMostMs: what is not known is taken for
  // resident.
  Residence() noexcept;
  static constexpr std::uint64_t kMostMs = 200;

  // Nothing from `end` on is asked about. Pre: all below it that bytes_in() is called with is
  // mapped.
  void look_below(std::uintptr_t end) noexcept { end_ = end; }

  // Bytes of [start, end) that lie in resident pages.
  std::uint64_t bytes_in(std::uintptr_t start, std::uintptr_t end) noexcept;

 private:
  bool is_resident(std::uintptr_t page) noexcept;
  bool look_at(std::uintptr_t page) noexcept;

  static constexpr std::size_t kWindowPages = 1024;

  platform::SafeCalls safe_;  // kFew: the kernel is not asked
  std::uint64_t began_ms_;
  std::uintptr_t end_ = 0;
  std::uintptr_t first_ = 0;  // page of the window
  std::size_t pages_ = 0;     // in the window
  std::array<unsigned char, kWindowPages> resident_;
};

}  // namespace bufpool
