// SPDX-License-Identifier: MIT
#include "pool/platform/linux/file.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace bufpool::platform {

ReadOnlyFile::ReadOnlyFile(const char* path) noexcept
    : descriptor_(static_cast<int>(
          syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK))) {}

ReadOnlyFile::~ReadOnlyFile() {
  if (is_open()) syscall(SYS_close, descriptor_);
}

std::size_t ReadOnlyFile::read(std::span<char> to) noexcept {
  if (!is_open()) return 0;
  const long length = syscall(SYS_read, descriptor_, to.data(), to.size());
  return length < 0 ? 0 : static_cast<std::size_t>(length);
}

std::size_t ReadOnlyFile::read_at(std::size_t offset, std::span<char> to) noexcept {
  if (!is_open()) return 0;
  const long length = syscall(SYS_pread64, descriptor_, to.data(), to.size(), offset);
  return length < 0 ? 0 : static_cast<std::size_t>(length);
}

}  // namespace bufpool::platform
