// SPDX-License-Identifier: MIT
// Promise: before a fork the idle memory over the budget goes back, with its mappings, because the
//   kernel would copy their tables for the child. What is in use is whole on both sides.
// Needs: library
#include "tests/programs/memory.h"
#include "tests/programs/workers.h"

namespace {

std::size_t page_table_bytes() {
  static promise::FileText<4096> status("/proc/self/status");
  status = promise::FileText<4096>("/proc/self/status");
  return status.number("VmPTE:") * 1024;
}

}  // namespace

int main() {
  void* const held = promise::get<void>(300'000);
  promise::fill(held, 300'000, 1);
  std::size_t resident = 0;
  std::size_t tables = 0;
  {
    promise::Burst middle(64 * promise::kMiB, 300'000);
    promise::Burst large(64 * promise::kMiB, promise::kMiB);
    resident = promise::resident_bytes();
    tables = page_table_bytes();
  }
  const pid_t child = fork();
  if (child == 0) {
    promise::keep(promise::holds(held, 300'000, 1), "what is in use is whole in the child");
    promise::allocate_and_exit();
  }
  promise::expect_good_end(child);
  promise::keep(promise::resident_bytes() + 80 * promise::kMiB < resident, "pages went back");
  promise::keep(page_table_bytes() + 60'000 < tables, "and their tables");
  promise::keep(promise::holds(held, 300'000, 1), "what is in use is whole in the parent");
  promise::use(300'000, 100);
  promise::put(held);
}
