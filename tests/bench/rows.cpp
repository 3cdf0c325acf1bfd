// SPDX-License-Identifier: MIT
// Has the rows of scripts/bench. `rows LIST` prints their names. `rows NAME [MILLISECONDS [MIB]]`
// runs one and prints one number, nanoseconds per operation. `rows WHO` prints the file that malloc
// comes from. LD_PRELOAD brings the allocator in. Build with -fno-builtin, so that every malloc and
// free is a call.
#include <dlfcn.h>
#include <sched.h>

#include <array>
#include <atomic>
#include <barrier>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/bench/fork_row.h"
#include "tests/bench/measure.h"
#include "tests/bench/ring.h"

namespace bufpool::bench {
namespace {

struct Settings {
  double target_ns = 100e6;
  std::size_t burst_bytes = 512 * kMiB;
};

char* allocate(std::size_t size) {
  auto* const buffer = static_cast<char*>(std::malloc(size));
  if (buffer == nullptr) {
    std::fputs("out of memory\n", stderr);
    std::_Exit(1);
  }
  return buffer;
}

void pairs(std::size_t size, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    void* const buffer = std::malloc(size);
    keep(buffer);
    std::free(buffer);
  }
}

double hot(const Settings& settings, std::size_t size, std::size_t /*unused*/) {
  return ns_per_operation(settings.target_ns, [size](std::uint64_t count) {
    return elapsed_ns([=] { pairs(size, count); });
  });
}

// Returns the price of a pair of a size at which allocators map, with its first page written. A
// mapping that is not looked at costs less.
double first_page(const Settings& settings, std::size_t size, std::size_t /*unused*/) {
  return ns_per_operation(settings.target_ns, [size](std::uint64_t count) {
    return elapsed_ns([=] {
      for (std::uint64_t i = 0; i < count; ++i) {
        char* const buffer = allocate(size);
        touch_pages(buffer, 1);
        std::free(buffer);
      }
    });
  });
}

double fork_freed(const Settings& settings, std::size_t /*unused*/, std::size_t /*unused*/) {
  return fork_after_many_sizes(settings.target_ns);
}

double fork_in_use(const Settings& settings, std::size_t /*unused*/, std::size_t /*unused*/) {
  return fork_beside_many_sizes(settings.target_ns);
}

struct Interval {
  double start = 0;
  double end = 0;
};

// Returns the time from the first thread's first pair to the last thread's last one. Their start
// and their first calls are not counted.
double wall_of_threads(std::size_t size, std::size_t threads, std::uint64_t count_each) {
  constexpr std::uint64_t kFirstCalls = 256;
  std::barrier gate(static_cast<std::ptrdiff_t>(threads));
  std::vector<Interval> intervals(threads);
  std::vector<std::thread> running;
  running.reserve(threads);
  for (Interval& interval : intervals) {
    running.emplace_back([&] {
      pairs(size, kFirstCalls);
      gate.arrive_and_wait();
      interval.start = now_ns();
      pairs(size, count_each);
      interval.end = now_ns();
    });
  }
  Interval all{std::numeric_limits<double>::max(), 0};
  for (std::size_t i = 0; i < threads; ++i) {
    running[i].join();
    all = {std::min(all.start, intervals[i].start), std::max(all.end, intervals[i].end)};
  }
  return all.end - all.start;
}

std::size_t usable_cpus() {
  cpu_set_t set;
  const bool known = sched_getaffinity(0, sizeof set, &set) == 0;
  return known ? static_cast<std::size_t>(CPU_COUNT(&set)) : 1;
}

// Returns wall time times the CPUs at work, so that the figure compares with that of one thread. If
// there are more threads than CPUs they run longer, because each would be done within its first
// time slice.
double hot_threads(const Settings& settings, std::size_t size, std::size_t threads) {
  const std::size_t busy = std::min(threads, usable_cpus());
  const double target_ns = settings.target_ns * (threads > busy ? 2 : 1);
  const double wall = ns_per_operation(target_ns, [=](std::uint64_t count) {
    return wall_of_threads(size, threads, count / threads + 1);
  });
  return wall * static_cast<double>(busy);
}

std::vector<std::size_t> log_uniform_sizes(std::size_t smallest, std::size_t largest) {
  constexpr std::size_t kSizes = 8192;
  XorShift dice;
  std::vector<std::size_t> sizes(kSizes);
  const double ratio = static_cast<double>(largest) / static_cast<double>(smallest);
  for (std::size_t& size : sizes) {
    size =
        static_cast<std::size_t>(static_cast<double>(smallest) * std::pow(ratio, dice.fraction()));
  }
  return sizes;
}

// Holds 64 live buffers. One of them is replaced at random each time and its pages are written.
double live64(const Settings& settings, std::size_t smallest, std::size_t largest) {
  const std::vector<std::size_t> sizes = log_uniform_sizes(smallest, largest);
  std::array<char*, 64> live{};
  XorShift dice;
  std::size_t next = 0;
  const auto replace = [&](std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      char*& slot = live[dice.next() % live.size()];
      const std::size_t size = sizes[next++ % sizes.size()];
      std::free(slot);
      slot = allocate(size);
      touch_pages(slot, size);
    }
  };
  return ns_per_operation(settings.target_ns,
                          [&](std::uint64_t count) { return elapsed_ns([&] { replace(count); }); });
}

