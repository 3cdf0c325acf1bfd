// SPDX-License-Identifier: MIT
#include "pool/platform/memory_limits.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/sysinfo.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "tests/unit/fake_tree.h"
#include "tests/unit/in_child.h"

namespace bufpool::platform {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

class MemoryLimit : public FakeTree {
 protected:
  std::uint64_t limit() const { return memory_limit(root_.c_str()); }
};

TEST_F(MemoryLimit, IsZeroWhereNothingCanBeRead) { EXPECT_EQ(limit(), 0U); }

TEST_F(MemoryLimit, IsTheMachinesWhereNothingElseIsSaid) {
  put("/proc/meminfo", "MemTotal:       24684044 kB\nMemFree:        1 kB\n");
  EXPECT_EQ(limit(), std::uint64_t{24684044} * 1024);
}

TEST_F(MemoryLimit, OfVersion2IsTheGroupsOwn) {
  put("/proc/self/cgroup", "0::/shop/web\n");
  put("/sys/fs/cgroup/shop/web/memory.max", "134217728\n");
  EXPECT_EQ(limit(), 128 * kMiB);
  put("/sys/fs/cgroup/shop/web/memory.high", "100663296\n");
  EXPECT_EQ(limit(), 96 * kMiB);
}

TEST_F(MemoryLimit, OfVersion2IsTheLeastOfTheAncestors) {
  put("/proc/self/cgroup", "0::/shop/web/worker\n");
  put("/sys/fs/cgroup/shop/web/worker/memory.max", "max\n");
  put("/sys/fs/cgroup/shop/web/memory.max", "268435456\n");
  put("/sys/fs/cgroup/shop/memory.high", "134217728\n");
  put("/sys/fs/cgroup/shop/other/memory.max", "4096\n");
  EXPECT_EQ(limit(), 128 * kMiB);
}

TEST_F(MemoryLimit, IsNotMoreThanTheMachineHas) {
  put("/proc/meminfo", "MemTotal:  1024 kB\n");
  put("/proc/self/cgroup", "0::/shop\n");
  put("/sys/fs/cgroup/shop/memory.max", "134217728\n");
  EXPECT_EQ(limit(), kMiB);
}

TEST_F(MemoryLimit, IsFoundInANamespaceOfItsOwn) {
  put("/proc/self/cgroup", "0::/\n");
  put("/sys/fs/cgroup/memory.max", "134217728\n");
  EXPECT_EQ(limit(), 128 * kMiB);
}

TEST_F(MemoryLimit, IsFoundWhereTheContainersGroupIsMountedAsTheTopmost) {
  put("/proc/self/cgroup", "0::/docker/0123456789\n");
  put("/sys/fs/cgroup/memory.max", "134217728\n");
  EXPECT_EQ(limit(), 128 * kMiB);
}

TEST_F(MemoryLimit, OfAHybridMountIsFound) {
  put("/proc/self/cgroup", "3:cpu:/\n1:name=systemd:/wrong\n0::/shop\n");
  put("/sys/fs/cgroup/unified/shop/memory.max", "134217728\n");
  put("/sys/fs/cgroup/unified/wrong/memory.max", "4096\n");
  EXPECT_EQ(limit(), 128 * kMiB);
}

TEST_F(MemoryLimit, OfVersion1IsThatOfTheMemoryController) {
  put("/proc/self/cgroup", "9:name=systemd:/a\n4:cpu,memory:/shop/web\n3:cpuset:/b\n");
  put("/sys/fs/cgroup/memory/shop/web/memory.limit_in_bytes", "134217728\n");
  put("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "4096\n");
  put("/sys/fs/cgroup/memory/b/memory.limit_in_bytes", "4096\n");
  EXPECT_EQ(limit(), 128 * kMiB);
  put("/sys/fs/cgroup/memory/shop/memory.limit_in_bytes", "100663296\n");
  EXPECT_EQ(limit(), 96 * kMiB);
}

TEST_F(MemoryLimit, OfVersion1FallsBackToTheTopmost) {
  put("/proc/self/cgroup", "4:memory:/docker/0123456789\n");
  put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "134217728\n");
  EXPECT_EQ(limit(), 128 * kMiB);
}

TEST_F(MemoryLimit, OfVersion1MayBeNone) {
  put("/proc/self/cgroup", "4:memory:/\n");
  put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(limit(), 0U);
}

TEST_F(MemoryLimit, IsTheLeastOfBothVersions) {
  put("/proc/self/cgroup", "4:memory:/old\n0::/new\n");
  put("/sys/fs/cgroup/memory/old/memory.limit_in_bytes", "134217728\n");
  put("/sys/fs/cgroup/unified/new/memory.max", "67108864\n");
  EXPECT_EQ(limit(), 64 * kMiB);
  put("/sys/fs/cgroup/memory/old/memory.limit_in_bytes", "33554432\n");
  EXPECT_EQ(limit(), 32 * kMiB);
}

TEST_F(MemoryLimit, PassesOverWhatItDoesNotUnderstand) {
  put("/proc/self/cgroup", "0::/shop\n");
  put("/sys/fs/cgroup/shop/memory.high", "134217728");  // without its newline it is whole
  for (const char* text : {"", "\n", "max", "-1\n", "12 MiB\n", "0x1000\n", " 4096\n", "4096x\n",
                           "99999999999999999999999\n", "18446744073709551615\n"}) {
    put("/sys/fs/cgroup/shop/memory.max", text);
    EXPECT_EQ(limit(), 128 * kMiB) << text;
  }
}

TEST_F(MemoryLimit, OfNothingIsNotTakenForNone) {
  put("/proc/self/cgroup", "0::/shop\n");
  put("/sys/fs/cgroup/shop/memory.high", "0\n");
  EXPECT_EQ(limit(), 4096U);
}

TEST_F(MemoryLimit, BearsStrangeGroupFiles) {
  put("/sys/fs/cgroup/memory.max", "134217728\n");
  const std::string endless = "0::/" + std::string(100000, 'x') + "\n";
  for (const std::string& text :
       {std::string(), std::string("\n"), std::string("0"), std::string("0:"), std::string("0::"),
        std::string("0::\n"), std::string("0::relative\n"), std::string("0::/../../up\n"),
        std::string("0::/gone (deleted)\n"), std::string(5000, ':'), endless}) {
    put("/proc/self/cgroup", text);
    EXPECT_EQ(limit(), 128 * kMiB) << text.substr(0, 40);
  }
}

TEST_F(MemoryLimit, FindsTheLastOfManyLongLines) {
  std::string text;
  for (int i = 13; i > 0; --i) {
    text += std::to_string(i) + ":c" + std::to_string(i) + ":/" + std::string(700, 'x') + "\n";
  }
  put("/proc/self/cgroup", text + "0::/shop\n");
  put("/sys/fs/cgroup/shop/memory.max", "134217728\n");
  EXPECT_EQ(limit(), 128 * kMiB);
}

TEST_F(MemoryLimit, OfThisMachineIsNotMoreThanItHas) {
  struct sysinfo info = {};
  ASSERT_EQ(sysinfo(&info), 0);
  EXPECT_GT(memory_limit(), kMiB);
  EXPECT_LE(memory_limit(), std::uint64_t{info.totalram} * info.mem_unit);
}

TEST_F(MemoryLimit, KeepsErrno) {
  errno = ENOTTY;
  EXPECT_EQ(limit(), 0U);
  EXPECT_NE(memory_limit(), 0U);
  EXPECT_EQ(errno, ENOTTY);
}

// These are the real mounts of a container with a limit.
TEST_F(MemoryLimit, IsSeenInAMountNamespace) {
  put("/memory.max", "134217728\n");
  const int status = in_child([this] {
    if (unshare(CLONE_NEWNS) != 0) return kSkipped;
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return kSkipped;
    if (mount(root_.c_str(), "/sys/fs/cgroup", nullptr, MS_BIND, nullptr) != 0) return kSkipped;
    return memory_limit() == 128 * kMiB ? 0 : __LINE__;
  });
  if (status == kSkipped) GTEST_SKIP() << "no mount namespace to be had";
  EXPECT_EQ(status, 0);
}

class HugePages : public FakeTree {
 protected:
  static constexpr char kFolder[] = "/sys/kernel/mm/transparent_hugepage";
  bool given(const std::string& to_all, const std::string& of_this_size = "") const {
    put(std::string(kFolder) + "/enabled", to_all + "\n");
    if (!of_this_size.empty()) {
      put(std::string(kFolder) + "/hugepages-2048kB/enabled", of_this_size + "\n");
    }
    return gives_huge_pages(root_.c_str());
  }
};

TEST_F(HugePages, AreNotGivenWhereNothingIsSaid) { EXPECT_FALSE(gives_huge_pages(root_.c_str())); }

TEST_F(HugePages, AreGivenToAllOrToThoseWhoAskOrToNobody) {
  EXPECT_TRUE(given("[always] madvise never"));
  EXPECT_TRUE(given("always [madvise] never"));
  EXPECT_FALSE(given("always madvise [never]"));
}

TEST_F(HugePages, OfOneSizeMayBeOtherwise) {
  EXPECT_FALSE(given("always [madvise] never", "always inherit madvise [never]"));
  EXPECT_TRUE(given("always madvise [never]", "always inherit [madvise] never"));
  EXPECT_TRUE(given("always [madvise] never", "always [inherit] madvise never"));
  EXPECT_FALSE(given("always madvise [never]", "always [inherit] madvise never"));
}

}  // namespace
}  // namespace bufpool::platform
