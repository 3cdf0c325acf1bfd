// SPDX-License-Identifier: MIT
// Promise: a program that replaces only the operators new and delete for one object, plain and
//   aligned, is asked by all other forms, too ([new.delete.single], [new.delete.array]). A nothrow
//   form returns null where the program's operator throws.
#include <malloc.h>

#include <new>

#include "tests/programs/promise.h"

namespace {

constexpr std::size_t kHeader = 512;
constexpr std::align_val_t kAligned{512};
constexpr unsigned long kMark = 0x6f70657261746f72;
long live = 0;
long made = 0;
bool has_none = false;

// Each block has a header, so that no other allocator could free it.
void* make(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  memcpy(memory, &kMark, sizeof kMark);
  ++live;
  ++made;
  return static_cast<char*>(memory) + kHeader;
}

void unmake(void* block) {
  void* const memory = static_cast<char*>(block) - kHeader;
  promise::keep(memcmp(memory, &kMark, sizeof kMark) == 0, "a block of this program's operator");
  --live;
  free(memory);
}

// Checks that `block` is the only one, and returns it.
void* only(void* block) {
  promise::keep(promise::hide(block) != nullptr && live == 1, "the program's operator made it");
  return block;
}

// Each of these forms rests on operator delete(void*).
void free_plain(std::size_t size) {
  operator delete(only(operator new(size)), size);
  operator delete(only(operator new(size)), std::nothrow);
  operator delete(only(operator new(size, std::nothrow)));
  operator delete[](only(operator new[](size)));
  operator delete[](only(operator new[](size)), size);
  operator delete[](only(operator new[](size, std::nothrow)), std::nothrow);
  promise::keep(live == 0 && made == 6, "all plain blocks came from the program and went to it");
}

// Each of these forms rests on operator delete(void*, std::align_val_t).
void free_aligned(std::size_t size) {
  operator delete(only(operator new(size, kAligned)), size, kAligned);
  operator delete(only(operator new(size, kAligned)), kAligned, std::nothrow);
  operator delete(only(operator new(size, kAligned, std::nothrow)), kAligned);
  operator delete[](only(operator new[](size, kAligned)), kAligned);
  operator delete[](only(operator new[](size, kAligned)), size, kAligned);
  operator delete[](only(operator new[](size, kAligned, std::nothrow)), kAligned, std::nothrow);
  promise::keep(live == 0 && made == 12, "so did all aligned ones");
}

void expect_null(std::size_t size) {
  has_none = true;
  promise::keep(operator new(size, std::nothrow) == nullptr, "new");
  promise::keep(operator new[](size, std::nothrow) == nullptr, "new[]");
  promise::keep(operator new(size, kAligned, std::nothrow) == nullptr, "aligned new");
  promise::keep(operator new[](size, kAligned, std::nothrow) == nullptr, "aligned new[]");
  has_none = false;
}

}  // namespace

// gcc warns of just such a program.
#pragma GCC diagnostic ignored "-Wsized-deallocation"

void* operator new(std::size_t size) { return make(has_none ? nullptr : malloc(kHeader + size)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto bound = static_cast<std::size_t>(alignment);
  return make(has_none ? nullptr : memalign(bound, kHeader + size));
}
void operator delete(void* block) noexcept {
  if (block != nullptr) unmake(block);
}
void operator delete(void* block, std::align_val_t) noexcept {
  if (block != nullptr) unmake(block);
}

int main() {
  for (const std::size_t size : promise::kSizes) {
    made = 0;
    free_plain(size);
    free_aligned(size);
    expect_null(size);
  }
}
