// SPDX-License-Identifier: MIT
// Promise: if the kernel gives a freed buffer no fresh pages, a buffer that was protected is made
//   writable. A buffer that was mapped over is not used again, and what is there is left alone.
// Needs: library
#include <fcntl.h>
#include <sys/mman.h>

#include "tests/programs/memory.h"
#include "tests/programs/seccomp.h"

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kBytes = 16 * kPage;

char* first_page(char* buffer) {
  return buffer + (kPage - reinterpret_cast<std::uintptr_t>(buffer) % kPage) % kPage;
}

}  // namespace

int main() {
  const int file = memfd_create("under a buffer", MFD_CLOEXEC);
  promise::keep(file >= 0 && ftruncate(file, kPage) == 0, "there is a file");
  static std::array<char*, 20> held{};
  for (char*& memory : held) memory = static_cast<char*>(memset(promise::get(kBytes), 1, kBytes));
  char* const hidden = held[3];
  char* const over = held[7];
  promise::keep(mprotect(first_page(hidden), kPage, PROT_NONE) == 0, "it is protected");
  promise::keep(mmap(first_page(over), kPage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file,
                     0) == first_page(over),
                "it is mapped over");
  promise::answer_calls({SYS_mmap}, SECCOMP_RET_ERRNO | ENOMEM);
  for (char* memory : held) promise::put(memory);
  bool is_used_again = false;
  for (char*& memory : held) {
    memory = static_cast<char*>(memset(promise::get(kBytes), 1, kBytes));
    promise::keep(memory != over, "what was mapped over is not handed out");
    is_used_again |= memory == hidden;
  }
  promise::keep(is_used_again, "what was protected is");
  char page[kPage];
  promise::keep(pread(file, page, kPage, 0) == kPage && promise::is_zero(page, kPage),
                "the file is as it was");
}
