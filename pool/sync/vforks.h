// SPDX-License-Identifier: MIT
// Counts the calls of vfork that a thread is in.
#pragma once

namespace bufpool {

// Counts them for each thread. A signal handler may call all functions.
class Vforks {
 public:
  // Count. The thread calls enter() before vfork and leave() once its child is gone. The child is
  // another process on its parent's memory, and may call vfork, too, so both count.
  static void enter() noexcept { ++count_; }
  static void leave() noexcept { --count_; }

  // Tells whether this thread waits for such a child, or is one.
  static bool is_in_one() noexcept { return count_ != 0; }

 private:
  static inline constinit thread_local unsigned count_ [[gnu::tls_model("initial-exec")]] = 0;
};

}  // namespace bufpool
