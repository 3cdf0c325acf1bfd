// SPDX-License-Identifier: MIT
// Promise: with BUFPOOL_STATS naming a folder in memory, a process that executes one program after
//   another has one file there, and none once it has ended. If it is killed, one file stays. The
//   files of other processes stay in any case.
#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

#include <string>

#include "tests/programs/own_page.h"

namespace {

constexpr int kExecs = 10;

int files_in(const std::string& folder, const std::string& beginning) {
  int count = 0;
  DIR* const entries = opendir(folder.c_str());
  promise::keep(entries != nullptr, "there is a folder");
  while (const dirent* const entry = readdir(entries)) {
    count += entry->d_name[0] != '.' && std::string(entry->d_name).rfind(beginning, 0) == 0;
  }
  closedir(entries);
  return count;
}

// Each program of the process has a page, and leaves the rest to the next one.
int live(const std::string& folder, int left, bool is_killed) {
  promise::use(70'000, 100);
  promise::keep(promise::has_page_in_folder(), "each has its page");
  promise::keep(files_in(folder, std::to_string(getpid()) + ".") == 1, "and its only file");
  if (left == 0 && is_killed) kill(getpid(), SIGKILL);
  if (left == 0) return 0;
  execl("/proc/self/exe", "again", folder.c_str(), std::to_string(left - 1).c_str(),
        is_killed ? "killed" : "", nullptr);
  return 9;
}

int run(const std::string& folder, bool is_killed) {
  const pid_t child = fork();
  if (child == 0) {
    setenv("BUFPOOL_STATS", folder.c_str(), 1);
    execl("/proc/self/exe", "first", folder.c_str(), std::to_string(kExecs).c_str(),
          is_killed ? "killed" : "", nullptr);
    _exit(9);
  }
  int status = 0;
  promise::keep(waitpid(child, &status, 0) == child, "it ends");
  return status;
}

void remove_all(const std::string& folder) {
  DIR* const entries = opendir(folder.c_str());
  while (const dirent* const entry = readdir(entries)) {
    if (entry->d_name[0] != '.') unlinkat(dirfd(entries), entry->d_name, 0);
  }
  closedir(entries);
  rmdir(folder.c_str());
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 4) return live(arguments[1], atoi(arguments[2]), *arguments[3] != '\0');
  char folder[] = "/dev/shm/bufpool-test.XXXXXX";
  if (mkdtemp(folder) == nullptr) promise::skip("there is no folder in memory");
  const bool killed = WIFSIGNALED(run(folder, true)) && files_in(folder, "") == 1;
  const bool ended = run(folder, false) == 0 && files_in(folder, "") == 1;
  remove_all(folder);
  promise::keep(killed, "a killed process leaves one file");
  promise::keep(ended, "one that ends leaves none, and those of others alone");
}
