// SPDX-License-Identifier: MIT
// Whether the pool asks the kernel for huge pages.
#pragma once

#include <atomic>

#include "pool/options/options.h"
#include "pool/platform/memory_limits.h"
#include "pool/platform/safe_calls.h"

namespace bufpool {

// Holds the user's choice and what the system was found to give. Any thread and any signal handler
// may call all functions but open().
class HugePageAdvice {
 public:
  // Takes the user's choice. `may_read` says whether files may be read later to find out what the
  // system gives; if not, it counts as giving none. Pre: no class takes chunks yet.
  void open(HugePagesChoice choice, bool may_read) noexcept {
    choice_ = choice;
    if (choice == HugePagesChoice::kOn) {
      (void)may_ask();
    } else if (!may_read) {
      given_.store(kNotGiven, std::memory_order_relaxed);
    }
  }

  // The user's choice.
  HugePagesChoice choice() const noexcept { return choice_; }

  // Whether the system gives huge pages to those who ask, and asking is no call that the program
  // may have forbidden. It reads files, once. Two threads may both read them.
  [[nodiscard]] bool may_ask() noexcept {
    if (platform::expects_filter()) return false;
    int given = given_.load(std::memory_order_relaxed);
    if (given == kUnknown) {
      given = platform::gives_huge_pages() ? kGiven : kNotGiven;
      given_.store(given, std::memory_order_relaxed);
    }
    return given == kGiven;
  }

 private:
  enum : int { kUnknown, kGiven, kNotGiven };

  HugePagesChoice choice_ = HugePagesChoice::kAuto;
  std::atomic<int> given_{kUnknown};
};

}  // namespace bufpool
