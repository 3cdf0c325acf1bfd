// SPDX-License-Identifier: MIT
// Makes a burst of buffers, for scripts/bench memory: allocates BYTES in buffers of SIZE, writes to
// every page, and frees all.
//   burst_memory idle SIZE BYTES   says "live", frees on a word, says "idle", then makes no call
//                                  until its standard input speaks or ends
//   burst_memory again SIZE BYTES  repeats the burst at once and says "again N", nanoseconds per
//                                  buffer of the second burst
// LD_PRELOAD brings the allocator in.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>
#include <vector>

#include "tests/bench/idle.h"
#include "tests/bench/measure.h"

namespace bufpool::bench {
namespace {

void fill(std::span<char*> buffers, std::size_t size) {
  for (char*& buffer : buffers) {
    buffer = allocate(size);
    touch_pages(buffer, size);
  }
}

void free_all(std::span<char*> buffers) {
  for (char* const buffer : buffers) {
    std::free(buffer);
  }
}

void idle(std::span<char*> buffers, std::size_t size) {
  fill(buffers, size);
  tell("live\n");
  wait_for_word();
  free_all(buffers);
  tell("idle\n");
  wait_for_word();
}

void again(std::span<char*> buffers, std::size_t size) {
  fill(buffers, size);
  free_all(buffers);
  const double taken = elapsed_ns([&] {
    fill(buffers, size);
    free_all(buffers);
  });
  tell_number("again", taken / static_cast<double>(buffers.size()));
}

int run(std::string_view mode, std::size_t size, std::size_t bytes) {
  std::vector<char*> buffers(bytes / size);
  if (mode == "idle") {
    idle(buffers, size);
  } else {
    again(buffers, size);
  }
  return 0;
}

}  // namespace
}  // namespace bufpool::bench

int main(int argc, char** argv) {
  const std::string_view mode = argc == 4 ? argv[1] : "";
  const std::size_t size = argc == 4 ? std::strtoull(argv[2], nullptr, 10) : 0;
  const std::size_t bytes = argc == 4 ? std::strtoull(argv[3], nullptr, 10) : 0;
  if ((mode != "idle" && mode != "again") || size == 0 || bytes < size) {
    std::fputs("usage: burst_memory idle|again SIZE BYTES\n", stderr);
    return 2;
  }
  return bufpool::bench::run(mode, size, bytes);
}
