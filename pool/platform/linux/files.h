// SPDX-License-Identifier: MIT
// Reads the small files in which the kernel tells of processes, control groups and memory. It does
// so in threads of the program's. libc's open, read and close are cancellation points, and malloc
// and free are none: a thread with a pending cancellation would end in the middle of them. So the
// system calls are made without libc. Only files of this folder include it. Callers keep errno.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

namespace bufpool::platform {

inline constexpr std::uint64_t kUnknown = UINT64_MAX;

// Version 2 of the control groups is mounted at one of these places: alone, or beside version 1.
inline constexpr std::string_view kGroupMounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

// Owns a descriptor, and closes it at the end.
class Descriptor {
 public:
  // Takes a descriptor over. A number below 0 is none.
  explicit Descriptor(int number) noexcept : number_(number) {}
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  // Return whether it has a descriptor, and the descriptor.
  [[nodiscard]] bool is_open() const noexcept { return number_ >= 0; }
  [[nodiscard]] int number() const noexcept { return number_; }

  // Hands the descriptor to the caller, who closes it.
  [[nodiscard]] int release() noexcept;

 private:
  int number_;  // is below 0 if there is none
};

// Takes over what a system call answered that makes a descriptor with the close-on-exec flag.
// Returns a descriptor that is none of 0, 1 and 2, which the program may have closed. It is below 0
// if the call failed, or if a filter answered for the kernel. Then nothing is closed.
[[nodiscard]] int own_descriptor(long made) noexcept;

// Opens a file by the flags of open(2). The descriptor is not inherited by other programs.
[[nodiscard]] int open_file(const char* path, int flags) noexcept;

class ReadOnlyFile {
 public:
  // Opens a file. It waits for nobody.
  explicit ReadOnlyFile(const char* path) noexcept;

  // Returns whether the file could be opened.
  [[nodiscard]] bool is_open() const noexcept { return file_.is_open(); }

  // Reads the next bytes. Returns how many there were, and 0 at the end and where reading failed.
  [[nodiscard]] std::size_t read(std::span<char> to) noexcept;

  // Reads from `offset` on, and leaves the place where read() goes on. Returns as read() does.
  [[nodiscard]] std::size_t read_at(std::size_t offset, std::span<char> to) noexcept;

 private:
  Descriptor file_;
};

// Puts a path together of parts. A path that is too long becomes empty and names no file. The room
// is small, as the stack of a signal handler is.
class Path {
 public:
  // Puts the parts together.
  Path(std::initializer_list<std::string_view> parts) noexcept;

  // Returns the path, ended by a NUL.
  [[nodiscard]] const char* c_str() const noexcept { return text_; }

  static constexpr std::size_t kRoom = 1024;

 private:
  char text_[kRoom];
};

// Returns the beginning of a file, as much as one read gives. It is empty where the file cannot be
// read.
std::string_view beginning_of(const char* path, std::span<char> buffer) noexcept;

struct Number {
  std::uint64_t value = kUnknown;
  std::string_view rest;
};

// Returns the number that the text begins with, and the text behind it. The value is kUnknown and
// the rest empty if the text begins with no number or one that is too large.
Number leading_number(std::string_view text) noexcept;

// Holds a line of a file that begins with `name` and has one number.
struct NumberLine {
  std::string_view name;
  std::uint64_t value = kUnknown;  // kUnknown if the file has no such line
};

// Finds lines in a file. `lines` are in the file's order or not; lines of the file may be of any
// length. It reads no further than it needs to. Returns false if the file cannot be opened.
bool read_numbers(const char* path, std::span<NumberLine> lines) noexcept;

// Finds this process's control group: that of version 1 which has the controller, or that of
// version 2 if `controller` is empty.
class OwnGroup {
 public:
  // Reads which group it is. `root` says where the system's files are.
  OwnGroup(const char* root, std::string_view controller) noexcept;
  OwnGroup(const OwnGroup&) = delete;
  OwnGroup& operator=(const OwnGroup&) = delete;

  // Returns a path that begins with a slash. It is empty if the group is the topmost or unknown.
  [[nodiscard]] std::string_view path() const noexcept { return path_; }

 private:
  char text_[Path::kRoom];
  std::string_view path_;
};

}  // namespace bufpool::platform
