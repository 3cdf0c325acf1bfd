// SPDX-License-Identifier: MIT
// Promise: the buffers that the caches held at a fork serve the child, and none of them is lost or
//   comes twice, though other threads of the parent take and give meanwhile.
#include <sys/wait.h>

#include <array>

#include "tests/programs/own_page.h"
#include "tests/programs/workers.h"

namespace {

constexpr std::size_t kBytes = 200'000;
constexpr std::size_t kCached = 40;

// Takes all buffers that were cached, and more. Each is written whole.
void take_all(std::size_t count) {
  std::array<void*, 400> buffers{};
  for (std::size_t i = 0; i < count; ++i) {
    buffers[i] = promise::get<void>(kBytes);
    promise::fill(buffers[i], kBytes, static_cast<unsigned>(i));
  }
  for (std::size_t i = 0; i < count; ++i) {
    promise::keep(promise::holds(buffers[i], kBytes, static_cast<unsigned>(i)), "each is whole");
    promise::put(buffers[i]);
  }
}

std::uint64_t in_use(std::size_t bytes) {
  return promise::figure(promise::read_page(promise::own_page()), "in_use", bytes);
}

// Nothing else uses the class: what the child lost would be in use there.
void expect_nothing_lost() {
  take_all(kCached);
  promise::keep(in_use(kBytes) == 0, "nothing is in use");
  const pid_t child = fork();
  if (child == 0) {
    promise::use(kBytes, 100);
    promise::keep(in_use(kBytes) == 0, "nothing is lost to the child");
    take_all(400);
    promise::keep(in_use(kBytes) == 0, "what it has from its parent comes back");
    _exit(0);
  }
  promise::expect_good_end(child);
  take_all(kCached);
  promise::keep(in_use(kBytes) == 0, "the parent lost nothing");
}

}  // namespace

int main() {
  promise::use(kBytes);
  if (promise::own_page().start == 0) promise::skip("there is no page");
  for (int i = 0; i < 10; ++i) expect_nothing_lost();
  promise::Workers workers(3);
  for (int i = 0; i < 30; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(promise::kHungSeconds);
      take_all(400);
      _exit(0);
    }
    promise::expect_good_end(child);
  }
}
