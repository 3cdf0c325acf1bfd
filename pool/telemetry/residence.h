// SPDX-License-Identifier: MIT
// Finds out how much of a range is resident. The kernel is asked for a window of pages at a time.
// Asking changes nothing, whatever other threads do with the pages meanwhile.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "pool/platform/safe_calls.h"

namespace bufpool {

class Residence {
 public:
  // Begins to ask. The kernel is not asked if this thread may be killed for the question, as under
  // a filter of system calls that the program added. It is not asked any more after
  // policy::kResidencePatienceMs. Pages that nothing is known of are taken for resident.
  Residence() noexcept;

  // Keeps bytes_in() from asking about anything from `end` on. Pre: the ranges below `end` that
  // bytes_in() is called with are mapped.
  void look_below(std::uintptr_t end) noexcept { end_ = end; }

  // Returns the bytes of [start, end) that lie in resident pages.
  std::uint64_t bytes_in(std::uintptr_t start, std::uintptr_t end) noexcept;

 private:
  bool is_resident(std::uintptr_t page) noexcept;
  bool look_at(std::uintptr_t page) noexcept;

  static constexpr std::size_t kWindowPages = 1024;

  platform::SafeCalls safe_;  // the kernel is not asked if it is kFew
  std::uint64_t began_ms_;
  std::uintptr_t end_ = 0;
  std::uintptr_t first_ = 0;  // first page of the window
  std::size_t pages_ = 0;     // in the window
  std::array<unsigned char, kWindowPages> resident_;
};

}  // namespace bufpool
