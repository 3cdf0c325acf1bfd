// SPDX-License-Identifier: MIT
// Starts threads that take, put, grow and hand over buffers of every size, while one trims and one
// reads the counters. Every buffer carries a fingerprint of its address and a serial number at its
// head, middle and tail. So a buffer that overlaps another, or was handed out twice, is found at
// its put.
//
// The call is `stress_mixed rseq|locked [EVERY]`, where EVERY is as in BUFPOOL_SAMPLE. With
// BUFPOOL_LONG=1 more threads run for longer.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string_view>
#include <thread>
#include <vector>

#include "pool/backing/backing.h"
#include "pool/buffer_pool.h"

namespace bufpool {
namespace {

constexpr int kSkipped = 77;
constexpr std::size_t kMostHeldBytes = 48 << 20;  // of one thread
constexpr std::size_t kMostHeld = 200;
constexpr std::size_t kLargest = kMaxSize + kHeaderRoom;

constinit BufferPool pool;
std::atomic<bool> stop{false};
std::atomic<std::uint64_t> puts{0};

[[noreturn]] void fail(const char* what, const void* buffer, std::uint64_t one, std::uint64_t two) {
  std::fprintf(stderr, "stress: %s at %p (%#lx, %#lx)\n", what, buffer, one, two);
  std::abort();
}

void on_fault(const Fault& fault) {
  fail("a fault of kind", reinterpret_cast<void*>(fault.address),
       static_cast<std::uint64_t>(fault.kind), fault.class_bytes);
}

// It stands at the head of each buffer. Its mark stands in the middle and at the tail as well.
struct Head {
  std::uint64_t mark;
  std::uint64_t serial;
  std::uint64_t size;
};

std::uint64_t mark_of(const void* buffer, std::uint64_t serial, std::uint64_t size) {
  const auto address = reinterpret_cast<std::uintptr_t>(buffer);
  std::uint64_t mixed = (address ^ serial * 0x9e3779b97f4a7c15) + size;
  mixed = (mixed ^ mixed >> 31) * 0xbf58476d1ce4e5b9;
  return mixed ^ mixed >> 29;
}

void write_fingerprint(void* buffer, std::uint64_t serial, std::size_t size) {
  const Head head{mark_of(buffer, serial, size), serial, size};
  auto* const bytes = static_cast<char*>(buffer);
  std::memcpy(bytes, &head, sizeof head);
  std::memcpy(bytes + size / 2, &head.mark, sizeof head.mark);
  std::memcpy(bytes + size - sizeof head.mark, &head.mark, sizeof head.mark);
}

// Returns the size that was asked for.
std::size_t check_fingerprint(const void* buffer) {
  const auto* const bytes = static_cast<const char*>(buffer);
  Head head;
  std::memcpy(&head, bytes, sizeof head);
  const std::uint64_t mark = mark_of(buffer, head.serial, head.size);
  if (head.mark != mark || head.size > kLargest) fail("head overwritten", buffer, head.mark, mark);
  for (const std::size_t at : {head.size / 2, head.size - sizeof mark}) {
    std::uint64_t found = 0;
    std::memcpy(&found, bytes + at, sizeof found);
    if (found != mark) fail("middle or tail overwritten", buffer, found, mark);
  }
  return head.size;
}

// Checks all of a small buffer, and a word in each quarter of a page of a large one.
void check_zero(const void* buffer, std::size_t size) {
  const auto* const bytes = static_cast<const char*>(buffer);
  const std::size_t step = size <= 65536 ? 1 : 1024;
  for (std::size_t at = 0; at < size; at += step) {
    if (bytes[at] != 0) fail("zeroed buffer is not zero", buffer, at, size);
  }
  if (bytes[size - 1] != 0) fail("zeroed buffer is not zero", buffer, size - 1, size);
}

// These are buffers on their way from one thread to another.
std::array<std::atomic<void*>, 64> handed{};

class User {
 public:
  explicit User(std::uint64_t number) : random_(number), serial_(number << 48) {}

  void run() {
    while (!stop.load(std::memory_order_relaxed)) {
      for (int i = 0; i < 100; ++i) step();
    }
    while (!held_.empty()) put(take_out());
    puts.fetch_add(puts_);
  }

 private:
  struct Held {
    void* buffer;
    std::size_t size;
  };

  void step() {
    const auto dice = random_() % 100;
    if (held_.empty() || (dice < 45 && held_.size() < kMostHeld && bytes_ < kMostHeldBytes)) {
      keep(take(random_size()));
    } else if (dice < 80) {
      put(take_out());
    } else if (dice < 90) {
      hand_over();
    } else {
      resize();
    }
  }

  // Draws log-uniform sizes: every other thread over the whole range, the others from what small
  // servers use.
  std::size_t random_size() {
    const double most = serial_ >> 48 & 1 ? double{kLargest} : double{128 << 10};
    std::uniform_real_distribution<double> exponent(std::log(512.0), std::log(most));
    return std::clamp(static_cast<std::size_t>(std::exp(exponent(random_))), kMinSize, kLargest);
  }

