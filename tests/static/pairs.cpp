// SPDX-License-Identifier: MIT
// pairs BYTES COUNT: so many pairs of malloc and free, for callgrind.sh to count.
#include <cstdlib>

int main(int count, char** arguments) {
  if (count != 3) return 2;
  const std::size_t size = std::strtoull(arguments[1], nullptr, 10);
  for (unsigned long left = std::strtoul(arguments[2], nullptr, 10); left > 0; --left) {
    void* block = malloc(size);
    if (block == nullptr) return 1;
    free(block);
  }
}
