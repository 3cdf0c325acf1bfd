// SPDX-License-Identifier: MIT
// Promise: in a set-user-id program no variable is obeyed, no file is written, no statistics page
//   is made, and nothing is said.
// Needs: root
// Env: BUFPOOL_REPORT={tmp}/report BUFPOOL_REPORT_MIN=0 BUFPOOL_VERBOSE=1 BUFPOOL_REPROT=x
// Env: BUFPOOL_STRICT=1 BUFPOOL_QUIET=0
// Args: {library} {tmp}/secure
// Modes: auto
// Env: -LD_PRELOAD
// No-file: report.*
// Run: in_memory BUFPOOL_STATS=on
// Run: in_a_folder BUFPOOL_STATS=/dev/shm
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include <string_view>

#include "tests/programs/own_page.h"
#include "tests/programs/workers.h"

namespace {

// Such programs are refused a preload, so the library is opened by name, as a linked one is.
int be_secure(const char* library) {
  void* opened = dlopen(library, RTLD_NOW | RTLD_GLOBAL);
  promise::keep(opened != nullptr, "the library is opened");
  auto* allocate = reinterpret_cast<void* (*)(std::size_t)>(dlsym(opened, "malloc"));
  auto* release = reinterpret_cast<void (*)(void*)>(dlsym(opened, "free"));
  for (int i = 0; i < 200; ++i) release(allocate(70000));
  promise::keep(promise::own_page().start == 0, "there is no page");
  promise::keep(!promise::has_page_in_folder(), "and none in a folder");
  return 0;
}

void copy_self(const char* path) {
  const int from = open("/proc/self/exe", O_RDONLY);
  const int to = open(path, O_CREAT | O_WRONLY, 0755);
  while (sendfile(to, from, nullptr, 1 << 20) > 0) {
  }
  promise::keep(fchmod(to, 04755) == 0, "the copy is set-user-id");
  close(to);
}

}  // namespace

int main(int count, char** arguments) {
  if (getauxval(AT_SECURE) != 0) return be_secure(arguments[1]);
  if (count == 2 || std::string_view(arguments[1]) == "none") promise::skip("not secure here");
  copy_self(arguments[2]);
  const pid_t child = fork();
  if (child == 0) {
    promise::keep(setuid(65534) == 0, "another user");
    execl(arguments[2], "secure", arguments[1], nullptr);
    promise::keep(false, "exec");
  }
  int status = 0;
  waitpid(child, &status, 0);
  unlink(arguments[2]);
  return WEXITSTATUS(status);
}
