// SPDX-License-Identifier: MIT
// Promise: bufpool_reset_peaks forgets the peaks, those of a forked child's parent, too. A forked
//   child tells its own figures.
// Needs: library
#include "include/bufpool/bufpool.h"
#include "tests/programs/workers.h"

using promise::keep;

namespace {

constexpr std::size_t kBytes = 200000;

struct bufpool_class_snapshot figures() {
  struct bufpool_class_snapshot row {};
  row.size = sizeof row;
  for (uint32_t i = 0; bufpool_class_snapshot(i, &row) == 0; ++i) {
    if (row.buffer_bytes >= kBytes) return row;
  }
  keep(false, "there is a class");
  return row;
}

void give_all_but(std::array<void*, 60>& held, std::size_t kept) {
  for (std::size_t i = kept; i < held.size(); ++i) promise::put(held[i]);
}

void in_child(std::array<void*, 60>& held) {
  const auto row = figures();
  keep(row.inherited == 60 && row.gets == 0 && row.in_use_peak >= 60, "the parent's are in use");
  give_all_but(held, 7);
  keep(figures().in_use_peak >= 60, "the peak stays");
  bufpool_reset_peaks();
  keep(figures().in_use == 7 && figures().in_use_peak == 7, "and is what is in use");
  promise::use(kBytes, 500);  // the child's own page of statistics is made meanwhile
  keep(figures().in_use_peak < 20, "and it stays that");
}

}  // namespace

int main() {
  std::array<void*, 60> held{};
  for (void*& memory : held) memory = promise::get<void>(kBytes);
  const pid_t child = fork();
  if (child == 0) {
    in_child(held);
    return 0;
  }
  promise::expect_good_end(child);
  give_all_but(held, 10);
  keep(figures().in_use_peak >= 60, "the parent's peak is its own");
  bufpool_reset_peaks();
  keep(figures().in_use_peak == 10, "10 are left");
  for (std::size_t i = 10; i < held.size(); ++i) held[i] = promise::get<void>(kBytes);
  keep(figures().in_use_peak == 60, "and 60 come again");
}
