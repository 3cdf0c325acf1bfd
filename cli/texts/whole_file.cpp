// SPDX-License-Identifier: MIT
#include "cli/texts/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cli/command_error.h"
#include "cli/formatted.h"
#include "report/descriptor.h"

namespace bufpool {
namespace {

void check(const std::string& path, int error) {
  if (error != 0) fail("{}: it cannot be written: {}", path, std::strerror(error));
}

// A new file ends with this, so that nobody who looks for files of the old one's kind takes it.
constexpr char kNewSuffix[] = ".new";

// A file that is there keeps its mode. A new one can be read by all, as a collector of metrics
// runs as another user.
mode_t mode_for(const std::string& path) {
  constexpr mode_t kReadable = 0644;
  struct stat now = {};
  return stat(path.c_str(), &now) == 0 ? now.st_mode & 07777 : kReadable;
}

// Fills in the name of the new file.
int write_new(std::string& name, mode_t mode, std::string_view text) {
  Descriptor file(mkostemps(name.data(), std::strlen(kNewSuffix), O_CLOEXEC));
  if (!file.is_open()) return errno;
  int error = write_all(file.number(), text);
  if (error == 0 && fchmod(file.number(), mode) != 0) error = errno;
  const int error_at_close = file.close();
  return error != 0 ? error : error_at_close;
}

// What is no plain file, such as a pipe or /dev/stdout, is written to and not replaced.
bool is_special(const std::string& path) {
  struct stat now = {};
  return stat(path.c_str(), &now) == 0 && !S_ISREG(now.st_mode);
}

}  // namespace

int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t done = write(descriptor, text.data(), text.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(done));
  }
  return 0;
}

void write_whole(const std::string& path, std::string_view text) {
  if (path.empty() || path == "-") {
    std::fflush(stdout);
    return check("stdout", write_all(STDOUT_FILENO, text));
  }
  if (is_special(path)) {
    const Descriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    return check(path, file.is_open() ? write_all(file.number(), text) : errno);
  }
  std::string other = path + ".XXXXXX" + kNewSuffix;
  int error = write_new(other, mode_for(path), text);
  if (error == 0 && rename(other.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) unlink(other.c_str());
  check(path, error);
}

}  // namespace bufpool
