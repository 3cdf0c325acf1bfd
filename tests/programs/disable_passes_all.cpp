// SPDX-License-Identifier: MIT
// Promise: with BUFPOOL_DISABLE=1 everything works and there is nothing to report.
// Env: BUFPOOL_DISABLE=1 -BUFPOOL_REPORT
#include <thread>

#include "tests/programs/promise.h"

namespace {

void work() {
  for (const std::size_t bytes : promise::kSizes) promise::use(bytes, 100);
}

}  // namespace

int main() {
  work();
  std::thread(work).join();
}
