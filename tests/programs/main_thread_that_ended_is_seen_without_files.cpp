// SPDX-License-Identifier: MIT
// Promise: a process whose main thread ends by the system call ends with it, also where it may open
//   no file by then. It keeps the status, unless its trimmer's thread never could open one.
// Env: BUFPOOL_TRIMMER=on
// Run: opened_before
// Args: opened_before
// Exit: 4
// Run: never_opened
// Args: never_opened
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <atomic>
#include <string_view>

#include "tests/programs/memory.h"

namespace {

void allow_no_files() {
  const rlimit none{0, 0};
  promise::keep(setrlimit(RLIMIT_NOFILE, &none) == 0, "no file may be opened");
}

[[noreturn]] void end_main_thread() {
  for (;;) syscall(SYS_exit, 4);
}

// Tells whether a thread has the file open that says what became of the main thread.
bool has_main_thread_file(int thread) {
  for (int file = 0; file < 20; ++file) {
    char name[64];
    char target[64] = {};
    snprintf(name, sizeof name, "/proc/self/task/%d/fd/%d", thread, file);
    if (readlink(name, target, sizeof target - 1) > 0 &&
        std::string_view(target).ends_with("/stat")) {
      return true;
    }
  }
  return false;
}

int end_after_the_file_was_opened() {
  const auto opened = [] {
    const int thread = promise::trimmer_thread();
    return thread != 0 && has_main_thread_file(thread);
  };
  promise::keep(promise::comes_true(opened), "the library's thread opens the file");
  allow_no_files();
  end_main_thread();
}

// The number of a process's threads is that of the folder's links beyond two.
bool has_two_threads(pid_t process) {
  char name[64];
  struct stat folder = {};
  snprintf(name, sizeof name, "/proc/%d/task", process);
  return stat(name, &folder) == 0 && folder.st_nlink == 4;
}

int end_child_without_files() {
  void* const shared =
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto& told = *static_cast<std::atomic<bool>*>(shared);
  const pid_t child = fork();
  if (child == 0) {
    alarm(300);
    allow_no_files();
    while (!told.load()) promise::Burst(32 * promise::kMiB, 64 << 10);
    end_main_thread();
  }
  const bool seen = promise::comes_true([=] { return has_two_threads(child); });
  told.store(true);
  promise::keep(seen, "the child has a thread of the library's");
  int status = 0;
  promise::keep(waitpid(child, &status, 0) == child, "the child ends");
  promise::keep(WIFEXITED(status), "no signal ends it");
  return 0;
}

}  // namespace

int main(int, char** arguments) {
  alarm(300);
  promise::use(promise::kMiB, 30);
  if (std::string_view(arguments[1]) == "never_opened") return end_child_without_files();
  return end_after_the_file_was_opened();
}
