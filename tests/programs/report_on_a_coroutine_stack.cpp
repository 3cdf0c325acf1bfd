// SPDX-License-Identifier: MIT
// Promise: a program that ends on a coroutine's stack of one page, which is enough for libc's exit,
//   ends with a report.
// Env: LD_BIND_NOW=1 BUFPOOL_REPORT_MIN=100
// Run: text
// Env: BUFPOOL_REPORT=stderr
// Stderr: mode (rseq|locked)
// Exit: 7
// Run: json
// Env: BUFPOOL_REPORT=stderr BUFPOOL_REPORT_FORMAT=json
// Stderr: buffer_bytes
// Exit: 7
// Run: prometheus
// Env: BUFPOOL_REPORT=stderr BUFPOOL_REPORT_FORMAT=prometheus
// Stderr: TYPE bufpool
// Exit: 7
// Run: text_file
// Env: BUFPOOL_REPORT={tmp}/report.txt
// File: report\.txt mode (rseq|locked)
// Exit: 7
// Run: json_file
// Env: BUFPOOL_REPORT={tmp}/report.txt BUFPOOL_REPORT_FORMAT=json
// File: report\.txt buffer_bytes
// Exit: 7
// Run: system_call
// Args: _exit
// Env: BUFPOOL_REPORT=stderr
// Stderr: mode (rseq|locked)
// Exit: 7
#include "tests/programs/coroutine.h"

namespace {

void end_by_exit() { exit(7); }
void end_at_once() { _exit(7); }

}  // namespace

int main(int count, char**) {
  promise::use(70000, 150);
  promise::use(1000, 150);
  promise::call_as_coroutine(count > 1 ? end_at_once : end_by_exit, 4096);
}
