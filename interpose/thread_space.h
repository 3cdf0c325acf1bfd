// SPDX-License-Identifier: MIT
// Shares out the memory that the allocator underneath sets aside for threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/platform/process.h"
#include "pool/sync/refusal.h"

namespace bufpool {

// Decides under a limit of addresses or of data whether a thread is worth what mimalloc sets aside
// for it. Any thread and any signal handler may call any function. None takes a lock.
class ThreadSpace {
 public:
  // Sets the limits that the process was started under. SIZE_MAX is no limit.
  static void set_limits_at_start(const platform::Space& limits) noexcept;

  // Set one limit to what the program has asked for since.
  static void set_addresses_later(std::size_t bytes) noexcept { set_later(addresses_, bytes); }
  static void set_data_later(std::size_t bytes) noexcept { set_later(data_, bytes); }

  // It is the share of one thread. The thread holds it until mimalloc has mapped the memory.
  class Share {
   public:
    Share() noexcept = default;
    ~Share();
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // Takes the share. It returns false if the thread is to do without, and true without a share if
    // there is no limit to heed. Under a limit it reads a file, unless a thread was refused its
    // share a moment ago, see RefusalOfSome.
    [[nodiscard]] bool take() noexcept;

   private:
    bool held_ = false;
  };

  // Forgets in a forked child the shares of the parent's other threads, which were about to be
  // mapped. It writes only what differs.
  static void forget_in_child() noexcept;

 private:
  // Holds a limit in bytes. 0 says that there is none.
  using Limit = std::atomic<std::size_t>;

  static void set_later(Limit& limit, std::size_t bytes) noexcept;
  static bool heeds_limit() noexcept;
  static bool has_room(const platform::Space& used, std::size_t bytes) noexcept;
  static bool take_first() noexcept;
  static bool take_one() noexcept;

  static constinit Limit addresses_;
  static constinit Limit data_;
  static constinit std::atomic<bool> set_later_;          // by the program
  static constinit std::atomic<std::uint32_t> begun_;     // shares taken, ever
  static constinit std::atomic<std::uint32_t> finished_;  // shares that are mapped, or unused
  static constinit RefusalOfSome refused_;                // a thread was not worth it
};

}  // namespace bufpool
