// SPDX-License-Identifier: MIT
// Promise: a program with a statistics page in a folder sets a filter that kills for the removal of
//   a file. It ends as it should, and its page stays.
#include <dirent.h>
#include <sys/wait.h>

#include <string>

#include "tests/programs/own_page.h"
#include "tests/programs/seccomp.h"

namespace {

int live() {
  promise::use(70'000, 100);
  promise::keep(promise::has_page_in_folder(), "there is a page");
  promise::answer_calls({SYS_unlink, SYS_unlinkat}, SECCOMP_RET_KILL_PROCESS);
  return 0;
}

int remove_files_in(const std::string& folder) {
  int count = 0;
  DIR* const entries = opendir(folder.c_str());
  promise::keep(entries != nullptr, "there is a folder");
  while (const dirent* const entry = readdir(entries)) {
    count += unlinkat(dirfd(entries), entry->d_name, 0) == 0;
  }
  closedir(entries);
  rmdir(folder.c_str());
  return count;
}

}  // namespace

int main(int count, char** arguments) {
  if (count > 1) return live();
  char folder[] = "/dev/shm/bufpool-test.XXXXXX";
  if (mkdtemp(folder) == nullptr) promise::skip("there is no folder in memory");
  const pid_t child = fork();
  if (child == 0) {
    setenv("BUFPOOL_STATS", folder, 1);
    execl("/proc/self/exe", arguments[0], "live", nullptr);
    _exit(9);
  }
  int status = 0;
  promise::keep(waitpid(child, &status, 0) == child, "it ends");
  const int left = remove_files_in(folder);
  if (WIFEXITED(status) && WEXITSTATUS(status) == promise::kSkipped) return promise::kSkipped;
  promise::keep(WIFEXITED(status) && WEXITSTATUS(status) == 0, "it ends by itself");
  promise::keep(left == 1, "its page stays");
}
