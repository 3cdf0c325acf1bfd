// SPDX-License-Identifier: MIT
#include "report/advisory_lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace bufpool {
namespace {

// Makes a file without a name.
class OwnFile {
 public:
  OwnFile() {
    char path[] = "/tmp/bufpool-advisory-lock.XXXXXX";
    descriptor_ = mkstemp(path);
    unlink(path);
  }
  OwnFile(const OwnFile&) = delete;
  OwnFile& operator=(const OwnFile&) = delete;
  ~OwnFile() { close(descriptor_); }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

// Returns the answer to a process of its own that asks for the lock.
int taken_by_another(int descriptor, int milliseconds) {
  const pid_t child = fork();
  if (child == 0) {
    AdvisoryLock lock;
    _exit(lock.take(descriptor, Deadline::in(milliseconds)));
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(AdvisoryLock, KeepsAnotherProcessOutUntilItsEnd) {
  const OwnFile file;
  {
    AdvisoryLock lock;
    ASSERT_EQ(lock.take(file.descriptor(), Deadline::in(0)), 0);
    EXPECT_EQ(taken_by_another(file.descriptor(), 20), ETIMEDOUT);
  }
  EXPECT_EQ(taken_by_another(file.descriptor(), 0), 0);
}

TEST(AdvisoryLock, GoesOnWhereTheFileCannotBeLocked) {
  AdvisoryLock lock;
  EXPECT_EQ(lock.take(-1, Deadline::in(1000)), 0);
}

}  // namespace
}  // namespace bufpool
