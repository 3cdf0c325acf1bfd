// SPDX-License-Identifier: MIT
// Promise: a mapping of the program's own that lies where the pool would grow is left alone. The
//   pool grows elsewhere.
// Env: BUFPOOL_RETAIN_TIME=200ms
#include <malloc.h>
#include <sys/mman.h>

#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kChunk = 4 * promise::kMiB;
constexpr std::size_t kMapped = 64 * 1024;
std::array<char*, 400> held;
std::array<void*, 6> foreign;

// Maps in the next six units of address space behind a buffer: at the start, further in, and so on.
void map_behind(const char* memory) {
  const auto chunk = reinterpret_cast<std::uintptr_t>(memory) & ~(kChunk - 1);
  for (std::size_t i = 0; i < foreign.size(); ++i) {
    const std::size_t inside = i % 2 * (promise::kMiB + 4096);
    auto* const wanted = reinterpret_cast<void*>(chunk + (i + 1) * kChunk + inside);
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    foreign[i] = mmap(wanted, kMapped, PROT_READ | PROT_WRITE, flags, -1, 0);
    promise::keep(foreign[i] == wanted, "nobody has mapped anything there");
    promise::fill(foreign[i], kMapped, static_cast<unsigned>(i));
  }
}

void hold_all(std::size_t bytes) {
  for (char*& memory : held) {
    memory = static_cast<char*>(calloc(1, promise::hide(bytes)));
    promise::keep(memory != nullptr && promise::is_zero(memory, 4096), "zero");
    promise::fill(memory, 4096, 7);
  }
}

void free_all() {
  for (char* memory : held) {
    promise::keep(promise::holds(memory, 4096, 7), "a buffer is whole");
    promise::put(memory);
  }
}

void expect_foreign_whole() {
  for (std::size_t i = 0; i < foreign.size(); ++i) {
    promise::keep(promise::holds(foreign[i], kMapped, static_cast<unsigned>(i)), "the mapping is");
  }
}

// Maps nearly all addresses that a size may have. Requests of that size are still served, and as
// soon.
void map_much_behind(std::size_t bytes) {
  constexpr std::size_t kMuch = std::size_t{60} << 30;
  char* const first = promise::get(bytes);
  const auto chunk = reinterpret_cast<std::uintptr_t>(first) & ~(kChunk - 1);
  auto* const wanted = reinterpret_cast<void*>(chunk + kChunk);
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
  promise::keep(mmap(wanted, kMuch, PROT_NONE, flags, -1, 0) == wanted, "it is mapped");
  const std::size_t before = promise::resident_bytes();
  const std::uint64_t start = promise::now_ms();
  hold_all(bytes);
  free_all();
  promise::keep(promise::now_ms() - start < 10'000, "it does not take long");
  // The buffers alone may take 39 MiB. Memory that was used before is wiped from end to end.
  promise::keep(promise::grown_since(before) < 64 * promise::kMiB, "nor much memory");
  promise::put(first);
  munmap(wanted, kMuch);
}

}  // namespace

int main() {
  for (const std::size_t bytes : {std::size_t{60'000}, promise::kMiB}) {
    char* const first = promise::get(bytes);
    map_behind(first);
    for (int round = 0; round < 3; ++round) {
      hold_all(bytes);
      expect_foreign_whole();
      free_all();
      malloc_trim(0);
      expect_foreign_whole();
      if (round == 1) promise::sleep_ms(500);
    }
    promise::put(first);
    for (void* mapping : foreign) munmap(mapping, kMapped);
  }
  map_much_behind(100'000);
}
