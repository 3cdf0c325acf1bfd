// SPDX-License-Identifier: MIT
#include "pool/retention/idle_memory.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <span>
#include <thread>

#include "pool/options/options.h"
#include "tests/unit/class_spans.h"

namespace bufpool {
namespace {

struct Idle {
  Idle() {
    (void)cache.open(PoolMode::kLocked, default_options().cpu_cache, spans.data());
    memory.open(spans.data(), &cache, &returns);
  }

  OwnSpace space;
  std::array<SharedSpans, kClassSlots> spans{};
  CpuCache cache;
  ReturnsUnderWay returns;
  IdleMemory memory;
};

// ThreadSanitizer reports a read of a class that does not come after its opening.
TEST(IdleMemoryTest, ClassesMayOpenWhileMemoryGoesBack) {
  for (int round = 0; round < 20; ++round) {
    Idle own;
    std::atomic<bool> stop{false};
    std::thread purger([&] {
      while (!stop) own.memory.purge({.bytes = ~std::uint64_t{0}, .min_age_ms = 0});
    });
    std::thread sweeper([&] {
      while (!stop) own.memory.sweep(0);
    });
    std::uint64_t served = 0;
    for_each_class([&](ClassIndex c) {
      if (buffer_bytes(c) > std::size_t{64} << 10) return;
      SharedSpans& spans = own.spans[to_number(c)];
      spans.open(c, own.space.get());
      Block block = 0;
      served += spans.take(std::span(&block, 1)).count;
      spans.give(std::span(&block, 1), true);
    });
    stop = true;
    purger.join();
    sweeper.join();
    EXPECT_GT(served, 20U);
  }
}

}  // namespace
}  // namespace bufpool
