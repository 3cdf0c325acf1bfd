// SPDX-License-Identifier: MIT
// Turns bytes into calls of the pool, and mirrors each in a table of what must hold. Buffers do not
// overlap, keep their contents, and are aligned and as large as asked for. Zeroed ones are zero.
// The counters agree with the table.
//
// See fuzz_main.h for how it is run.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <span>
#include <vector>

#include "pool/backing/backing.h"
#include "pool/buffer_pool.h"
#include "tests/fuzz/fuzz_main.h"

namespace bufpool {
namespace {

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "pool_model: %s\n", what);
  std::abort();
}

// Gives out bytes to decide by. After their end it gives zeros.
class Input {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t first = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return first;
  }
  // Two bytes choose a size: the doubling of the ladder, and then a place in it, its edges
  // included.
  std::size_t size() {
    const std::size_t base = kMinSize << byte() % 16;
    const std::uint8_t where = byte();
    const std::size_t size = where < 128 ? base + base / 4 * (where % 4) + where / 4 * 8 - 60
                                         : base + base / 128 * (where - 128);
    return std::clamp(size, kMinSize, kMaxSize + kHeaderRoom);
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

BufferPool& pool_number(unsigned number) {
  static BufferPool* pools[3] = {};
  BufferPool*& pool = pools[number];
  if (pool == nullptr) {
    Options options = default_options();
    const auto mode = number == 0 ? ModeChoice::kAuto : ModeChoice::kLocked;
    options.mode = mode;
    if (number == 2) options.classes = "2K,40K,1M";
    options.cpu_cache = number == 2 ? 1 << 20 : options.cpu_cache;
    pool = new BufferPool;
    require(pool->open(options), "no address space");
  }
  return *pool;
}

class Model {
 public:
  explicit Model(BufferPool& pool) : pool_(pool) {}

  void run(Input input) {
    while (!input.empty()) step(input);
    while (!live_.empty()) put(live_.begin());
    require(pool_.figures().totals().in_use_bytes == 0, "in use after all was put");
  }

 private:
  struct Live {
    std::size_t usable;
    unsigned char pattern;
    bool pooled;
  };
  using Table = std::map<std::uintptr_t, Live>;

  static constexpr std::size_t kMostLive = 48;
  static constexpr std::size_t kMostBytes = 64 << 20;

  void step(Input& input) {
    const std::uint8_t what = input.byte();
    if (what % 16 == 15) return drop_idle(input.byte());
    if (live_.size() >= kMostLive || bytes_ > kMostBytes || (what % 2 == 1 && !live_.empty())) {
      return put(std::next(live_.begin(), input.byte() % static_cast<long>(live_.size())));
    }
    const std::size_t size = input.size();
    if (!pool_.wants(size)) return;
    const std::size_t alignment = what % 16 == 2 ? std::size_t{1} << input.byte() % 21 : 1;
    const bool zeroed = what % 16 == 4 || what % 16 == 6;
    void* const buffer = what % 16 == 2 ? pool_.take_aligned(alignment, size)
                         : zeroed       ? pool_.take_zeroed(size)
                                        : pool_.take(size);
    require(buffer != nullptr, "no memory");
    if (zeroed) require(all_are(buffer, size, 0), "zeroed is not zero");
    enter(buffer, alignment, size);
  }

  void enter(void* buffer, std::size_t alignment, std::size_t size) {
    const auto address = reinterpret_cast<std::uintptr_t>(buffer);
    require(address % std::max<std::size_t>(alignment, 16) == 0, "misaligned");
    const bool pooled = pool_.owns(buffer);
    const std::size_t usable = pooled ? pool_.usable_size(buffer) : backing::usable_size(buffer);
    require(usable >= size, "smaller than asked for");
    const auto next = live_.lower_bound(address);
    require(next == live_.end() || address + usable <= next->first, "overlaps the next");
    if (next != live_.begin()) {
      const auto before = std::prev(next);
      require(before->first + before->second.usable <= address, "overlaps the one before");
    }
    const auto pattern = static_cast<unsigned char>(++serial_ | 1);
    set_all(buffer, usable, pattern);
    live_.emplace(address, Live{usable, pattern, pooled});
    bytes_ += usable;
  }

  void put(Table::iterator one) {
    void* const buffer = reinterpret_cast<void*>(one->first);
    const Live live = one->second;
    require(all_are(buffer, live.usable, live.pattern), "contents changed");
    bytes_ -= live.usable;
    live_.erase(one);
    live.pooled ? pool_.put(buffer) : backing::release(buffer);
  }

  // Gives memory back. What is live stays as it is, and is what the counters say.
  void drop_idle(std::uint8_t keep) {
    pool_.control().trim(std::uint64_t{keep} << 16);
    std::size_t pooled = 0;
    for (const auto& [address, live] : live_) pooled += live.pooled;
    Snapshot snapshot;
    pool_.figures().snapshot(snapshot);
    std::uint64_t in_use = 0;
    for (const ClassSnapshot& c : snapshot.classes) {
      require(c.gets == c.hits + c.misses && c.in_use == c.gets - c.puts, "counters disagree");
      require(c.in_use <= c.in_use_peak, "more in use than ever");
      in_use += c.in_use;
    }
    require(in_use == pooled, "in use is not what is live");
  }

  // Calls visit(start, length) for all of a small buffer, and for some parts of a large one:
  // touching all its pages would take too much time.
  template <typename Visit>
  static void visit_parts(void* buffer, std::size_t bytes, Visit visit) {
    auto* const data = static_cast<unsigned char*>(buffer);
    if (bytes <= 64 << 10) return visit(data, bytes);
    for (std::size_t part = 0; part < 5; ++part) visit(data + bytes / 5 * part, 256);
    visit(data + bytes - 256, 256);
  }

  static void set_all(void* buffer, std::size_t bytes, unsigned char value) {
    visit_parts(buffer, bytes, [value](unsigned char* start, std::size_t length) {
      std::memset(start, value, length);
    });
  }

  static bool all_are(void* buffer, std::size_t bytes, unsigned char value) {
    bool all = true;
    visit_parts(buffer, bytes, [&](const unsigned char* start, std::size_t length) {
      all = all && start[0] == value && std::memcmp(start, start + 1, length - 1) == 0;
    });
    return all;
  }

  BufferPool& pool_;
  Table live_;
  std::size_t bytes_ = 0;
  unsigned serial_ = 0;
};

}  // namespace
}  // namespace bufpool

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bufpool::Input input({data, size});
  bufpool::Model(bufpool::pool_number(input.byte() % 3)).run(input);
  return 0;
}

#ifndef BUFPOOL_LIBFUZZER
namespace {

// Half of the inputs stay with small buffers, of which many fit into a span.
std::vector<std::uint8_t> make_input(unsigned number) {
  std::mt19937 random(number);
  std::vector<std::uint8_t> bytes(1 + random() % 600);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  if (number % 2 == 0) {
    for (std::size_t i = 2; i < bytes.size(); i += 3) bytes[i] %= 4;
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  return bufpool::fuzz_main({argv + 1, static_cast<std::size_t>(argc - 1)}, make_input);
}
#endif
