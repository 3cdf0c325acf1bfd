// SPDX-License-Identifier: MIT
#include "pool/addresses/record_arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

namespace bufpool {
namespace {

TEST(RecordArena, RecordsAreZeroedAlignedAndApart) {
  OwnerLock::enter_process();
  const auto arena = std::make_unique<RecordArena>();
  std::mt19937 random(1);
  struct Record {
    unsigned char* data;
    std::size_t bytes;
    unsigned char mark;
  };
  std::vector<Record> held;
  for (int i = 0; i < 3000; ++i) {
    if (random() % 3 != 0 || held.empty()) {
      const std::size_t bytes = 1 + random() % (i % 50 == 0 ? 200'000 : 9000);
      auto* const data = static_cast<unsigned char*>(arena->allocate(bytes));
      ASSERT_NE(data, nullptr);
      ASSERT_EQ(reinterpret_cast<std::uintptr_t>(data) % 64, 0U);
      ASSERT_TRUE(std::all_of(data, data + bytes, [](unsigned char byte) { return byte == 0; }));
      held.push_back({data, bytes, static_cast<unsigned char>(1 + random() % 255)});
      std::fill(data, data + bytes, held.back().mark);
    } else {
      const std::size_t which = random() % held.size();
      const Record record = held[which];
      held.erase(held.begin() + static_cast<std::ptrdiff_t>(which));
      ASSERT_TRUE(std::all_of(record.data, record.data + record.bytes,
                              [&](unsigned char byte) { return byte == record.mark; }));
      arena->release(record.data, record.bytes);
    }
  }
  for (const Record& record : held) arena->release(record.data, record.bytes);
}

}  // namespace
}  // namespace bufpool
