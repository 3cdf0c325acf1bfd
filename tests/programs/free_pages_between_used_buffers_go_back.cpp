// SPDX-License-Identifier: MIT
// Promise: pages that hold nothing but free buffers go back though their neighbours are in use.
//   What is in use stays whole, and calloc knows what is zero.
// Needs: library
// Env: BUFPOOL_RETAIN_TIME=500ms
#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kBuffer = 4096;
constexpr std::size_t kEach = 16;  // of so many one stays
std::array<char*, 64 * promise::kMiB / kBuffer> held;

}  // namespace

int main() {
  const std::size_t before = promise::resident_bytes();
  for (std::size_t i = 0; i < held.size(); ++i) {
    held[i] = promise::get(kBuffer);
    promise::fill(held[i], kBuffer, static_cast<unsigned>(i));
  }
  for (std::size_t i = 0; i < held.size(); ++i) {
    if (i % kEach != 0) promise::put(held[i]);
  }
  promise::keep(
      promise::comes_true([&] { return promise::grown_since(before) < 20 * promise::kMiB; }),
      "of 64 MiB, 4 in use, 44 go back");
  for (std::size_t i = 0; i < held.size(); ++i) {
    if (i % kEach == 0) continue;
    held[i] = static_cast<char*>(calloc(1, promise::hide(kBuffer)));
    promise::keep(held[i] != nullptr && promise::is_zero(held[i], kBuffer), "zero");
    promise::fill(held[i], kBuffer, static_cast<unsigned>(i));
  }
  for (std::size_t i = 0; i < held.size(); ++i) {
    promise::keep(promise::holds(held[i], kBuffer, static_cast<unsigned>(i)), "whole");
    promise::put(held[i]);
  }
}