// Holds many live buffers, filled whole. They are as many as make 512 MiB, and then one of them is
// replaced at random each time. It is CPU time, and the first ones count: faults tell allocators
// apart here.
double live512(const Settings& /*unused*/, std::size_t smallest, std::size_t largest) {
  constexpr std::size_t kLiveBytes = 512 * kMiB;
  constexpr std::size_t kReplaced = 20'000;
  const std::vector<std::size_t> sizes = log_uniform_sizes(smallest, largest);
  std::vector<char*> live;
  live.reserve(kLiveBytes / smallest);
  XorShift dice;
  std::size_t next = 0;
  const auto filled = [&](std::size_t size) {
    char* const buffer = allocate(size);
    std::memset(buffer, 1, size);
    keep(buffer);
    return buffer;
  };
  const double start = cpu_ns();
  for (std::size_t bytes = 0; bytes < kLiveBytes; ++next) {
    live.push_back(filled(sizes[next % sizes.size()]));
    bytes += sizes[next % sizes.size()];
  }
  for (std::size_t i = 0; i < kReplaced; ++i) {
    char*& slot = live[dice.next() % live.size()];
    std::free(slot);
    slot = filled(sizes[next++ % sizes.size()]);
  }
  return (cpu_ns() - start) / static_cast<double>(next);
}

void produce(Ring& ring, std::size_t size, const std::atomic<bool>& stop) {
  while (!stop.load(std::memory_order_relaxed)) {
    char* const buffer = allocate(size);
    touch_pages(buffer, size);
    ring.push(buffer);
  }
  ring.push(nullptr);
}

// Returns false once the producer has said that it is done.
bool consume(Ring& ring, std::size_t size) {
  const char* const buffer = ring.pop();
  for (std::size_t at = 0; buffer != nullptr && at < size; at += kPage) {
    static_cast<void>(static_cast<const volatile char*>(buffer)[at]);
  }
  std::free(const_cast<char*>(buffer));
  return buffer != nullptr;
}

// Ties this thread to the nth CPU that it may run on. Left alone, the scheduler puts both ends of
// the ring on one CPU or on two as it likes, and that decides the figure.
void stay_on(int nth) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || nth-- > 0) continue;
    CPU_ZERO(&allowed);
    CPU_SET(cpu, &allowed);
    sched_setaffinity(0, sizeof allowed, &allowed);
    return;
  }
}

double ring(const Settings& settings, std::size_t size, std::size_t /*unused*/) {
  Ring ring;
  std::atomic<bool> stop{false};
  std::thread producer([&] {
    stay_on(1);
    produce(ring, size, stop);
  });
  stay_on(0);
  const double result = ns_per_operation(settings.target_ns, [&](std::uint64_t count) {
    return elapsed_ns([&] {
      for (std::uint64_t i = 0; i < count; ++i) {
        consume(ring, size);
      }
    });
  });
  stop = true;
  while (consume(ring, size)) {
  }
  producer.join();
  return result;
}

char* grown(char* buffer, std::size_t size) {
  auto* const bigger = static_cast<char*>(std::realloc(buffer, size));
  if (bigger == nullptr) {
    std::_Exit(1);
  }
  static_cast<volatile char*>(bigger)[size - 1] = 1;
  return bigger;
}

void grow_once(char** buffers, std::size_t together) {
  for (std::size_t size = kKiB; size <= 4 * kMiB; size += size / 2) {
    for (std::size_t i = 0; i < together; ++i) {
      buffers[i] = grown(buffers[i], size);
    }
  }
  for (std::size_t i = 0; i < together; ++i) {
    std::free(buffers[i]);
    buffers[i] = nullptr;
  }
}

// A single growing buffer is the best case for glibc: it lies at the top of the heap, where nothing
// is in its way. Several that grow by turns show the rest.
double grow(const Settings& settings, std::size_t together, std::size_t /*unused*/) {
  std::array<char*, 64> buffers{};
  const double all = ns_per_operation(settings.target_ns, [&](std::uint64_t count) {
    return elapsed_ns([&] {
      for (std::uint64_t i = 0; i < count; ++i) {
        grow_once(buffers.data(), together);
      }
    });
  });
  return all / static_cast<double>(together);
}

