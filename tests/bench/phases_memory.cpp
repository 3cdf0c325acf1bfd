// SPDX-License-Identifier: MIT
// Runs phases of one size each, for scripts/bench memory: phases_memory ROUNDS.
//
// A round draws a size from 512 B to 32 MiB, and takes buffers of it for 4 MiB, or one if it is
// larger. It writes all their pages, and frees 15 of 16 at random. Those that it kept are freed 64
// rounds later. The program says "ROUND VMSIZE_KIB RESIDENT_KIB MAPPINGS" a hundred times.
// LD_PRELOAD brings the allocator in.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "tests/bench/idle.h"
#include "tests/bench/measure.h"

namespace bufpool::bench {
namespace {

constexpr std::size_t kRoundBytes = 4 * kMiB;
constexpr std::size_t kMostBuffers = 4096;
constexpr std::size_t kLines = 100;

using Buffers = std::vector<char*>;

void free_all(Buffers& buffers) {
  for (char* const buffer : buffers) {
    std::free(buffer);
  }
  buffers.clear();
}

void play_round(XorShift& dice, Buffers& buffers, Buffers& kept) {
  const auto size = static_cast<std::size_t>(512 * std::exp2(16 * dice.fraction()));
  const std::size_t count = std::clamp<std::size_t>(kRoundBytes / size, 1, kMostBuffers);
  free_all(kept);
  for (std::size_t i = 0; i < count; ++i) {
    buffers.push_back(allocate(size));
    touch_pages(buffers.back(), size);
  }
  for (char* const buffer : buffers) {
    if (dice.next() % 16 == 0) {
      kept.push_back(buffer);
    } else {
      std::free(buffer);
    }
  }
  buffers.clear();
}

// It reads without a stream, which would take a buffer.
std::size_t count_lines(const char* path) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  std::array<char, 4096> text;
  std::size_t lines = 0;
  for (ssize_t got = 0; (got = read(file, text.data(), text.size())) > 0;) {
    lines += static_cast<std::size_t>(std::count(text.data(), text.data() + got, '\n'));
  }
  close(file);
  return lines;
}

void tell_sizes(std::size_t round) {
  std::array<char, 256> text{};
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  const ssize_t got = read(file, text.data(), text.size() - 1);
  close(file);
  char* rest = text.data();
  const std::uint64_t mapped = std::strtoull(rest, &rest, 10) * kPage / kKiB;
  const std::uint64_t resident = std::strtoull(rest, &rest, 10) * kPage / kKiB;
  if (got <= 0) std::_Exit(1);
  std::printf("%zu %ju %ju %zu\n", round, static_cast<std::uintmax_t>(mapped),
              static_cast<std::uintmax_t>(resident), count_lines("/proc/self/maps"));
  std::fflush(stdout);
}

void play(std::size_t rounds) {
  XorShift dice;
  Buffers buffers;
  std::array<Buffers, 64> kept;
  buffers.reserve(kMostBuffers);
  for (std::size_t round = 1; round <= rounds; ++round) {
    play_round(dice, buffers, kept[round % kept.size()]);
    if (round % std::max<std::size_t>(1, rounds / kLines) == 0) tell_sizes(round);
  }
}

}  // namespace
}  // namespace bufpool::bench

int main(int argc, char** argv) {
  const std::size_t rounds = argc == 2 ? std::strtoull(argv[1], nullptr, 10) : 0;
  if (rounds == 0) {
    std::fputs("usage: phases_memory ROUNDS\n", stderr);
    return 2;
  }
  bufpool::bench::play(rounds);
}
