// SPDX-License-Identifier: MIT
// Has what the programs share: a check that allocates nothing, pointers that the compiler cannot
// see through, patterns, and the sizes where rules change.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <source_location>
#include <span>

namespace promise {

inline constexpr int kSkipped = 77;

// They are below, at and above the edges of the pooled range and of its classes.
inline constexpr std::array<std::size_t, 33> kSizes = {
    1,       8,       15,       16,       17,       24,      100,    511,    512,
    513,     576,     577,      1000,     1024,     1088,    1089,   4096,   4136,
    5000,    16384,   16404,    65536,    65600,    65601,   100000, 262144, 1 << 20,
    1048640, 3000000, 16 << 20, 16777280, 16777281, 20 << 20};

// Returns the sizes for one of many rounds. The sizes above a mebibyte, which take nearly all of
// the time, are in every tenth only.
constexpr std::span<const std::size_t> sizes_in(int round) {
  return std::span(kSizes).first(round % 10 == 0 ? kSizes.size() : 27);
}
static_assert(sizes_in(1).back() == 1 << 20);

// Ends the program if a promise is not kept.
inline void keep(bool kept, const char* what,
                 std::source_location at = std::source_location::current()) {
  if (kept) return;
  const int error = errno;
  dprintf(STDERR_FILENO, "%s:%u: not kept: %s (errno %d)\n", at.file_name(), at.line(), what,
          error);
  _exit(1);
}

[[noreturn]] inline void skip(const char* why) {
  dprintf(STDERR_FILENO, "%s\n", why);
  _exit(kSkipped);
}

// Keeps from the compiler what this is, so that it can neither drop nor judge a call that uses it.
template <typename T>
T hide(T value) {
  asm volatile("" : "+r"(value) : : "memory");
  return value;
}

template <typename T = char>
T* get(std::size_t bytes) {
  T* memory = static_cast<T*>(hide(malloc(hide(bytes))));
  keep(memory != nullptr, "malloc gives memory");
  return memory;
}

inline void put(void* memory) { free(hide(memory)); }

inline unsigned char pattern(std::size_t index, unsigned seed) {
  return static_cast<unsigned char>((index >> 12) + index * 7 + seed);
}

inline void fill(void* memory, std::size_t bytes, unsigned seed) {
  auto* bytes_of = static_cast<unsigned char*>(memory);
  for (std::size_t i = 0; i < bytes; ++i) bytes_of[i] = pattern(i, seed);
}

inline bool holds(const void* memory, std::size_t bytes, unsigned seed) {
  const auto* bytes_of = static_cast<const unsigned char*>(memory);
  for (std::size_t i = 0; i < bytes; ++i) {
    if (bytes_of[i] != pattern(i, seed)) return false;
  }
  return true;
}

// Writes the last of `bytes`, as many as take no time, and reads them back.
inline bool end_holds(void* memory, std::size_t bytes, unsigned seed) {
  const std::size_t written = bytes < (1 << 16) ? bytes : 1 << 16;
  unsigned char* const end = static_cast<unsigned char*>(memory) + (bytes - written);
  fill(end, written, seed);
  return holds(end, written, seed);
}

inline bool is_zero(const void* memory, std::size_t bytes) {
  const auto* bytes_of = static_cast<const unsigned char*>(memory);
  return bytes == 0 || (bytes_of[0] == 0 && memcmp(bytes_of, bytes_of + 1, bytes - 1) == 0);
}

inline bool is_aligned(const void* memory, std::size_t alignment) {
  return reinterpret_cast<std::size_t>(memory) % alignment == 0;
}

// Returns how many buffers of `bytes` need more than `Limit: data=1G` leaves if none is used again.
// Of small sizes all of them together do.
constexpr int rounds_without_room(std::size_t bytes) {
  constexpr std::size_t kEnough = std::size_t{5} << 28;
  return bytes < kEnough / 20'000 ? 20'000 : static_cast<int>(kEnough / bytes);
}

// Returns the faults of this process up to now that took no file.
inline long page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

// Gets and frees `count` buffers of `bytes`, and checks each.
inline void use(std::size_t bytes, int count = 1) {
  for (int i = 0; i < count; ++i) {
    void* memory = get<void>(bytes);
    const std::size_t touched = bytes < 64 ? bytes : 64;
    fill(memory, touched, static_cast<unsigned>(i));
    keep(holds(memory, touched, static_cast<unsigned>(i)), "a buffer holds what is written");
    put(memory);
  }
}

}  // namespace promise
