// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <sys/mman.h>
#include <chrono>
#include <cstring>

#include "pool/platform/process.h"

namespace bufpool::platform {
namespace {

TEST(ProcessUse, KnowsThePeak) {
  constexpr std::size_t kBytes = std::size_t{64} << 20;
  const ProcessUse before = process_use();
  EXPECT_GT(before.resident_bytes, 0U);
  EXPECT_GE(before.resident_peak_bytes, before.resident_bytes);
  void* const memory =
      mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  std::memset(memory, 1, kBytes);
  munmap(memory, kBytes);
  const ProcessUse after = process_use();
  EXPECT_GT(after.resident_peak_bytes, before.resident_bytes + kBytes * 3 / 4);
  EXPECT_LT(after.resident_bytes, before.resident_bytes + kBytes / 2);
}

TEST(ProcessUse, KnowsTheTimeOnCpus) {
  const std::uint64_t before = process_use().cpu_ms;
  const auto began = std::chrono::steady_clock::now();
  while (process_use().cpu_ms < before + 50) {
    ASSERT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(60));
  }
}

}  // namespace
}  // namespace bufpool::platform
