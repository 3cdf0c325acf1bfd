// SPDX-License-Identifier: MIT
// Promise: buffers get huge pages if the program has many of their size and writes them from end to
//   end. Others get none, nor does a program that wants none.
// Needs: library
// Run: dense
// Args: written some
// Run: sparse
// Args: touched none
// Run: few
// Args: few none
// Run: off BUFPOOL_HUGEPAGES=off
// Args: written none
// Run: on BUFPOOL_HUGEPAGES=on
// Args: few some
// Run: no_files BUFPOOL_TRIMMER=off
// Args: written none
#include <string_view>

#include "tests/programs/huge_pages.h"

int main(int, char** arguments) {
  constexpr std::size_t kBuffer = 60'000;
  constexpr std::size_t kWrittenMiB = 64;
  const std::string_view how = arguments[1];
  promise::need_huge_pages_on_request();
  const std::size_t before = promise::huge_bytes();
  const std::size_t count = (how == "few" ? 3 : kWrittenMiB) * promise::kMiB / kBuffer;
  for (std::size_t i = 0; i < count; ++i) {
    char* const buffer = promise::get(kBuffer);
    memset(buffer, 1, how == "touched" ? 1 : kBuffer);
  }
  const std::size_t huge = promise::huge_bytes() - before;
  if (std::string_view(arguments[2]) == "some") {
    promise::keep(huge > 0, "there are huge pages");
  } else {
    promise::keep(huge == 0, "there are none");
  }
}
