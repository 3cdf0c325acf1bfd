// SPDX-License-Identifier: MIT
// Promise: a large buffer that the pool does not serve may be freed, and resized, after the program
//   protected its pages, as libc allows. Others who get the memory can write to it.
// Env: BUFPOOL_MAX_SIZE=64K
#include <malloc.h>
#include <sys/mman.h>

#include <cstdint>

#include "tests/programs/memory.h"

namespace {

using promise::kMiB;

constexpr std::size_t kPage = 4096;
constexpr std::size_t kSizes[] = {256 << 10, kMiB, 5 * kMiB, 40 * kMiB};

char* new_buffer(std::size_t bytes) {
  auto* const buffer = static_cast<char*>(promise::hide(memalign(kPage, bytes)));
  promise::fill(buffer, bytes, 1);
  return buffer;
}

void get_and_write(std::size_t bytes) {
  char* buffers[4];
  for (char*& buffer : buffers) buffer = new_buffer(bytes);
  for (char* buffer : buffers) promise::put(buffer);
}

void free_protected(std::size_t bytes, int rights) {
  char* const buffer = new_buffer(bytes);
  promise::keep(mprotect(buffer, bytes, rights) == 0, "pages are protected");
  promise::put(buffer);
  get_and_write(bytes);
}

void free_protected_within(std::size_t bytes) {
  char* const buffer = new_buffer(bytes);
  promise::keep(mprotect(buffer + kPage, bytes - 2 * kPage, PROT_NONE) == 0, "a part is protected");
  promise::put(buffer);
  get_and_write(bytes);
}

void resize_protected(std::size_t bytes) {
  char* buffer = new_buffer(bytes);
  promise::keep(mprotect(buffer, bytes, PROT_READ) == 0, "pages are protected");
  buffer = static_cast<char*>(promise::hide(realloc(buffer, 3 * bytes)));
  promise::keep(promise::holds(buffer, bytes, 1), "it keeps its contents");
  promise::put(buffer);
  get_and_write(bytes);
}

}  // namespace

int main() {
  mallopt(M_MMAP_THRESHOLD, 128 << 10);  // so that libc maps each
  for (const std::size_t bytes : kSizes) {
    for (int round = 0; round < 100; ++round) {
      free_protected(bytes, PROT_READ);
      if (bytes > 5 * kMiB) break;
    }
    free_protected(bytes, PROT_NONE);
    free_protected_within(bytes);
    resize_protected(bytes);
  }
}
