// SPDX-License-Identifier: MIT
// Promise: bufpool_report writes each form to the descriptor that it is given, and leaves the
//   descriptor as it was. It tells why it could not write.
// Needs: library
#include <fcntl.h>
#include <sys/socket.h>

#include "include/bufpool/bufpool.h"
#include "tests/programs/memory.h"

using promise::keep;

namespace {

// A file that is read back as text.
class Output {
 public:
  Output() : file_(open(".", O_TMPFILE | O_RDWR, 0600)) {
    if (file_ < 0) file_ = open("output", O_CREAT | O_TRUNC | O_RDWR, 0600);
    keep(file_ >= 0, "there is a file");
  }
  int file() const { return file_; }
  std::size_t lines() const { return static_cast<std::size_t>(std::count(text_, end(), '\n')); }
  bool has(const char* what) const { return strstr(text_, what) != nullptr; }
  void read_back() {
    const ssize_t got = pread(file_, text_, sizeof text_ - 1, 0);
    keep(got > 0, "there is a report");
    text_[got] = '\0';
  }

 private:
  const char* end() const { return text_ + strlen(text_); }
  int file_;
  char text_[1 << 16] = {};
};

std::size_t write_form(enum bufpool_format format, const char* what) {
  static Output output;
  keep(ftruncate(output.file(), 0) == 0 && lseek(output.file(), 0, SEEK_SET) == 0, "it is empty");
  keep(bufpool_report(output.file(), format) == 0, "it is written");
  output.read_back();
  keep(output.has(what), what);
  keep(lseek(output.file(), 0, SEEK_CUR) > 0, "the descriptor is still there");
  return output.lines();
}

void tells_why_not() {
  keep(bufpool_report(-1, BUFPOOL_TEXT) == EBADF, "no descriptor");
  keep(bufpool_report(2, static_cast<enum bufpool_format>(9)) == EINVAL, "no form");
  const int read_only = open("/dev/null", O_RDONLY);
  keep(bufpool_report(read_only, BUFPOOL_JSON) == EBADF, "only to be read");
  const int full = open("/dev/full", O_WRONLY);
  if (full >= 0) keep(bufpool_report(full, BUFPOOL_JSON) == ENOSPC, "no room");
  int pipe_ends[2];
  keep(pipe(pipe_ends) == 0 && fcntl(pipe_ends[1], F_SETPIPE_SZ, 4096) > 0, "there is a pipe");
  keep(bufpool_report(pipe_ends[1], BUFPOOL_JSON) == ETIMEDOUT, "nobody reads");
  keep((fcntl(pipe_ends[1], F_GETFL) & O_NONBLOCK) == 0, "the pipe blocks as before");
  close(pipe_ends[0]);
  keep(bufpool_report(pipe_ends[1], BUFPOOL_JSON) == EPIPE, "nobody is there, and no SIGPIPE");
  int sockets[2];
  keep(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0, "there are sockets");
  keep(bufpool_report(sockets[1], BUFPOOL_TEXT) == 0, "a socket takes it");
}

}  // namespace

int main() {
  for (const std::size_t bytes : promise::kSizes) promise::use(bytes, 3);
  errno = 12345;
  const std::size_t few = write_form(BUFPOOL_TEXT, "mode ");
  keep(few <= 13, "the short form is short");
  keep(write_form(BUFPOOL_TEXT_FULL, "hits") > few, "the full form is longer");
  write_form(BUFPOOL_JSON, "\"buffer_bytes\"");
  write_form(BUFPOOL_PROMETHEUS, "# TYPE bufpool_");
  keep(errno == 12345, "errno is kept");
  tells_why_not();
}
