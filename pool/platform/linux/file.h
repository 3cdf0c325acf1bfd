// SPDX-License-Identifier: MIT
// Reading files in a thread of the program's. libc's open, read and close are cancellation points,
// and malloc and free are none: a thread with a pending cancellation would end in the middle of
// them. So the system calls are made without libc. Callers keep errno.
#pragma once

#include <cstddef>
#include <span>

namespace bufpool::platform {

class ReadOnlyFile {
 public:
  // Opens a file; it is not inherited, and opening it waits for nobody.
  explicit ReadOnlyFile(const char* path) noexcept;
  ~ReadOnlyFile();
  ReadOnlyFile(const ReadOnlyFile&) = delete;
  ReadOnlyFile& operator=(const ReadOnlyFile&) = delete;

  [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }

  // Reads the next bytes. Returns how many; 0 at the end, and where reading failed.
  [[nodiscard]] std::size_t read(std::span<char> to) noexcept;

  // Reads from `offset` on; the place where read() goes on stays. Returns as read() does.
  [[nodiscard]] std::size_t read_at(std::size_t offset, std::span<char> to) noexcept;

 private:
  int descriptor_;
};

}  // namespace bufpool::platform
