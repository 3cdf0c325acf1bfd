// SPDX-License-Identifier: MIT
// Promise: a vfork child that leaves by _exit prints no report, and its parent still has one.
//   So it is where both have the number 1, as the first processes of two namespaces.
// Env: BUFPOOL_REPORT_MIN=100
// Run: child_only
// Env: -BUFPOOL_REPORT
// Exit: signal 9
// Args: killed
// Run: parent_too
// Reports: 1
// Class: 200000 gets=150
// Args: returns
// Run: same_number
// Env: -BUFPOOL_REPORT
// Needs: root
// Args: same_number
#include <sched.h>
#include <sys/syscall.h>

#include <csignal>
#include <string_view>

#include "tests/programs/workers.h"

namespace {

void enter_new_namespace() {
  if (unshare(CLONE_NEWPID) != 0) promise::skip("there are no namespaces of processes here");
}

void end_vfork_child() {
  const pid_t child = vfork();
  if (child == 0) _exit(getpid() == 1 ? 0 : 1);
  promise::expect_good_end(child);
}

// No report is wanted of the parent either, so it ends without libc. No signal could end it.
void end_beside_same_number() {
  enter_new_namespace();
  const pid_t child = fork();
  if (child != 0) return promise::expect_good_end(child);
  promise::use(200000, 150);
  enter_new_namespace();
  end_vfork_child();
  syscall(SYS_exit_group, 0);
}

}  // namespace

int main(int, char** arguments) {
  const std::string_view how = arguments[1];
  if (how == "same_number") {
    end_beside_same_number();
    return 0;
  }
  promise::use(200000, 150);
  const pid_t child = vfork();
  if (child == 0) _exit(0);
  promise::expect_good_end(child);
  if (how == "killed") raise(SIGKILL);
}
