// SPDX-License-Identifier: MIT
// Has pools for tests. A pool is big and keeps its address space for good, so tests share a few.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pool/buffer_pool.h"
#include "tests/unit/in_child.h"

namespace bufpool {

inline Options options_in(PoolMode mode, std::string_view classes = {}) {
  Options options = default_options();
  const auto choice = mode == PoolMode::kLocked ? ModeChoice::kLocked : ModeChoice::kRseq;
  options.mode = choice;
  options.classes = classes;
  return options;
}

// Returns a pool that lives to the end. Its mode may be another where there are no sequences.
inline BufferPool& open_pool(const Options& options) {
  static std::vector<std::unique_ptr<BufferPool>> pools;
  pools.push_back(std::make_unique<BufferPool>());
  EXPECT_TRUE(pools.back()->open(options));
  return *pools.back();
}

// Has a pool that gives its address space back at the end, because ThreadSanitizer leaves room for
// few.
class OwnPool {
 public:
  explicit OwnPool(const Options& options) { EXPECT_TRUE(pool_->open(options)); }
  ~OwnPool() { pool_->control().close(); }
  OwnPool(const OwnPool&) = delete;
  OwnPool& operator=(const OwnPool&) = delete;

  BufferPool& get() const { return *pool_; }

 private:
  std::unique_ptr<BufferPool> pool_ = std::make_unique<BufferPool>();
};

inline BufferPool& pool_in(PoolMode mode) {
  static BufferPool& locked = open_pool(options_in(PoolMode::kLocked));
  if (mode == PoolMode::kLocked) return locked;
  static BufferPool& rseq = open_pool(options_in(PoolMode::kRseq));
  return rseq;
}

// Runs a test once per mode. A mode that cannot be had or checked here is skipped.
class InEachMode : public testing::TestWithParam<PoolMode> {
 protected:
  void SetUp() override {
    if (GetParam() == PoolMode::kLocked) return;
    if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer does not understand sequences";
    if (pool().figures().mode() != PoolMode::kRseq) GTEST_SKIP() << "no restartable sequences here";
  }
  BufferPool& pool() const { return pool_in(GetParam()); }
};

inline const auto kBothModes = testing::Values(PoolMode::kRseq, PoolMode::kLocked);
inline std::string mode_name(const testing::TestParamInfo<PoolMode>& mode) {
  return mode.param == PoolMode::kRseq ? "rseq" : "locked";
}

inline bool is_aligned(const void* pointer, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(pointer) % alignment == 0;
}

inline void fill(void* pointer, std::size_t bytes, int value) {
  std::memset(pointer, value, bytes);
}
inline bool holds(const void* pointer, std::size_t bytes, int value) {
  const auto* data = static_cast<const unsigned char*>(pointer);
  return data[0] == value && std::memcmp(data, data + 1, bytes - 1) == 0;
}

}  // namespace bufpool
