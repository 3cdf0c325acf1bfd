// SPDX-License-Identifier: MIT
// Writes a text whole and within a bounded time to a descriptor that other processes share.
#pragma once

#include <cstdint>
#include <string_view>

#include "report/advisory_lock.h"
#include "report/deadline.h"
#include "report/descriptor.h"
#include "report/unnoticed.h"

namespace bufpool {

// Says how a descriptor is written to.
struct Way {
  enum class Kind : std::uint8_t {
    kPlain,   // by write(2), which waits for disks only, unless the process may make no other call
    kPolled,  // by write(2) in pieces, each as soon as poll(2) says that there is room for it
    kSocket,  // by a send(2) that does not wait
  };
  int descriptor;
  Kind kind;
  std::uint16_t piece;  // of kPolled: the bytes of a piece
};

// Writes `text` to the way's descriptor. Returns 0, or the error because of which a part of the
// text or all of it was not written; ETIMEDOUT means that there was no room until the deadline. It
// never changes a state that others share: the descriptor stays as blocking as it is. A signal that
// a write raises goes to `unnoticed`. A signal handler may call it.
[[nodiscard]] int write_within(const Way& way, std::string_view text, const Deadline& deadline,
                               Unnoticed& unnoticed) noexcept;

// Finds a way to write to a descriptor without waiting for its reader. It keeps out other processes
// that write to the same pipe, terminal or socket by an Outlet of theirs, as long as it lives. A
// file needs no lock: the kernel never mixes one write(2) to it with another. A signal handler may
// use it.
class Outlet {
 public:
  // Names the system calls that the process may make.
  enum class Calls : std::uint8_t {
    kAny,
    kFew,  // only fstat, openat, close, write, and poll where a write was refused for want of room
  };

  // Says who has the descriptor.
  enum class Use : std::uint8_t {
    kOwn,     // The descriptor is the caller's alone and does not block.
    kShared,  // Others have it, and it may block. Its file is opened anew if need be.
    kAsIs,    // It is as kShared, but no file is opened: a process that closes any descriptor of a
              // file loses all locks (F_SETLK) that it has on that file.
  };

  // Finds the way, and waits for other processes up to 300 ms before deadline.left() ends; the rest
  // of the time is for the writing. error() says how it went. The descriptor stays the caller's.
  Outlet(int descriptor, Use use, Calls calls, const Deadline& deadline) noexcept;
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;
  // Lets the other processes in, and then closes the file that was opened anew.
  ~Outlet() = default;

  // Returns 0, or the reason why there is no way: EPIPE where nobody reads, ETIMEDOUT where other
  // processes did not come to their end.
  [[nodiscard]] int error() const noexcept { return error_; }

  // Returns the way for write_within(). It is valid as long as the Outlet lives.
  [[nodiscard]] const Way& way() const noexcept { return way_; }

 private:
  void choose(Use use, Calls calls) noexcept;
  [[nodiscard]] bool open_anew(std::uint64_t device, std::uint64_t inode) noexcept;

  Way way_;
  int error_ = 0;
  bool shared_kind_ = false;  // a pipe, a terminal, a socket
  Descriptor opened_;         // the file that was opened anew, if one was
  AdvisoryLock others_;  // It comes last, so that the lock is let go of before the file is closed.
};

}  // namespace bufpool
