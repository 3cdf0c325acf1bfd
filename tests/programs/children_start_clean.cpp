// SPDX-License-Identifier: MIT
// Promise: with BUFPOOL_INHERIT=0 what a process executes starts without the library and without
//   its variables, by the environment of libc and by that of main. Other preloaded libraries and
//   variables stay. The process itself, and what it forks, obeys its variables all the same. A
//   program that sets the variable itself has its way.
// Needs: library
// Modes: auto
// Env: BUFPOOL_REPORT={tmp}/%p BUFPOOL_REPORT_MIN=1 BUFPOOL_MAX_SIZE=1M BUFPOOL_INHERIT=0
// Env: OTHER=kept
// Run: alone
// Args: alone {library}
// File: {pid} mode (rseq|locked)
// Run: before
// Args: others {library}
// Preload-before: counting_preload
// File: {pid} mode (rseq|locked)
// Run: between
// Args: others {library}
// Preload-before: counting_preload
// Preload-after: slow_purge
// File: {pid} mode (rseq|locked)
// Run: inherited BUFPOOL_INHERIT=1
// Args: inherited {library}
// Stderr-not: not kept
#include <spawn.h>
#include <sys/auxv.h>
#include <sys/wait.h>

#include <string>
#include <string_view>

#include "tests/programs/again.h"

extern char** environ;

namespace {

std::string variable(const char* name) {
  const char* const value = getenv(name);
  return value == nullptr ? "" : value;
}

bool any_of_ours(char** environment) {
  for (; *environment != nullptr; ++environment) {
    if (std::string_view(*environment).starts_with("BUFPOOL_")) return true;
  }
  return false;
}

// What the executed program finds: it ends with 0 if it is clean.
int is_clean(std::string_view library) {
  const std::string preload = variable("LD_PRELOAD");
  const bool named = preload.find(library) != std::string::npos;
  return !named && !any_of_ours(environ) && variable("OTHER") == "kept" ? 0 : 1;
}

int status_of(pid_t child) {
  const int status = promise::wait_for(child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int executed_with(char** environment, const char* library) {
  char* const words[] = {const_cast<char*>("again"), const_cast<char*>("look"),
                         const_cast<char*>(library), nullptr};
  const pid_t child = fork();
  if (child == 0) {
    execve("/proc/self/exe", words, environment);
    _exit(127);
  }
  return status_of(child);
}

int spawned(const char* program, const char* library) {
  char* const words[] = {const_cast<char*>("again"), const_cast<char*>("look"),
                         const_cast<char*>(library), nullptr};
  pid_t child = 0;
  promise::keep(posix_spawn(&child, program, nullptr, nullptr, words, environ) == 0, "it starts");
  return status_of(child);
}

// Returns whether the kernel's auxiliary vector begins behind the end of the environment, where
// programs look for it that do without libc's getauxval.
bool is_followed_by_auxiliary_vector(char** environment) {
  while (*environment != nullptr) ++environment;
  const auto* pair = reinterpret_cast<const unsigned long*>(environment + 1);
  for (int most = 64; most > 0 && pair[0] != AT_NULL; --most, pair += 2) {
    if (pair[0] == AT_PAGESZ) return pair[1] == getauxval(AT_PAGESZ);
  }
  return false;
}

}  // namespace

int main(int, char** arguments, char** environment) {
  const std::string_view how = arguments[1];
  const char* const library = arguments[2];
  if (how == "look") return is_clean(library);
  if (how == "inherited") {
    promise::keep(executed_with(environ, library) == 1, "children inherit by default");
    return 0;
  }
  promise::keep(variable("LD_PRELOAD").empty() == (how == "alone"), "others stay, and only they");
  promise::keep(!any_of_ours(environ) && !any_of_ours(environment), "no variable is left");
  promise::keep(is_followed_by_auxiliary_vector(environment), "the list keeps its length");
  promise::keep(executed_with(environ, library) == 0, "libc's environment is clean");
  promise::keep(executed_with(environment, library) == 0, "main's environment is clean");
  promise::keep(spawned(arguments[0], library) == 0, "what is spawned is clean");
  promise::keep(system("test -z \"$BUFPOOL_REPORT\"") == 0, "a shell is clean");
  setenv("LD_PRELOAD", library, 1);
  promise::keep(executed_with(environ, library) == 1, "a program may set the variable");
  promise::use(70000, 20);
}
