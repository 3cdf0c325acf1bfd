// SPDX-License-Identifier: MIT
// A memory file is what it is said to be, or there is none.
#include "pool/platform/shared_memory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <string>

#include "tests/unit/in_child.h"

namespace bufpool {
namespace {

// Whoever opens the file from outside can neither change it nor its size.
TEST(SharedMemory, IsSealed) {
  void* const page = platform::map_memory_file("sealed", 8192, nullptr);
  ASSERT_NE(page, nullptr);
  std::string path = "/proc/self/map_files/";
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("/memfd:sealed") != std::string::npos) path += line.substr(0, line.find(' '));
  }
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
  ASSERT_TRUE(file >= 0 || errno != EWOULDBLOCK) << "a lease holds up who opens it";
  if (file < 0) GTEST_SKIP() << "only root opens " << path;
  EXPECT_NE(pwrite(file, "x", 1, 0), 1);
  EXPECT_NE(ftruncate(file, 0), 0);
  EXPECT_NE(ftruncate(file, 16384), 0);
  EXPECT_EQ(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), MAP_FAILED);
  void* const read = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file, 0);
  EXPECT_NE(read, MAP_FAILED);
  static_cast<char*>(page)[5] = 'x';
  EXPECT_EQ(static_cast<char*>(read)[5], 'x') << "the process writes on";
  close(file);
  munmap(read, 4096);
  munmap(page, 8192);
}

// Answers fcntl with this command, or the call with this number, by an action of a filter.
bool answer(__u32 call, __u32 command, __u32 action) {
  constexpr auto kCall = static_cast<__u32>(offsetof(seccomp_data, nr));
  constexpr auto kSecond = static_cast<__u32>(offsetof(seccomp_data, args[1]));
  std::array<sock_filter, 7> rules{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kCall),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 0, 2),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kSecond),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, command, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, action),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog program{rules.size(), rules.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

bool interrupt(__u32 call, __u32 command, void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action = {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  return sigaction(SIGSYS, &action, nullptr) == 0 && answer(call, command, SECCOMP_RET_TRAP);
}

// Opens the file that is about to be sealed, as another process of the same user could, and keeps
// it mapped. The call that it interrupts fails.
void intrude(int /*signal*/, siginfo_t* /*info*/, void* context) {
  auto* const registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const std::string path = "/proc/self/fd/" + std::to_string(registers[REG_RDI]);
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
  mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  registers[REG_RAX] = -EPERM;
}

// The records of stacks in it lead to buffers. Another process of the same user that could write to
// it could do what only tracers may do otherwise.
TEST(SharedMemory, IsGivenUpIfSomebodyOpenedItBeforeItWasSealed) {
  if (kThreadSanitizer) GTEST_SKIP() << "it puts signals off";
  EXPECT_EQ(in_child([] {
              if (!interrupt(SYS_fcntl, F_ADD_SEALS, intrude)) return 0;
              return platform::map_memory_file("raced", 8192, nullptr) == nullptr ? 0 : __LINE__;
            }),
            0);
}

// Not even for a moment: what the program's threads write there would be in the page.
TEST(SharedMemory, IsNeverDescriptor0To2) {
  if (kThreadSanitizer) GTEST_SKIP() << "it puts signals off";
  static int number = -1;
  EXPECT_EQ(in_child([] {
              for (int low = 0; low <= STDERR_FILENO; ++low) close(low);
              const auto note = [](int, siginfo_t*, void* context) {
                auto* const registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
                number = static_cast<int>(registers[REG_RDI]);
                registers[REG_RAX] = -EPERM;
              };
              if (!interrupt(SYS_ftruncate, 0, note)) return 0;
              if (platform::map_memory_file("low", 8192, nullptr) != nullptr) return __LINE__;
              return number > STDERR_FILENO && fcntl(0, F_GETFD) == -1 ? 0 : __LINE__;
            }),
            0);
}

// The filter says that the call was made, and it was not, or refuses it.
TEST(SharedMemory, IsGivenUpIfAFilterAnswersForTheKernel) {
  constexpr std::array<std::array<unsigned, 2>, 6> kCalls{{{SYS_fcntl, F_ADD_SEALS},
                                                           {SYS_fcntl, F_GET_SEALS},
                                                           {SYS_fcntl, F_SETLEASE},
                                                           {SYS_ftruncate, 0},
                                                           {SYS_mprotect, 0},
                                                           {SYS_memfd_create, 0}}};
  for (const auto& [call, command] : kCalls) {
    for (const unsigned error : {0, EPERM}) {
      const auto work = [call = call, command = command, error] {
        if (!answer(call, command, SECCOMP_RET_ERRNO | error)) return 0;
        void* const page = platform::map_memory_file("lied", 8192, nullptr);
        return page == nullptr && fcntl(STDIN_FILENO, F_GETFD) != -1 ? 0 : __LINE__;
      };
      EXPECT_EQ(in_child(work), 0) << call << ' ' << command << ' ' << error;
    }
  }
}

TEST(SharedMemory, NeedsADescriptor) {
  EXPECT_EQ(in_child([] {
              const rlimit limit{3, 3};
              if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return __LINE__;
              errno = 7;
              if (platform::map_memory_file("none", 8192, nullptr) != nullptr) return __LINE__;
              return errno == 7 ? 0 : __LINE__;
            }),
            0);
}

// A file beyond the limit would end the process by a signal.
TEST(SharedMemory, ObeysTheLimitOfFiles) {
  EXPECT_EQ(in_child([] {
              const rlimit limit{4096, 4096};
              if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return __LINE__;
              return platform::map_memory_file("limited", 8192, nullptr) == nullptr ? 0 : __LINE__;
            }),
            0);
}

}  // namespace
}  // namespace bufpool
