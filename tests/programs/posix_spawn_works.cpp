// SPDX-License-Identifier: MIT
// Promise: posix_spawn and popen work beside allocating threads, and the child is preloaded, too.
#include <spawn.h>

#include "tests/programs/workers.h"

int main() {
  promise::Workers workers(3);
  for (int i = 0; i < 60; ++i) {
    pid_t child = 0;
    char name[] = "true";
    std::array<char*, 2> arguments = {name, nullptr};
    const int result =
        posix_spawn(&child, "/bin/true", nullptr, nullptr, arguments.data(), environ);
    promise::keep(result == 0, "posix_spawn");
    promise::expect_good_end(child);
  }
  FILE* pipe = popen("echo \"$LD_PRELOAD\"", "r");
  std::array<char, 4096> line{};
  promise::keep(fgets(line.data(), line.size(), pipe) != nullptr, "the child writes");
  promise::keep(pclose(pipe) == 0, "and ends well");
  const char* preloaded = getenv("LD_PRELOAD");
  line[strcspn(line.data(), "\n")] = 0;
  promise::keep(strcmp(line.data(), preloaded == nullptr ? "" : preloaded) == 0, "LD_PRELOAD");
}