void burst_once(std::vector<char*>& buffers, std::size_t size) {
  for (char*& buffer : buffers) {
    buffer = allocate(size);
    touch_pages(buffer, size);
  }
  for (char* const buffer : buffers) {
    std::free(buffer);
  }
}

// The first burst pays for fresh pages with every allocator. The bursts after it show what the
// allocator kept.
double burst(const Settings& settings, std::size_t size, std::size_t /*unused*/) {
  constexpr int kLaterBursts = 3;
  std::vector<char*> buffers(std::max<std::size_t>(1, settings.burst_bytes / size));
  burst_once(buffers, size);
  const double taken = elapsed_ns([&] {
    for (int i = 0; i < kLaterBursts; ++i) {
      burst_once(buffers, size);
    }
  });
  return taken / (kLaterBursts * static_cast<double>(buffers.size()));
}

struct Row {
  std::string_view name;
  double (*run)(const Settings&, std::size_t, std::size_t);
  std::size_t size;
  std::size_t second;
};

constexpr Row kRows[] = {
    {"hot/1K", hot, kKiB, 0},
    {"hot/2K", hot, 2 * kKiB, 0},
    {"hot/4K", hot, 4 * kKiB, 0},
    {"hot/8K", hot, 8 * kKiB, 0},
    {"hot/16K", hot, 16 * kKiB, 0},
    {"hot/32K", hot, 32 * kKiB, 0},
    {"hot/64K", hot, 64 * kKiB, 0},
    {"hot/128K", hot, 128 * kKiB, 0},
    {"hot/256K", hot, 256 * kKiB, 0},
    {"hot/512K", hot, 512 * kKiB, 0},
    {"hot/1M", hot, kMiB, 0},
    {"hot/4M", hot, 4 * kMiB, 0},
    {"hot/16M", hot, 16 * kMiB, 0},
    {"map/20M", first_page, 20 * kMiB, 0},
    {"map/64M", first_page, 64 * kMiB, 0},
    {"map/256M", first_page, 256 * kMiB, 0},
    {"map/1G", first_page, 1024 * kMiB, 0},
    {"hot2/4K", hot_threads, 4 * kKiB, 2},
    {"hot2/64K", hot_threads, 64 * kKiB, 2},
    {"hot2/1M", hot_threads, kMiB, 2},
    {"hot64/4K", hot_threads, 4 * kKiB, 64},
    {"hot64/64K", hot_threads, 64 * kKiB, 64},
    {"hot64/1M", hot_threads, kMiB, 64},
    {"live64/16K", live64, 16 * kKiB, 16 * kKiB},
    {"live64/64K", live64, 64 * kKiB, 64 * kKiB},
    {"live64/256K", live64, 256 * kKiB, 256 * kKiB},
    {"live64/log1K-64K", live64, kKiB, 64 * kKiB},
    {"live64/log1K-1M", live64, kKiB, kMiB},
    {"live512/log1K-1M", live512, kKiB, kMiB},
    {"ring/4K", ring, 4 * kKiB, 0},
    {"ring/64K", ring, 64 * kKiB, 0},
    {"small/64", hot, 64, 0},
    {"small/256", hot, 256, 0},
    {"realloc/grow", grow, 1, 0},
    {"realloc/grow8", grow, 8, 0},
    {"fork/200", fork_freed, 0, 0},
    {"fork/200live", fork_in_use, 0, 0},
    {"burst/64K", burst, 64 * kKiB, 0},
    {"burst/1M", burst, kMiB, 0},
};

int list_rows() {
  for (const Row& row : kRows) {
    std::printf("%.*s\n", static_cast<int>(row.name.size()), row.name.data());
  }
  return 0;
}

// The loader only warns of a library that cannot be preloaded, and the row would then measure glibc
// under its name.
int print_owner_of_malloc() {
  Dl_info info{};
  if (dladdr(dlsym(RTLD_DEFAULT, "malloc"), &info) == 0) {
    return 1;
  }
  std::puts(info.dli_fname);
  return 0;
}

int run_row(std::string_view name, const Settings& settings) {
  for (const Row& row : kRows) {
    if (row.name == name) {
      std::printf("%.3f\n", row.run(settings, row.size, row.second));
      return 0;
    }
  }
  std::fprintf(stderr, "rows: no such row\n");
  return 2;
}

}  // namespace
}  // namespace bufpool::bench

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "LIST";
  if (what == "LIST") {
    return bufpool::bench::list_rows();
  }
  if (what == "WHO") {
    return bufpool::bench::print_owner_of_malloc();
  }
  bufpool::bench::Settings settings;
  if (argc > 2) {
    settings.target_ns = std::strtod(argv[2], nullptr) * 1e6;
  }
  if (argc > 3) {
    settings.burst_bytes = std::strtoull(argv[3], nullptr, 10) * bufpool::bench::kMiB;
  }
  return bufpool::bench::run_row(what, settings);
}
