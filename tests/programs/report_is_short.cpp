// SPDX-License-Identifier: MIT
// Promise: the report has twelve lines at most, however many classes were used, and tells of those
//   that cost the most; BUFPOOL_REPORT_DETAIL=full tells of all.
// Needs: library
// Env: -BUFPOOL_REPORT BUFPOOL_REPORT_MIN=1
// Run: by-default
// Stderr: \A(bufpool\[.*\n){8,12}\Z
// Stderr: ^bufpool\[.*: +16K +1[0-9]{4}
// Stderr: ^bufpool\[.*: +all \d+
// Stderr: ^bufpool\[.*: memory: resident
// Stderr: ^bufpool\[.*: what to change:
// Stderr: mode \w+, up \d+\.\d{3} s, CPU \d+\.\d{3} s$
// Stderr: memory: resident [1-9][0-9.]* .iB \(peak [1-9]
// Run: full BUFPOOL_REPORT_DETAIL=full
// Stderr: \A(bufpool\[.*\n){35,}\Z
// Stderr: ^bufpool\[.*: trimmer:
#include "tests/programs/promise.h"

int main() {
  for (std::size_t size = 600; size < 4000000; size += size / 4) {
    promise::put(promise::get<void>(size));
  }
  for (int i = 0; i < 10000; ++i) promise::put(promise::get<void>(16000));
}