  Held take(std::size_t size) {
    auto dice = random_() % 16;
    if (size > 256 << 10 && random_() % 16 != 0) dice = 4;  // zeroing would take all the time
    const std::size_t alignment = dice == 0 ? std::size_t{16} << random_() % 13 : 16;
    void* const buffer = dice == 0          ? pool.take_aligned(alignment, size)
                         : dice <= 3        ? pool.take_zeroed(size)
                         : pool.wants(size) ? pool.take(size)
                                            : pool.take_aligned(16, size);
    if (buffer == nullptr) fail("no memory", buffer, size, alignment);
    const auto address = reinterpret_cast<std::uintptr_t>(buffer);
    if (address % alignment != 0) fail("misaligned", buffer, alignment, size);
    if (pool.owns(buffer) && pool.usable_size(buffer) < size) fail("too small", buffer, size, 0);
    if (dice >= 1 && dice <= 3) check_zero(buffer, size);
    write_fingerprint(buffer, ++serial_, size);
    return {buffer, size};
  }

  void keep(Held one) {
    held_.push_back(one);
    bytes_ += one.size;
  }

  Held take_out() {
    std::swap(held_[random_() % held_.size()], held_.back());
    const Held one = held_.back();
    held_.pop_back();
    bytes_ -= one.size;
    return one;
  }

  void put(Held one) {
    if (check_fingerprint(one.buffer) != one.size)
      fail("size overwritten", one.buffer, one.size, 0);
    ++puts_;
    if (pool.owns(one.buffer)) return pool.put(one.buffer);
    backing::release(one.buffer);
  }

  void hand_over() {
    void* const other = handed[random_() % handed.size()].exchange(take_out().buffer);
    if (other != nullptr) keep({other, check_fingerprint(other)});
  }

  // Does what realloc does: it takes a new buffer, copies the contents, and puts the old one.
  void resize() {
    const Held old = take_out();
    const Held grown = take(std::clamp(old.size + old.size / 2, kMinSize, kLargest));
    std::memcpy(static_cast<char*>(grown.buffer) + sizeof(Head), old.buffer, sizeof(Head));
    Head copied;
    std::memcpy(&copied, static_cast<char*>(grown.buffer) + sizeof(Head), sizeof copied);
    if (copied.size != old.size) fail("copy differs", grown.buffer, copied.size, old.size);
    put(old);
    keep(grown);
  }

  std::mt19937_64 random_;
  std::uint64_t serial_;
  std::uint64_t puts_ = 0;
  std::vector<Held> held_;
  std::size_t bytes_ = 0;
};

void trim_all_the_time() {
  std::mt19937_64 random(99);
  while (!stop.load(std::memory_order_relaxed)) {
    pool.control().trim(random() % 4 == 0 ? 0 : random() % (64 << 20));
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 30000));
  }
}

void watch_counters() {
  Snapshot before{};
  Snapshot now{};
  while (!stop.load(std::memory_order_relaxed)) {
    pool.figures().snapshot(now);
    for (std::size_t i = 0; i < kSnapshotClasses; ++i) {
      const ClassSnapshot& was = before.classes[i];
      const ClassSnapshot& is = now.classes[i];
      if (is.hits < was.hits) fail("hits went back", &is, was.hits, is.hits);
      if (is.misses < was.misses) fail("misses went back", &is, was.misses, is.misses);
      if (is.gets != is.hits + is.misses) fail("gets are not hits and misses", &is, i, is.gets);
    }
    before = now;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// Pre: nobody holds a buffer any more.
std::uint64_t check_end() {
  for (auto& slot : handed) {
    void* const buffer = slot.exchange(nullptr);
    if (buffer == nullptr) continue;
    check_fingerprint(buffer);
    pool.owns(buffer) ? pool.put(buffer) : backing::release(buffer);
  }
  pool.control().trim(0);
  Snapshot end{};
  pool.figures().snapshot(end);
  std::uint64_t gets = 0;
  for (const ClassSnapshot& c : end.classes) {
    gets += c.gets;
    if (c.in_use != 0) fail("in use at the end", &c, c.in_use, c.buffer_bytes);
    if (c.gets != c.puts) fail("gets are not puts", &c, c.gets, c.puts);
  }
  return gets;
}

std::uint64_t run(int users, std::chrono::seconds time) {
  std::vector<std::thread> threads;
  threads.emplace_back(trim_all_the_time);
  threads.emplace_back(watch_counters);
  for (int i = 0; i < users; ++i) {
    threads.emplace_back([i] { User(static_cast<std::uint64_t>(i)).run(); });
  }
  std::this_thread::sleep_for(time);
  stop = true;
  for (std::thread& thread : threads) thread.join();
  return check_end();
}

int start(std::string_view mode, const char* every) {
  Options options = default_options();
  options.sample = static_cast<std::uint64_t>(std::atol(every));
  const bool locked = mode == "locked";
  options.mode = locked ? ModeChoice::kLocked : ModeChoice::kRseq;
  pool.control().set_fault_handler(on_fault);
  if (!pool.open(options)) fail("the pool does not open", nullptr, 0, 0);
  if (!locked && pool.figures().mode() != PoolMode::kRseq) {
    std::puts("no restartable sequences here");
    return kSkipped;
  }
  const bool take_long = std::getenv("BUFPOOL_LONG") != nullptr;
  const std::uint64_t gets = run(take_long ? 48 : 8, std::chrono::seconds(take_long ? 120 : 10));
  std::printf("%lu gets, %lu puts by their takers or heirs\n", gets, puts.load());
  return gets > 0 ? 0 : 1;
}

}  // namespace
}  // namespace bufpool

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: stress_mixed rseq|locked [EVERY]\n", stderr);
    return 2;
  }
  return bufpool::start(argv[1], argc > 2 ? argv[2] : "0");
}
