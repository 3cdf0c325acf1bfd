// SPDX-License-Identifier: MIT
// The function that one of ours stands in front of.
#pragma once

#include <dlfcn.h>

#include <atomic>

namespace bufpool {

// Looks the function up with the first use, or earlier. No function that serves memory is looked up
// so, nor is one that serving memory calls, as dlsym may ask for some.
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

  // nullptr: get() was not called yet, or there is none.
  [[nodiscard]] Function* known() const noexcept {
    return function_.load(std::memory_order_relaxed);
  }

 private:
  const char* name_;
  std::atomic<Function*> function_{nullptr};
};

// To be called at start: later another thread may hold the loader's lock, and wait for this one.
void find_next_fork() noexcept;
void find_next_fclose() noexcept;
void find_next_namespace_calls() noexcept;
void find_next_page_calls() noexcept;
void find_next_prctl() noexcept;
void find_next_thread_ends() noexcept;

}  // namespace bufpool
