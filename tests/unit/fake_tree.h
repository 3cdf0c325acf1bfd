// SPDX-License-Identifier: MIT
// Makes a tree of files in the places of the system's, and what is needed to watch one.
#pragma once

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "pool/platform/pressure.h"

namespace bufpool::platform {

inline constexpr int kSkipped = 77;
// In the tests that end a wait, these say how long the wait would be, and what is soon enough on a
// busy machine.
inline constexpr std::uint32_t kForeverMs = 300'000;
inline constexpr std::int64_t kSoonMs = 60'000;

// Makes a folder with files in the places of the system's. Everybody may read them.
class FakeTree : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "platform_memory_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    ASSERT_EQ(chmod(name.c_str(), 0755), 0);
  }

  void TearDown() override { std::filesystem::remove_all(root_); }

  void put(const std::string& path, const std::string& text, mode_t mode = 0644) const {
    const std::string file = root_ + path;
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    std::ofstream(file, std::ios::trunc) << text;
    ASSERT_EQ(chmod(file.c_str(), mode), 0);
  }

  void put_link(const std::string& path, const std::string& target) const {
    const std::filesystem::path link = root_ + path;
    std::filesystem::create_directories(link.parent_path());
    std::filesystem::create_symlink(target, link);
  }

  std::string root_;
};

class Stopwatch {
 public:
  std::int64_t ms() const {
    const auto passed = std::chrono::steady_clock::now() - start_;
    return std::chrono::duration_cast<std::chrono::milliseconds>(passed).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Gives up root, because root may write everywhere. It is for children only.
inline bool become_nobody() {
  constexpr gid_t kNobody = 65534;
  return geteuid() != 0 ||
         (setgroups(0, nullptr) == 0 && setgid(kNobody) == 0 && setuid(kNobody) == 0);
}

inline std::string stalls(std::uint64_t total) {
  return "some avg10=0.00 avg60=0.00 avg300=0.00 total=" + std::to_string(total) +
         "\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=9\n";
}

// These files take a trigger's rule as the kernel's do, but never fire.
class Watch : public FakeTree {
 protected:
  void SetUp() override {
    FakeTree::SetUp();
    put("/proc/self/cgroup", "0::/shop\n");
  }

  void TearDown() override {
    watch_.close();
    FakeTree::TearDown();
  }

  void put_pressure(mode_t mode = 0644) const {
    put("/sys/fs/cgroup/shop/memory.pressure", stalls(0), mode);
  }

  PressureWatch::Mode open_fake() { return watch_.open(root_.c_str()); }

  PressureWatch watch_;
};

}  // namespace bufpool::platform
