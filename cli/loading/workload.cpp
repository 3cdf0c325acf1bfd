// SPDX-License-Identifier: MIT
#include "cli/loading/workload.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <thread>

#include "cli/processes/proc_files.h"
#include "cli/texts/sizes.h"

namespace bufpool {
namespace {

std::uint64_t now_ns() noexcept {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

// A linear congruence is enough to choose sizes by.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 1) {}

  [[nodiscard]] std::size_t below(std::size_t count) noexcept {
    state_ = state_ * 6364136223846793005 + 1442695040888963407;
    return static_cast<std::size_t>((state_ >> 33) % count);
  }

 private:
  std::uint64_t state_;
};

struct Held {
  void* buffer;
  std::uint64_t bytes;
  std::uint64_t until_ns;
};

// One thread's part.
class Worker {
 public:
  Worker(const Workload& load, std::uint64_t number)
      : load_(load), chance_(load.seed + number), most_bytes_(load.most_bytes / load.threads) {}

  void work(std::uint64_t end_ns, std::atomic<std::uint64_t>& progress) {
    constexpr int kTold = 256;
    while (now_ns() < end_ns) {
      for (int i = 0; i < kTold; ++i) step();
      progress.fetch_add(kTold, std::memory_order_relaxed);
    }
    while (!held_.empty()) put_oldest();
  }

  void add_to(LoadResult& result) const {
    result.gets.add(result_.gets);
    result.puts.add(result_.puts);
    result.bytes += result_.bytes;
    result.refused += result_.refused;
  }

 private:
  void step() {
    const std::uint64_t bytes = load_.sizes[chance_.below(load_.sizes.size())];
    const std::uint64_t before = now_ns();
    void* const buffer = std::malloc(bytes);
    const std::uint64_t after = now_ns();
    if (buffer == nullptr) {
      ++result_.refused;
      if (!held_.empty()) put_oldest();
      return;
    }
    result_.gets.add(after - before);
    result_.bytes += bytes;
    touch(buffer, bytes);
    held_.push_back({buffer, bytes, after + load_.hold_us * 1000});
    held_bytes_ += bytes;
    while (!held_.empty() && (held_.front().until_ns <= after || held_bytes_ > most_bytes_)) {
      put_oldest();
    }
  }

  // A buffer that is not touched would have no pages.
  void touch(void* buffer, std::uint64_t bytes) const {
    if (load_.is_filled) {
      std::memset(buffer, 1, bytes);
    } else {
      *static_cast<volatile char*>(buffer) = 1;
    }
  }

  void put_oldest() {
    const Held oldest = held_.front();
    held_.pop_front();
    held_bytes_ -= oldest.bytes;
    const std::uint64_t before = now_ns();
    std::free(oldest.buffer);
    result_.puts.add(now_ns() - before);
  }

  const Workload& load_;
  Chance chance_;
  std::uint64_t most_bytes_;
  std::uint64_t held_bytes_ = 0;
  std::deque<Held> held_;
  LoadResult result_;
};

std::vector<std::uint64_t> sizes_between(std::uint64_t least, std::uint64_t most) {
  constexpr int kSteps = 1024;
  std::vector<std::uint64_t> sizes;
  sizes.reserve(kSteps);
  const double doublings = std::log2(static_cast<double>(most) / static_cast<double>(least));
  for (int i = 0; i < kSteps; ++i) {
    const double factor = std::exp2(doublings * i / (kSteps - 1));
    sizes.push_back(static_cast<std::uint64_t>(static_cast<double>(least) * factor));
  }
  return sizes;
}

}  // namespace

LoadResult run_load(const Workload& load, std::atomic<std::uint64_t>& progress) {
  std::deque<Worker> workers;
  std::vector<std::thread> threads;
  threads.reserve(load.threads);
  const std::uint64_t begin = now_ns();
  const std::uint64_t end = begin + load.duration_ms * 1'000'000;
  for (std::uint64_t i = 0; i < load.threads; ++i) workers.emplace_back(load, i);
  for (Worker& worker : workers) {
    threads.emplace_back([&worker, &progress, end] { worker.work(end, progress); });
  }
  for (std::thread& thread : threads) thread.join();
  LoadResult result;
  for (const Worker& worker : workers) worker.add_to(result);
  result.elapsed_ms = (now_ns() - begin) / 1'000'000;
  return result;
}

std::uint64_t clock_price() {
  constexpr int kTries = 1000;
  std::uint64_t least = ~std::uint64_t{0};
  for (int i = 0; i < kTries; ++i) {
    const std::uint64_t before = now_ns();
    least = std::min(least, now_ns() - before);
  }
  return least;
}

std::vector<std::uint64_t> sizes_in(const std::string& text) {
  std::vector<std::uint64_t> sizes;
  for (const std::string_view part : split(text, ',')) {
    const std::size_t dash = part.find('-');
    std::uint64_t least = 0;
    std::uint64_t most = 0;
    if (!parse_size(part.substr(0, dash), least) || least == 0) return {};
    if (dash == std::string_view::npos) {
      sizes.push_back(least);
      continue;
    }
    if (!parse_size(part.substr(dash + 1), most) || most < least) return {};
    const std::vector<std::uint64_t> between = sizes_between(least, most);
    sizes.insert(sizes.end(), between.begin(), between.end());
  }
  return sizes;
}

}  // namespace bufpool
