// SPDX-License-Identifier: MIT
// Promise: wrong variables that are too many for a line each are only counted, and a program that
//   is executed tells none of them again.
// Needs: library
// Modes: auto
// Env: BUFPOOL_W01=1 BUFPOOL_W02=1 BUFPOOL_W03=1 BUFPOOL_W04=1 BUFPOOL_W05=1 BUFPOOL_W06=1
// Env: BUFPOOL_W07=1 BUFPOOL_W08=1 BUFPOOL_W09=1 BUFPOOL_W10=1 BUFPOOL_W11=1 BUFPOOL_W12=1
// Env: BUFPOOL_W13=1 BUFPOOL_W14=1 BUFPOOL_W15=1 BUFPOOL_W16=1 BUFPOOL_W17=1 BUFPOOL_W18=1
// Env: BUFPOOL_MIN_SIZE=8M BUFPOOL_MAX_SIZE=4M
// Stderr: \A(bufpool: BUFPOOL_W\d\d=[^\n]*\n){16}bufpool: and 3 more wrong variables\ntold\n\Z
#include <unistd.h>

#include "tests/programs/promise.h"

int main(int count, char**) {
  if (count > 1) return 0;
  dprintf(STDERR_FILENO, "told\n");
  execl("/proc/self/exe", "again", "end", nullptr);
  return 1;
}
