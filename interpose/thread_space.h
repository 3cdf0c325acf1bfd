// SPDX-License-Identifier: MIT
// Shares out the address space that mimalloc sets aside for threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/sync/refusal.h"

namespace bufpool {

// Decides whether a thread is worth the address space that mimalloc sets aside for it. Any thread
// and any signal handler may call all. None takes a lock.
class ThreadSpace {
 public:
  // The address space of this process is limited to `bytes` from now on, or not at all if that is
  // SIZE_MAX. The call is the one at start, or tells what the program has asked for later.
  static void set_limit_at_start(std::size_t bytes) noexcept { set_limit(bytes, false); }
  static void set_limit_later(std::size_t bytes) noexcept { set_limit(bytes, true); }

  // The share of one thread. It is held from before mimalloc maps the address space until it has.
  class Share {
   public:
    Share() noexcept = default;
    ~Share();
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // Returns false if the thread is to do without. Under a limit it reads a file, unless it
    // returned false not long ago.
    [[nodiscard]] bool take() noexcept;

   private:
    bool held_ = false;
  };

  // The threads that were about to map their share are the parent's. It writes what differs only.
  static void forget_in_child() noexcept;

 private:
  static void set_limit(std::size_t bytes, bool later) noexcept;
  static bool is_known() noexcept;
  static bool take_first() noexcept;
  static bool take_one() noexcept;

  static constinit std::atomic<std::size_t> limit_;  // 0: none
  static constinit std::atomic<bool> set_later_;
  static constinit std::atomic<std::uint32_t> begun_;  // shares taken, ever
  static constinit std::atomic<std::uint32_t>
      finished_;                      // those of them that are mapped, or unused
  static constinit Refusal refused_;  // a thread was not worth it
};

}  // namespace bufpool
