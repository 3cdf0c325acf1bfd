// SPDX-License-Identifier: MIT
// Writing a text to a descriptor that other processes share: whole, and within a bounded time.
#pragma once

#include <cstdint>
#include <string_view>

#include "report/descriptor.h"
#include "report/unnoticed.h"

namespace bufpool {

// How long a text is waited for.
class Deadline {
 public:
  // Both in milliseconds: up to the last byte, and up to the first one. A reader that takes nothing
  // at all is given less time than a slow one.
  [[nodiscard]] static Deadline in(int whole, int begin) noexcept {
    return {now() + whole, now() + begin};
  }
  [[nodiscard]] static Deadline in(int whole) noexcept { return in(whole, whole); }

  // In milliseconds, not below 0.
  [[nodiscard]] int left() const noexcept { return until(whole_); }
  [[nodiscard]] int left_to_begin() const noexcept { return until(begin_); }

 private:
  Deadline(std::int64_t whole, std::int64_t begin) noexcept : whole_(whole), begin_(begin) {}
  [[nodiscard]] static std::int64_t now() noexcept;
  [[nodiscard]] static int until(std::int64_t time) noexcept;

  std::int64_t whole_;
  std::int64_t begin_;
};

// How a descriptor is written to.
struct Way {
  enum class Kind : std::uint8_t {
    kPlain,   // by write(2), which waits for nothing but a disk, unless no other call may be made
    kPolled,  // in pieces for which there is room as soon as poll(2) says so
    kSocket,  // by a send(2) that does not wait
  };
  int descriptor;
  Kind kind;
  std::uint16_t piece;  // of kPolled, in bytes
};

// Returns 0, or the error because of which a part of the text or all of it was not written:
// ETIMEDOUT where there was no room until the deadline. Never changes what others share: a
// descriptor stays as blocking as it is.
[[nodiscard]] int write_within(const Way& way, std::string_view text, const Deadline& deadline,
                               Unnoticed& unnoticed) noexcept;

// Finds the way to write to a descriptor without waiting, and keeps other processes that write by
// an Outlet of theirs to the same pipe, terminal or socket away until it is destroyed. A file
// needs no such thing: one write(2) to it is never mixed with another.
class Outlet {
 public:
  enum class Calls : std::uint8_t {
    kAny,
    kFew,  // only fstat, openat, close, write, and poll where a write was refused for want of room
  };

  enum class Use : std::uint8_t {
    kOwn,     // the descriptor is the caller's alone and does not block
    kShared,  // others have it, and it may block: its file is opened anew if need be
    kAsIs,    // the same, but nothing is opened, as a process that closes any descriptor of a file
              // loses all locks (F_SETLK) that it has on that file
  };

  Outlet(int descriptor, Use use, Calls calls, const Deadline& deadline) noexcept;
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;
  ~Outlet();

  // 0, or why there is no way: EPIPE where nobody reads, ETIMEDOUT where others did not come to
  // their end.
  [[nodiscard]] int error() const noexcept { return error_; }
  [[nodiscard]] const Way& way() const noexcept { return way_; }

 private:
  void choose(Use use, Calls calls) noexcept;
  [[nodiscard]] bool open_anew(std::uint64_t device, std::uint64_t inode) noexcept;
  void keep_others_out(const Deadline& deadline) noexcept;

  Way way_;
  Descriptor opened_;
  int locked_ = -1;
  int error_ = 0;
  bool shared_kind_ = false;  // a pipe, a terminal, a socket
};

}  // namespace bufpool
