// SPDX-License-Identifier: MIT
// The function that one of ours stands in front of.
#pragma once

#include <dlfcn.h>

#include <atomic>

namespace bufpool {

// Looked up with the first use. Not for what serves memory: dlsym may ask for some.
template <typename Function>
class NextSymbol {
 public:
  explicit constexpr NextSymbol(const char* name) noexcept : name_(name) {}

  [[nodiscard]] Function* get() noexcept {
    Function* found = function_.load(std::memory_order_relaxed);
    if (found != nullptr) return found;
    found = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name_));
    function_.store(found, std::memory_order_relaxed);
    return found;
  }

 private:
  const char* name_;
  std::atomic<Function*> function_{nullptr};
};

}  // namespace bufpool
