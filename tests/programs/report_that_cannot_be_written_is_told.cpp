// SPDX-License-Identifier: MIT
// Promise: if a report cannot be written where BUFPOOL_REPORT says, this is told on stderr in one
//   line, with the reason. The program ends at once and with its own status.
// Exit: 3
// Env: BUFPOOL_REPORT_MIN=100
// Run: folder_missing
// Env: BUFPOOL_REPORT=/nonexistent/report
// Stderr: \Abufpool: BUFPOOL_REPORT: .*No such file or directory: /nonexistent/report\n\Z
// Run: folder
// Env: BUFPOOL_REPORT=/
// Stderr: \Abufpool: BUFPOOL_REPORT: .*Is a directory: /\n\Z
// Run: folder_deleted
// Env: BUFPOOL_REPORT=report.txt
// Args: deleted
// Stderr: \Abufpool: BUFPOOL_REPORT: .*No such file or directory: report.txt\n\Z
// Run: full
// Env: BUFPOOL_REPORT=/dev/full
// Stderr: \Abufpool: BUFPOOL_REPORT: .*No space left on device: /dev/full\n\Z
// Run: fifo
// Env: BUFPOOL_REPORT={tmp}/fifo
// Args: fifo
// Stderr: \Abufpool: BUFPOOL_REPORT: .*: {tmp}/fifo\n\Z
// Run: over_the_limit
// Env: BUFPOOL_REPORT={tmp}/report
// Limit: fsize=100
// Stderr: \Abufpool: BUFPOOL_REPORT: .*File too large: {tmp}/report\n\Z
// Run: closed_stderr
// Env: BUFPOOL_REPORT=/nonexistent/report
// Args: closed
// File: data\.txt \A\Z
#include <fcntl.h>
#include <sys/stat.h>

#include <string_view>

#include "tests/programs/promise.h"

// Starts the program anew in a folder that has been deleted.
[[noreturn]] void start_in_deleted_folder(const char* program) {
  promise::keep(mkdir("deleted", 0700) == 0 && chdir("deleted") == 0, "a folder is made");
  promise::keep(rmdir("../deleted") == 0, "it is deleted");
  execl(program, program, nullptr);
  _exit(1);
}

int main(int count, char** arguments) {
  const std::string_view how = count == 2 ? arguments[1] : "";
  if (how == "deleted") start_in_deleted_folder(arguments[0]);
  promise::use(70000, 150);
  if (how == "fifo") mkfifo("fifo", 0600);
  if (how == "closed") {
    close(STDERR_FILENO);
    promise::keep(open("data.txt", O_CREAT | O_WRONLY | O_APPEND, 0644) == STDERR_FILENO, "opens");
  }
  return 3;
}
