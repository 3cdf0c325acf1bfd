// SPDX-License-Identifier: MIT
// Promise: a process whose command BUFPOOL_ONLY does not name, or BUFPOOL_SKIP does, has no pool; a
//   child that it forks has what its parent has, and one that it executes is decided on anew.
// Needs: library
// Modes: auto
// Env: BUFPOOL_REPORT=stderr BUFPOOL_REPORT_MIN=0
// Run: only-this
// Env: BUFPOOL_ONLY=nginx,only_and_*
// Args: use
// Stderr: \Abufpool\[\d+ only_and.*mode (rseq|locked)
// Run: only-others
// Env: BUFPOOL_ONLY=nginx,only_and
// Args: use
// Stderr: \Abufpool\[\d+ only_and.*mode pass-through
// Stderr: what to change: mode pass-through.*BUFPOOL_ONLY
// Run: skip-this
// Env: BUFPOOL_SKIP=only_and_skip_are_obeye?
// Args: use
// Stderr: mode pass-through
// Stderr-not: address space
// Run: skip-others
// Env: BUFPOOL_SKIP=only_and_skip_are_obeyed?
// Args: use
// Stderr: mode (rseq|locked)
// Run: skip-wins
// Env: BUFPOOL_SKIP=*obeyed BUFPOOL_ONLY=*obeyed
// Args: use
// Stderr: mode pass-through
// Run: forked
// Env: BUFPOOL_SKIP=*obeyed
// Args: fork
// Stderr: (?s)mode pass-through.*mode pass-through
// Stderr-not: mode (rseq|locked)
// Run: executed
// Env: BUFPOOL_SKIP=*obeyed
// Args: exec
// Stderr: (?s)\[\d+ other\]: bufpool \S+ mode (rseq|locked).*\[\d+ only_and.*mode pass-through
// Run: wrong BUFPOOL_ONLY=[a-z]*
// Args: use
// Stderr: bufpool: BUFPOOL_ONLY=\[a-z\]\*: not a list of names
// Stderr: mode (rseq|locked)
#include <string_view>

#include "tests/programs/again.h"

int main(int, char** arguments) {
  promise::use(70000, 20);
  const std::string_view how = arguments[1];
  if (how == "use") return 0;
  const pid_t child = fork();
  if (child != 0) return promise::wait_for(child);
  promise::use(70000, 20);
  if (how == "exec") {
    execl("/proc/self/exe", "other", "use", nullptr);
    return 127;
  }
}
