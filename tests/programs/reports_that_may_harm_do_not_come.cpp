// SPDX-License-Identifier: MIT
// Promise: no report comes while the process goes on where the thread that writes it has the
//   program's descriptors, or a filter of the program's that may kill for it, and a forked child
//   that may have such a filter starts no thread for it. A filter of the program's own threads
//   alone changes nothing.
// Needs: library
// Env: BUFPOOL_REPORT={tmp}/report.txt BUFPOOL_REPORT_EVERY=250ms BUFPOOL_CPU_CACHE=64K
// Run: shared-descriptors
// Args: descriptors {tmp}/report.txt
// Run: filter-of-all-threads
// Args: filter {tmp}/report.txt
// Run: filter-of-one-thread
// Args: one {tmp}/report.txt
// Run: filtered-child
// Args: child {tmp}/report.txt
#include <sys/wait.h>

#include <string_view>

#include "tests/programs/memory.h"
#include "tests/programs/seccomp.h"

namespace {

// Several periods.
void go_on() {
  for (int i = 0; i < 60; ++i) {
    promise::use(65000, 100);
    promise::sleep_ms(20);
  }
  promise::keep(promise::trimmer_thread() != 0, "the thread is there");
}

// It makes no report at exit.
[[noreturn]] void end_at_once() {
  syscall(SYS_exit_group, 0);
  __builtin_unreachable();
}

// Moves more than makes the library look whether a thread is due, and leaves little idle.
void miss_often() {
  for (int i = 0; i < 100; ++i) promise::Burst burst(2 * promise::kMiB, 65000);
}

void miss_often_in_a_filtered_child() {
  const pid_t child = fork();
  if (child == 0) {
    promise::answer_calls({SYS_clone, SYS_clone3, SYS_rseq}, SECCOMP_RET_KILL_PROCESS);
    miss_often();
    end_at_once();
  }
  int status = 0;
  promise::keep(waitpid(child, &status, 0) == child && status == 0, "the child ends well");
}

bool is_reported(const char* path) { return access(path, F_OK) == 0; }

}  // namespace

int main(int, char** arguments) {
  const std::string_view how = arguments[1];
  const char* const path = arguments[2];
  if (how == "descriptors") {
    promise::answer_calls({SYS_close_range}, SECCOMP_RET_ERRNO | ENOSYS);
    execl("/proc/self/exe", "again", "shared", path, nullptr);
    return 1;
  }
  if (how == "child") {
    miss_often_in_a_filtered_child();
    end_at_once();
  }
  if (how == "one") {
    promise::answer_calls({SYS_fstat, SYS_fcntl}, SECCOMP_RET_KILL_PROCESS);
    promise::keep(promise::comes_true([&] { return is_reported(path); }), "reports come");
    end_at_once();
  }
  if (how == "filter") {
    promise::answer_calls({{{SYS_fstat, SYS_newfstatat}, SECCOMP_RET_KILL_PROCESS}},
                          SECCOMP_RET_ALLOW, SECCOMP_FILTER_FLAG_TSYNC);
  }
  go_on();
  promise::keep(!is_reported(path), "no report comes");
  end_at_once();
}
