// SPDX-License-Identifier: MIT
// Promise: wrong variables are told once, by the first program: not again by those that it forks or
//   executes, which obey them as little as it does. A program that executes with an environment
//   that names them anew has them told.
// Needs: library
// Modes: auto
// Stderr: \A(bufpool: BUFPOOL_[^\n]*\n){3}told$
// Env: BUFPOOL_REPROT=off BUFPOOL_MODE=nonsense BUFPOOL_MIN_SIZE=8M BUFPOOL_MAX_SIZE=4M
// Run: by-fork
// Args: fork
// Stderr-not: told\nbufpool
// Run: by-exec
// Args: exec
// Stderr-not: told\nbufpool
// Run: by-shell
// Args: shell
// Stderr-not: told\nbufpool
// Run: by-the-environment-of-main
// Args: main
// Stderr-not: told\nbufpool
// Run: anew
// Args: anew
// Stderr: told\nbufpool: BUFPOOL_REPROT
#include <spawn.h>
#include <sys/wait.h>

#include <string>
#include <string_view>

#include "tests/programs/again.h"

extern char** environ;

namespace {

// In a child: the status it leaves is that of what it executes.
template <typename Work>
void in_child(Work work) {
  const pid_t child = fork();
  if (child == 0) {
    work();
    _exit(127);
  }
  const int status = promise::wait_for(child);
  promise::keep(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a child ends well");
}

}  // namespace

int main(int, char** arguments, char** environment) {
  const std::string_view how = arguments[1];
  if (how == "end") return 0;
  promise::use(70000, 10);
  dprintf(STDERR_FILENO, "told\n");
  if (how == "fork") in_child([] { _exit(0); });
  if (how == "exec") in_child([] { execl("/proc/self/exe", "again", "end", nullptr); });
  if (how == "shell") {
    const std::string line = std::string(arguments[0]) + " end; " + arguments[0] + " end";
    promise::keep(system(line.c_str()) == 0, "a shell ends well");
  }
  if (how == "main") {
    const char* const again[] = {"again", "end", nullptr};
    in_child([&] { execve("/proc/self/exe", const_cast<char**>(again), environment); });
  }
  if (how == "anew") {
    setenv("BUFPOOL_REPROT", "off", 1);
    in_child([] { execl("/proc/self/exe", "again", "end", nullptr); });
  }
}
