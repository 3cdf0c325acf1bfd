// SPDX-License-Identifier: MIT
// Promise: a core file of a process holds what the process uses. With 20 MiB live and as much
//   freed, its own mappings that are dumped have at most 100 MiB.
#include <memory>

#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kBuffer = 50'000;
std::array<void*, 40 * promise::kMiB / kBuffer> held;

struct Mapping {
  std::size_t kibibytes;
  bool is_own;
};

// Each mapping has a line of its addresses, "rw-p" and the like, and then lines of "Key: value".
std::size_t dumped_kibibytes() {
  FILE* const smaps = fopen("/proc/self/smaps", "re");
  promise::keep(smaps != nullptr, "the system tells");
  std::size_t sum = 0;
  Mapping mapping{};
  std::array<char, 4096> line{};
  while (fgets(line.data(), line.size(), smaps) != nullptr) {
    char kind[5] = {};
    if (sscanf(line.data(), "%*x-%*x %4s", kind) == 1 && strlen(kind) == 4) {
      mapping.is_own = kind[3] == 'p';
    }
    sscanf(line.data(), "Size: %zu kB", &mapping.kibibytes);
    const bool ends = strncmp(line.data(), "VmFlags:", 8) == 0;
    if (ends && mapping.is_own && strstr(line.data(), " dd") == nullptr) sum += mapping.kibibytes;
  }
  fclose(smaps);
  return sum;
}

}  // namespace

int main() {
  for (void*& memory : held) memory = memset(promise::get<void>(kBuffer), 1, kBuffer);
  for (std::size_t i = 0; i < held.size(); i += 2) promise::put(held[i]);
  promise::keep(dumped_kibibytes() < 100 << 10, "at most 100 MiB");
}
