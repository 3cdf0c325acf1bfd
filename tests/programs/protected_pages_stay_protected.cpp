// SPDX-License-Identifier: MIT
// Promise: pages of its buffers that a program protected are as it left them, however many buffers
//   of the size are made, freed and given back after that.
// Env: BUFPOOL_RETAIN_TIME=200ms
#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>

#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kPage = 4096;
int zeros;
int sink;

// The kernel tells it without a signal.
bool is_readable(const void* page) { return write(sink, page, 1) == 1; }
bool is_writable(void* page) { return read(zeros, page, 1) == 1; }

void* pages(std::size_t bytes) {
  void* const memory = aligned_alloc(kPage, promise::hide(bytes));
  promise::keep(memory != nullptr, "there is memory");
  return memory;
}

void expect_protection(void* sealed, void* hidden) {
  promise::keep(is_readable(sealed) && !is_writable(sealed), "the one is read only");
  promise::keep(!is_readable(hidden), "the other is not to be read");
}

void try_size(std::size_t bytes, std::size_t count) {
  void* const sealed = pages(bytes);
  void* const hidden = pages(bytes);
  promise::keep(mprotect(sealed, kPage, PROT_READ) == 0, "it is protected");
  promise::keep(mprotect(hidden, kPage, PROT_NONE) == 0, "as is this");
  static std::array<void*, 2000> held{};
  for (std::size_t i = 0; i < count; ++i) *static_cast<char*>(held[i] = pages(bytes)) = 1;
  expect_protection(sealed, hidden);
  for (std::size_t i = 0; i < count; ++i) promise::put(held[i]);
  malloc_trim(0);
  for (std::size_t i = 0; i < count; ++i) *static_cast<char*>(held[i] = pages(bytes)) = 1;
  expect_protection(sealed, hidden);
  for (std::size_t i = 0; i < count; ++i) promise::put(held[i]);
  mprotect(sealed, kPage, PROT_READ | PROT_WRITE);
  mprotect(hidden, kPage, PROT_READ | PROT_WRITE);
  promise::put(sealed);
  promise::put(hidden);
}

}  // namespace

int main() {
  zeros = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  sink = memfd_create("sink", MFD_CLOEXEC);
  promise::keep(zeros >= 0 && sink >= 0, "there is somewhere to read from and to write to");
  try_size(16'384, 2000);
  try_size(65'536, 1000);
  try_size(promise::kMiB, 200);
  try_size(20 * promise::kMiB, 10);
}
