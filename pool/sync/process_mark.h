// SPDX-License-Identifier: MIT
// Marks the memory of a process in a way that a copy of the memory does not keep. A child process
// that ran no fork handlers (_Fork, a raw fork or clone) tells by it that the threads of its parent
// are not there.
#pragma once

#include <atomic>
#include <cstdint>

#include "pool/platform/memory.h"
#include "pool/platform/safe_calls.h"

namespace bufpool {

// Holds the mark in a page of its own, which the kernel wipes in every copy of the process's
// memory. A process that shares its parent's memory, as a child of vfork does, is no copy. Any
// thread and any signal handler may call any function. No function takes a lock.
class ProcessMark {
 public:
  // Marks this process. The first call maps the page. No mark is made where the kernel has no such
  // pages (before Linux 4.14), and in a process that is about to forbid itself system calls.
  void set() noexcept {
    Word* word = word_.load(std::memory_order_acquire);
    if (word == nullptr && !platform::expects_filter()) word = map_word();
    if (word != nullptr) word->store(kMarked);
  }

  // Returns true if this process is a copy of the one that set the mark, and marks it. So only one
  // thread of it is told. It returns false where no mark was made. It makes no system call.
  [[nodiscard]] bool claim_copy() noexcept {
    Word* const word = word_.load(std::memory_order_acquire);
    if (word == nullptr || word->load(std::memory_order_acquire) == kMarked) [[likely]]
      return false;
    std::uint32_t wiped = 0;
    return word->compare_exchange_strong(wiped, kMarked);
  }

 private:
  using Word = std::atomic<std::uint32_t>;
  static constexpr std::uint32_t kMarked = 1;

  // Returns the page of the thread that was the first to map one.
  Word* map_word() noexcept {
    Word* const mine = static_cast<Word*>(platform::map_wiped_in_copies());
    Word* first = nullptr;
    if (mine == nullptr || word_.compare_exchange_strong(first, mine)) return mine;
    platform::unreserve(mine, platform::kPageBytes);
    return first;
  }

  std::atomic<Word*> word_{nullptr};
};

}  // namespace bufpool
