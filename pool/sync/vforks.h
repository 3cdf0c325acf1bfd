// SPDX-License-Identifier: MIT
// Counts the calls of vfork that a thread is in, and knows which of the processes on a thread's
// memory is the child.
#pragma once

namespace bufpool {

// Counts them for each thread. A signal handler may call all functions.
class Vforks {
 public:
  // Count. The thread calls enter() before vfork and leave() once its child is gone. The child is
  // another process on its parent's memory, and may call vfork, too, so both count.
  static void enter() noexcept { ++count_; }
  static void leave() noexcept {
    --count_;
    if (children_ > count_) children_ = count_;
  }

  // Says that this is such a child, which its number does not tell. Pre: the child calls it first
  // of all.
  static void begin_child() noexcept { children_ = count_; }

  // Tells whether this thread waits for such a child, or is one.
  static bool is_in_one() noexcept { return count_ != 0; }

  // Tells whether begin_child() was called in this process. In namespaces numbers do not tell a
  // child from its parent: the first process of each namespace has the number 1.
  static bool is_child() noexcept { return children_ != 0; }

  // Forgets the calls in a forked child, which has memory of its own. It writes only what differs.
  static void forget_in_copy() noexcept {
    if (count_ != 0) count_ = children_ = 0;
  }

 private:
  static inline constinit thread_local unsigned count_ [[gnu::tls_model("initial-exec")]] = 0;
  // How many of the calls were made before this process was, as the child of one of them.
  static inline constinit thread_local unsigned children_ [[gnu::tls_model("initial-exec")]] = 0;
};

}  // namespace bufpool
