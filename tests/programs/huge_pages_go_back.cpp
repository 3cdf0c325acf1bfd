// SPDX-License-Identifier: MIT
// Promise: memory in huge pages goes back as all other memory does, also if some buffers of each
//   page stay. The system does not fill up again what went.
// Needs: library
// Env: BUFPOOL_RETAIN_TIME=1s
// Run: auto
// Run: on BUFPOOL_HUGEPAGES=on
#include "tests/programs/huge_pages.h"

int main() {
  constexpr std::size_t kBuffer = 60'000;
  constexpr std::size_t kStay = 20;  // one of so many
  static std::array<char*, 96 * promise::kMiB / kBuffer> held;
  promise::need_huge_pages_on_request();
  const std::size_t before = promise::resident_bytes();
  for (char*& buffer : held) {
    buffer = promise::get(kBuffer);
    memset(buffer, 1, kBuffer);
  }
  promise::keep(promise::huge_bytes() > 0, "there are huge pages");
  for (std::size_t i = 0; i < held.size(); ++i) {
    if (i % kStay != 0) promise::put(held[i]);
  }
  const auto is_back = [&] {
    return promise::grown_since(before) < held.size() / kStay * kBuffer + 8 * promise::kMiB;
  };
  promise::keep(promise::comes_true(is_back), "nineteen of twenty go back");
  promise::keep(promise::comes_true([] { return !promise::any_mapping_wants_huge(); }),
                "where pages went back no huge ones are wanted");
  for (std::size_t i = 0; i < held.size(); i += kStay) {
    promise::keep(held[i][0] == 1 && held[i][kBuffer - 1] == 1, "what stays is as it was");
  }
}
