// SPDX-License-Identifier: MIT
// Promise: each call that gets a buffer is sampled, with the size that was asked for and the calls
//   that led to it, and each that takes one back ends the sample.
// Needs: library
// Env: BUFPOOL_SAMPLE=4K
// Run: plain
// Run: wiped_at_free
// Env: BUFPOOL_SAMPLE=4K BUFPOOL_ZERO=free
// Run: wiped_at_get
// Env: BUFPOOL_SAMPLE=4K BUFPOOL_ZERO=alloc
// Run: small_range
// Env: BUFPOOL_SAMPLE=4K BUFPOOL_MIN_SIZE=200K
#include <malloc.h>

#include <new>

#include "tests/programs/own_samples.h"

extern "C" const char __executable_start[];  // NOLINT(*-identifier-naming)
extern "C" const char etext[];

namespace {

bool is_in_program(std::uint64_t address) {
  return address >= reinterpret_cast<std::uintptr_t>(__executable_start) &&
         address < reinterpret_cast<std::uintptr_t>(etext);
}

// Has a size of its own for each call, so that its sample is told from all others.
std::size_t next_size() {
  static std::size_t size = promise::kSampled;
  return ++size;
}

void check_held(std::size_t bytes, const char* call) {
  promise::keep(promise::held(bytes) == 1, call);
  const promise::OwnSamples samples = promise::own_samples();
  for (const bufpool::StatsSampledBuffer& buffer : samples.buffers) {
    if (buffer.block < 4096 || buffer.asked != bytes) continue;
    const bufpool::StatsSampledStack& stack = samples.stacks[buffer.stack];
    promise::keep(stack.depth >= 3, "the stack is known");
    promise::keep(is_in_program(stack.frames[0]), "and begins where the program called");
    promise::keep(stack.gets > 0 && stack.bytes >= bytes, "and counts the buffer");
    promise::keep(buffer.taken_ns > 0, "and when it came");
  }
}

// What a reader makes of it is the same.
void check_read() {
  void* const buffer = promise::get<void>(promise::kSampled - 1);
  const bufpool::StatsPage page = promise::read_page(promise::own_page());
  promise::keep(page.samples().has_value() && page.samples()->every == 4096, "it is read");
  std::size_t found = 0;
  for (const bufpool::SampledBuffer& one : page.samples()->buffers) {
    if (one.asked != promise::kSampled - 1) continue;
    const bufpool::SampledStack& stack = page.samples()->stacks[one.stack];
    promise::keep(stack.gets > stack.puts && is_in_program(stack.frames[0]), "with its stack");
    ++found;
  }
  promise::keep(found == 1, "the buffer is there");
  promise::put(buffer);
}

template <typename Get, typename Put>
void check(const char* call, Get get, Put put) {
  const std::size_t bytes = next_size();
  void* const buffer = promise::hide(get(bytes));
  promise::keep(buffer != nullptr, call);
  memset(buffer, 1, bytes);
  check_held(bytes, call);
  put(promise::hide(buffer));
  promise::keep(promise::held(bytes) == 0, "it ends with the free");
}

void* shrunk(std::size_t bytes) {
  void* const old = promise::get<void>(8 * bytes);
  void* const left = realloc(promise::hide(old), bytes);
  promise::keep(promise::held(8 * bytes) == 0, "a realloc that moves ends the sample");
  return left;
}

void* grown(std::size_t bytes) { return realloc(promise::get<void>(100), bytes); }

void* aligned(std::size_t bytes) {
  void* memory = nullptr;
  promise::keep(posix_memalign(&memory, 4096, bytes) == 0, "there is memory");
  return memory;
}

void* zeroed(std::size_t bytes) {
  auto* const memory = static_cast<char*>(calloc(1, bytes));
  promise::keep(promise::is_zero(memory, bytes), "calloc gives zeros");
  return memory;
}

}  // namespace

int main() {
  promise::use(1 << 20, 2);
  const std::size_t before = promise::held(0);
  for (int round = 0; round < 2; ++round) {
    check("malloc", malloc, free);
    check("calloc", zeroed, free);
    check("realloc to less", shrunk, free);
    check("realloc to more", grown, free);
    check(
        "realloc of nothing", [](std::size_t n) { return realloc(nullptr, n); }, free);
    check(
        "memalign", [](std::size_t n) { return memalign(64, n); }, free);
    check(
        "memalign of little", [](std::size_t n) { return memalign(16, n); }, free);
    check("posix_memalign", aligned, free);
    check(
        "new", [](std::size_t n) { return operator new(n); },
        [](void* memory) { operator delete(memory); });
    check(
        "aligned new", [](std::size_t n) { return operator new[](n, std::align_val_t{256}); },
        [](void* memory) { operator delete[](memory, std::align_val_t{256}); });
    check("free by realloc", malloc,
          [](void* memory) { promise::keep(realloc(memory, 0) == nullptr, "it is freed"); });
  }
  promise::keep_held(before);
  check_read();
}
