// SPDX-License-Identifier: MIT
#include <sys/mman.h>

#include <string_view>

#include "pool/platform.h"
#include "pool/platform_errno.h"
#include "pool/platform_memory.h"
#include "pool/platform_memory_files.h"

namespace bufpool::platform {

bool may_make_any_call(const char* root) noexcept {
  const KeepErrno keep;
  char buffer[3072];  // the line is in the second kilobyte, but for a process in many groups
  const std::string_view text =
      beginning_of(Path({root, "/proc/thread-self/status"}).c_str(), buffer);
  return text.find("\nSeccomp:\t0\n") != std::string_view::npos;
}

bool see_resident(std::uintptr_t start, std::size_t pages, unsigned char* resident) noexcept {
  const KeepErrno keep;
  return mincore(reinterpret_cast<void*>(start), pages * kPageBytes, resident) == 0;
}

}  // namespace bufpool::platform
