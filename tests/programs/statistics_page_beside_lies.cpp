// SPDX-License-Identifier: MIT
// Promise: a filter of system calls that was there from the start answers with success, and the
//   kernel never sees the call. A process whose page is not what it should be then has none. Its
//   descriptor 0, as which such an answer can be taken, stays open and keeps its contents.
// Args: {tmp}
// Modes: auto
// Needs: library
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <string>

#include "tests/programs/own_page.h"
#include "tests/programs/seccomp.h"

namespace {

constexpr std::size_t kBytes = 200'000;

struct Lie {
  const char* name;
  unsigned number;
};
// This one does the page no harm.
constexpr Lie kHarmless{"getitimer", SYS_getitimer};
constexpr std::array<Lie, 4> kInMemory{{{"memfd_create", SYS_memfd_create},
                                        {"ftruncate", SYS_ftruncate},
                                        {"fcntl", SYS_fcntl},
                                        {"madvise", SYS_madvise}}};
constexpr std::array<Lie, 2> kInFolder{{{"fallocate", SYS_fallocate}, {"flock", SYS_flock}}};

// Under the filter, with a file of the program's as descriptor 0.
int live(bool has_page) {
  promise::use(kBytes, 100);
  if ((promise::own_page().start != 0) != has_page || promise::has_page_in_folder()) return 2;
  struct stat now = {};
  if (syscall(SYS_fstat, STDIN_FILENO, &now) != 0) return 3;
  return now.st_size == 4 ? 0 : 4;
}

[[noreturn]] void start(const Lie& lie, const std::string& stats, const std::string& data) {
  setenv("BUFPOOL_STATS", stats.c_str(), 1);
  const int file = open(data.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  promise::keep(file >= 0 && write(file, "data", 4) == 4, "there is a file");
  promise::keep(dup2(file, STDIN_FILENO) == STDIN_FILENO, "it is descriptor 0");
  promise::answer_calls({lie.number}, SECCOMP_RET_ERRNO);
  execl("/proc/self/exe", "lied_to", lie.name, "live", nullptr);
  _exit(9);
}

void expect_goes_on(const Lie& lie, const std::string& stats, const std::string& data) {
  const pid_t child = fork();
  if (child == 0) start(lie, stats, data);
  int status = 0;
  promise::keep(waitpid(child, &status, 0) == child, "it ends");
  if (WIFEXITED(status) && WEXITSTATUS(status) == promise::kSkipped) _exit(promise::kSkipped);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    dprintf(STDERR_FILENO, "%s in %s: status %x\n", lie.name, stats.c_str(), status);
    promise::keep(false, "a process goes on as it is");
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 3) return live(strcmp(arguments[1], kHarmless.name) == 0);
  const std::string data = std::string(arguments[1]) + "/data";
  expect_goes_on(kHarmless, "on", data);
  for (const Lie& lie : kInMemory) expect_goes_on(lie, "on", data);
  char folder[] = "/dev/shm/bufpool-test.XXXXXX";
  if (mkdtemp(folder) == nullptr) return 0;
  for (const Lie& lie : kInFolder) expect_goes_on(lie, folder, data);
  promise::keep(rmdir(folder) == 0, "nothing is left in the folder");
}
