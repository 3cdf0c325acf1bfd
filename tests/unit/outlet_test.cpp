// SPDX-License-Identifier: MIT
#include "report/outlet.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

namespace bufpool {
namespace {

using Calls = Outlet::Calls;
using Use = Outlet::Use;

class Ends {
 public:
  ~Ends() {
    for (const int end : ends_) close(end);
  }
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;

  [[nodiscard]] int reader() const { return ends_[0]; }
  [[nodiscard]] int writer() const { return ends_[1]; }

  void close_reader() {
    close(ends_[0]);
    ends_[0] = -1;
  }

  // Fills the pipe. It blocks again afterwards.
  void fill() const {
    const int flags = fcntl(writer(), F_GETFL);
    fcntl(writer(), F_SETFL, flags | O_NONBLOCK);
    const std::string block(4096, 'f');
    while (write(writer(), block.data(), block.size()) > 0) {
    }
    while (write(writer(), "f", 1) > 0) {
    }
    fcntl(writer(), F_SETFL, flags);
  }

  [[nodiscard]] std::string read_some() const {
    std::string text(1 << 20, '\0');
    const ssize_t got = read(reader(), text.data(), text.size());
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }

 protected:
  Ends() = default;
  std::array<int, 2> ends_{-1, -1};
};

class Pipe : public Ends {
 public:
  Pipe() { EXPECT_EQ(pipe2(ends_.data(), O_CLOEXEC), 0); }
};

class Sockets : public Ends {
 public:
  Sockets() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data()), 0); }
};

int write_by_outlet(int descriptor, std::string_view text, int patience_ms,
                    Calls calls = Calls::kAny) {
  const Deadline deadline = Deadline::in(patience_ms);
  const Outlet outlet(descriptor, Use::kShared, calls, deadline);
  if (outlet.error() != 0) return outlet.error();
  Unnoticed unnoticed;
  return write_within(outlet.way(), text, deadline, unnoticed);
}

// Returns the number that the next descriptor would have.
int next_number() {
  const int number = dup(STDIN_FILENO);
  close(number);
  return number;
}

template <typename Kind>
class OutletOf : public testing::Test {};
using Kinds = testing::Types<Pipe, Sockets>;
TYPED_TEST_SUITE(OutletOf, Kinds);

TYPED_TEST(OutletOf, WritesAndLeavesNothingOpen) {
  const TypeParam ends;
  const int next = next_number();
  EXPECT_EQ(write_by_outlet(ends.writer(), "told", 1000), 0);
  EXPECT_EQ(ends.read_some(), "told");
  EXPECT_EQ(next_number(), next);
}

TYPED_TEST(OutletOf, GivesUpWhereNobodyReads) {
  const TypeParam ends;
  ends.fill();
  const int flags = fcntl(ends.writer(), F_GETFL);
  EXPECT_EQ(write_by_outlet(ends.writer(), "lost", 10), ETIMEDOUT);
  EXPECT_EQ(fcntl(ends.writer(), F_GETFL), flags);
}

TYPED_TEST(OutletOf, TellsWhereNobodyCanRead) {
  TypeParam ends;
  ends.close_reader();
  EXPECT_EQ(write_by_outlet(ends.writer(), "lost", 1000), EPIPE);
}

// The child holds the writer's end by the same open file.
TYPED_TEST(OutletOf, KeepsAnotherProcessWaiting) {
  const TypeParam ends;
  const Deadline deadline = Deadline::in(1000);
  pid_t child = -1;
  {
    const Outlet first(ends.writer(), Use::kShared, Calls::kAny, deadline);
    ASSERT_EQ(first.error(), 0);
    child = fork();
    if (child == 0) {
      const Outlet second(ends.writer(), Use::kShared, Calls::kAny, Deadline::in(310));
      _exit(second.error() == ETIMEDOUT ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << "it did not wait";
  }
  child = fork();
  if (child == 0) _exit(write_by_outlet(ends.writer(), "after", 60'000));
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(ends.read_some(), "after");
}

TEST(Outlet, GivesUpOnAFullPipeByFewCalls) {
  const Pipe pipe;
  pipe.fill();
  EXPECT_EQ(write_by_outlet(pipe.writer(), "lost", 10, Calls::kFew), ETIMEDOUT);
}

// The child asks, because a process is not told of its own locks.
TEST(Outlet, AsIsLeavesTheLocksOfTheProcess) {
  const Pipe pipe;
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_len = 10;
  ASSERT_EQ(fcntl(pipe.writer(), F_SETLK, &lock), 0);
  {
    const Deadline deadline = Deadline::in(1000);
    const Outlet outlet(pipe.writer(), Use::kAsIs, Calls::kAny, deadline);
    Unnoticed unnoticed;
    EXPECT_EQ(write_within(outlet.way(), "told", deadline, unnoticed), 0);
  }
  EXPECT_EQ(pipe.read_some(), "told");
  const pid_t child = fork();
  if (child == 0)
    _exit(fcntl(pipe.writer(), F_GETLK, &lock) == 0 && lock.l_type == F_WRLCK ? 0 : 1);
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "the lock is gone";
}

TEST(Outlet, TellsThatAPipesEndIsForReading) {
  const Pipe pipe;
  const Outlet outlet(pipe.reader(), Use::kAsIs, Calls::kAny, Deadline::in(1000));
  EXPECT_EQ(outlet.error(), EBADF);
}

TEST(Outlet, WritesAFileByOneWriteAndAsItIs) {
  std::array<char, 32> path{"/tmp/outlet_test.XXXXXX"};
  const int file = mkstemp(path.data());
  ASSERT_GE(file, 0);
  EXPECT_EQ(write(file, "before ", 7), 7);
  const Outlet outlet(file, Use::kShared, Calls::kAny, Deadline::in(1000));
  EXPECT_EQ(outlet.error(), 0);
  EXPECT_EQ(outlet.way().descriptor, file);
  EXPECT_EQ(outlet.way().kind, Way::Kind::kPlain);
  EXPECT_EQ(write_by_outlet(file, "and after", 1000), 0);
  std::string text(100, '\0');
  EXPECT_EQ(pread(file, text.data(), text.size(), 0), 16);
  close(file);
  unlink(path.data());
}

TEST(Outlet, TellsThatADeviceIsFull) {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  EXPECT_EQ(write_by_outlet(full, "lost", 1000), ENOSPC);
  close(full);
}

TEST(Outlet, PiecesAreWrittenAsThereIsRoom) {
  const Pipe pipe;
  Unnoticed unnoticed;
  const Way way{pipe.writer(), Way::Kind::kPolled, 4};
  EXPECT_EQ(write_within(way, "in three pieces", Deadline::in(1000), unnoticed), 0);
  EXPECT_EQ(pipe.read_some(), "in three pieces");
  pipe.fill();
  EXPECT_EQ(write_within(way, "lost", Deadline::in(10), unnoticed), ETIMEDOUT);
}

}  // namespace
}  // namespace bufpool
