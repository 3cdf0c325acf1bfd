// SPDX-License-Identifier: MIT
// Shares out the address space that the allocator underneath sets aside for threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/sync/refusal.h"

namespace bufpool {

// Decides under a limit whether a thread is worth the address space that mimalloc sets aside for
// it. Any thread and any signal handler may call any function. None takes a lock.
class ThreadSpace {
 public:
  // Set the limit of this process's address space to `bytes` from now on. SIZE_MAX is no limit. The
  // first is for the limit that the process was started under, the second for what the program has
  // asked for since.
  static void set_limit_at_start(std::size_t bytes) noexcept { set_limit(bytes, false); }
  static void set_limit_later(std::size_t bytes) noexcept { set_limit(bytes, true); }

  // It is the share of one thread. The thread holds it until mimalloc has mapped the address space.
  class Share {
   public:
    Share() noexcept = default;
    ~Share();
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // Takes the share. It returns false if the thread is to do without, and true without a share if
    // there is no limit to heed. Under a limit it reads a file, unless a thread was refused its
    // share less than policy::kRefusalMs ago.
    [[nodiscard]] bool take() noexcept;

   private:
    bool held_ = false;
  };

  // Forgets in a forked child the shares of the parent's other threads, which were about to be
  // mapped. It writes only what differs.
  static void forget_in_child() noexcept;

 private:
  static void set_limit(std::size_t bytes, bool later) noexcept;
  static bool heeds_limit() noexcept;
  static bool take_first() noexcept;
  static bool take_one() noexcept;

  static constinit std::atomic<std::size_t> limit_;       // bytes; 0: none
  static constinit std::atomic<bool> set_later_;          // by the program
  static constinit std::atomic<std::uint32_t> begun_;     // shares taken, ever
  static constinit std::atomic<std::uint32_t> finished_;  // shares that are mapped, or unused
  static constinit Refusal refused_;                      // a thread was not worth it
};

}  // namespace bufpool
