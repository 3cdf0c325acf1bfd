// SPDX-License-Identifier: MIT
// Finds the function that a function of this library stands in front of.
#pragma once

#include <dlfcn.h>

#include <atomic>

namespace bufpool {

// Looks the function up with the first use, or earlier. Pre: the function neither serves memory nor
// is called by one that does, as dlsym may ask for memory.
template <typename Function>
class NextSymbol {
 public:
  // `name` is the name of the function for dlsym.
  explicit constexpr NextSymbol(const char* name) noexcept : name_(name) {}

  // Returns the function, or nullptr if there is none. Any thread may call it. A signal handler may
  // call it once the function was found.
  [[nodiscard]] Function* get() noexcept {
    Function* found = function_.load(std::memory_order_relaxed);
    if (found != nullptr) return found;
    found = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name_));
    function_.store(found, std::memory_order_relaxed);
    return found;
  }

  // Returns the function, or nullptr if get() was not called yet or there is none. A signal handler
  // may call it.
  [[nodiscard]] Function* known() const noexcept {
    return function_.load(std::memory_order_relaxed);
  }

 private:
  const char* name_;
  std::atomic<Function*> function_{nullptr};
};

// Look the functions up at start. Later another thread may hold the loader's lock and wait for this
// one.
void find_next_fork() noexcept;
void find_next_fclose() noexcept;
void find_next_limit_calls() noexcept;
void find_next_namespace_calls() noexcept;
void find_next_page_calls() noexcept;
void find_next_prctl() noexcept;

}  // namespace bufpool
