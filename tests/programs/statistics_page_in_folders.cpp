// SPDX-License-Identifier: MIT
// Promise: with BUFPOOL_STATS naming a folder, a process has a page in it if the folder is a safe
//   place for one. Otherwise it has none and goes on. Neither a full file system nor a small limit
//   of files does it harm, and a refused page leaves nothing.
// Needs: root
// Modes: auto
#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <string>

#include "tests/programs/own_page.h"

namespace {

std::string place;  // a file system in memory that nobody else sees

std::string in_place(const char* name) { return place + "/" + name; }

int files_in(const std::string& folder) {
  int count = 0;
  DIR* const entries = opendir(folder.c_str());
  promise::keep(entries != nullptr, folder.c_str());
  while (const dirent* const entry = readdir(entries)) count += entry->d_name[0] != '.';
  closedir(entries);
  return count;
}

int live(bool has_page) {
  for (int i = 0; i < 2000; ++i) promise::use(600 + static_cast<std::size_t>(i) * 500);
  return promise::has_page_in_folder() == has_page ? 0 : 1;
}

void expect_page(bool is_there, const std::string& folder, rlim_t most_bytes = RLIM_INFINITY) {
  const pid_t child = fork();
  if (child == 0) {
    setenv("BUFPOOL_STATS", folder.c_str(), 1);
    const rlimit limit{most_bytes, most_bytes};
    promise::keep(setrlimit(RLIMIT_FSIZE, &limit) == 0, "there is a limit");
    execl("/proc/self/exe", "live", is_there ? "page" : "none", nullptr);
    _exit(9);
  }
  int status = 0;
  promise::keep(waitpid(child, &status, 0) == child, "it ends");
  const std::string what = folder + (is_there ? ": there is a page" : ": there is no page");
  promise::keep(WIFEXITED(status) && WEXITSTATUS(status) == 0, what.c_str());
}

void make_folder(const char* name, mode_t mode, uid_t owner = 0) {
  promise::keep(mkdir(in_place(name).c_str(), 0700) == 0, name);
  promise::keep(chmod(in_place(name).c_str(), mode) == 0, name);
  promise::keep(chown(in_place(name).c_str(), owner, owner) == 0, name);
}

void mount_memory(const char* name, unsigned long flags, const char* options) {
  make_folder(name, 0700);
  promise::keep(mount("tmpfs", in_place(name).c_str(), "tmpfs", flags, options) == 0, name);
}

void check_rights() {
  make_folder("own", 0700);
  expect_page(true, in_place("own"));
  expect_page(true, in_place("own/"));
  make_folder("shared", 01777);
  expect_page(true, in_place("shared"));
  make_folder("open", 0777);
  expect_page(false, in_place("open"));
  make_folder("group", 0775);
  expect_page(false, in_place("group"));
  make_folder("others", 0755, 65534);
  expect_page(false, in_place("others"));
  promise::keep(symlink(in_place("own").c_str(), in_place("link").c_str()) == 0, "a link");
  expect_page(false, in_place("link"));
  expect_page(false, in_place("link/"));
  for (const char* name : {"own", "shared", "open", "group", "others"}) {
    promise::keep(files_in(in_place(name)) == 0, "nothing is left");
  }
}

void check_room() {
  expect_page(false, in_place("own"), 16 << 10);
  mount_memory("full", 0, "size=256k,mode=0700");
  expect_page(false, in_place("full"));
  mount_memory("wide", 0, "size=64m,mode=0700");
  expect_page(true, in_place("wide"));
  mount_memory("fixed", MS_RDONLY, "mode=0700");
  expect_page(false, in_place("fixed"));
  for (const char* name : {"own", "full", "wide", "fixed"}) {
    promise::keep(files_in(in_place(name)) == 0, "nothing is left");
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count > 1) return live(strcmp(arguments[1], "page") == 0);
  if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    promise::skip("there is no mount namespace");
  }
  char folder[] = "/tmp/bufpool-test.XXXXXX";
  promise::keep(mkdtemp(folder) != nullptr, "there is a folder");
  place = folder;
  if (mount("tmpfs", folder, "tmpfs", 0, "mode=0755") != 0) {
    rmdir(folder);
    promise::skip("nothing can be mounted");
  }
  check_rights();
  check_room();
  promise::keep(umount2(folder, MNT_DETACH) == 0 && rmdir(folder) == 0, "all is cleared away");
}
