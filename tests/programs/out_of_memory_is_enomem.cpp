// SPDX-License-Identifier: MIT
// Promise: every function that runs out of memory sets ENOMEM, at every size, also if the system
//   refused with another error. posix_memalign returns ENOMEM and sets errno as well, as glibc's
//   does.
// Needs: library
// Run: address_space
// Args: none
// Limit: as=300M
// Stderr-not: not kept
// Run: data
// Args: data
// Run: filter
// Args: filter
#include <malloc.h>
#include <sys/resource.h>

#include <new>
#include <string_view>
#include <utility>

#include "tests/programs/memory.h"
#include "tests/programs/seccomp.h"

namespace {

constexpr std::array<std::size_t, 10> kAsked = {16,     100,     500,     1000,     5000,
                                                70'000, 300'000, 1 << 20, 16 << 20, 64 << 20};

// A caller of the C library would see this value if nothing set errno.
constexpr int kBefore = EDOM;

enum class Way {
  kMalloc,
  kCalloc,
  kRealloc,
  kReallocarray,
  kMemalign,
  kAligned,
  kPosix,
  kNew,
  kNewAligned
};

void* ask(Way way, std::size_t size, void* old) {
  void* memory = nullptr;
  switch (way) {
    case Way::kMalloc:
      return malloc(size);
    case Way::kCalloc:
      return calloc(1, size);
    case Way::kRealloc:
      return realloc(old, size);
    case Way::kReallocarray:
      return reallocarray(old, 1, size);
    case Way::kMemalign:
      return memalign(64, size);
    case Way::kAligned:
      return aligned_alloc(256, size);
    case Way::kPosix:
      promise::keep(posix_memalign(&memory, 64, size) == (memory == nullptr ? ENOMEM : 0), "posix");
      return memory;
    case Way::kNew:
      return operator new(size, std::nothrow);
    case Way::kNewAligned:
      return operator new (size, std::align_val_t{128}, std::nothrow);
  }
  return nullptr;
}

// Holds memory in a list that needs no memory of its own.
void** held;

void hold(void* memory) {
  *static_cast<void**>(memory) = held;
  held = static_cast<void**>(memory);
}

void use_up() {
  for (std::size_t piece = 32 << 20; piece >= 16; piece /= 2) {
    while (void* const memory = malloc(promise::hide(piece))) hold(memory);
  }
}

// Asks until there is no more, which is soon.
void expect_enomem(Way way, std::size_t size) {
  const bool grows = way == Way::kRealloc || way == Way::kReallocarray;
  for (;;) {
    void* const old = grows ? std::exchange(held, static_cast<void**>(*held)) : nullptr;
    errno = kBefore;
    void* const memory = promise::hide(ask(way, promise::hide(size), old));
    const int left = errno;
    if (memory != nullptr) {
      hold(memory);
      if (grows) return;  // some of what is held is large enough
      continue;
    }
    promise::keep(left == ENOMEM, "ENOMEM");
    if (old != nullptr) hold(old);
    return;
  }
}

void limit_memory(std::string_view how) {
  if (how == "filter") {
    promise::answer_calls({SYS_mmap, SYS_mprotect, SYS_mremap, SYS_brk}, SECCOMP_RET_ERRNO | EPERM);
  } else if (how == "data") {
    const auto used = promise::FileText<4096>("/proc/self/status").number("VmData:");
    const rlimit limit{(used << 10) + 32 * promise::kMiB, RLIM_INFINITY};
    promise::keep(setrlimit(RLIMIT_DATA, &limit) == 0, "memory can be limited");
  }
}

}  // namespace

int main(int, char** arguments) {
  for (const std::size_t size : kAsked) promise::use(size, 3);
  limit_memory(arguments[1]);
  use_up();
  for (auto way = Way::kMalloc; way <= Way::kNewAligned;
       way = static_cast<Way>(static_cast<int>(way) + 1)) {
    for (const std::size_t size : kAsked) expect_enomem(way, size);
  }
}
