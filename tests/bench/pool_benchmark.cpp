// SPDX-License-Identifier: MIT
// Shows what one process can show of the allocator that LD_PRELOAD brought in, with Google
// Benchmark's own options (--benchmark_filter, --benchmark_repetitions, --benchmark_format). It
// makes ordinary calls of malloc, so that it runs under any allocator:
//   LD_PRELOAD=build/libbufpool.so BUFPOOL_REPORT=off build/tests/bench/pool_benchmark
// One process runs all rows, so a row meets what the rows before it left behind. scripts/bench has
// a fresh process for each row, and the figures that are promised.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdlib>
#include <cstring>

#include "tests/bench/measure.h"

namespace bufpool::bench {
namespace {

void pair(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    void* const buffer = std::malloc(size);
    keep(buffer);
    std::free(buffer);
  }
}

void zeroed_pair(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    void* const buffer = std::calloc(1, size);
    keep(buffer);
    std::free(buffer);
  }
}

void aligned_pair(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    void* const buffer = std::aligned_alloc(kPage, size);
    keep(buffer);
    std::free(buffer);
  }
}

// Holds 64 live buffers for each thread. One of them is replaced at random each time, and its pages
// are written.
void replace_one_of_64(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  std::array<char*, 64> live{};
  XorShift dice;
  for (auto _ : state) {
    char*& slot = live[dice.next() % live.size()];
    std::free(slot);
    slot = static_cast<char*>(std::malloc(size));
    if (slot == nullptr) {
      state.SkipWithError("out of memory");
      break;
    }
    touch_pages(slot, size);
  }
  for (char* const buffer : live) {
    std::free(buffer);
  }
}

// Source and destination have headers of different lengths in front, because buffers that begin on
// a page send memcpy into its slow way on some processors.
void copy_between_two(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  auto* const from = static_cast<char*>(std::calloc(1, size));
  auto* const to = static_cast<char*>(std::calloc(1, size));
  for (auto _ : state) {
    std::memcpy(to + 13, from, size - 13);
    keep(to);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * (size - 13)));
  std::free(from);
  std::free(to);
}

void buffer_sizes(benchmark::internal::Benchmark* row) {
  row->RangeMultiplier(4)->Range(1 << 10, 16 << 20);
}

BENCHMARK(pair)->Apply(buffer_sizes);
BENCHMARK(pair)->Arg(4 << 10)->Arg(64 << 10)->Arg(1 << 20)->Threads(2)->Threads(64)->UseRealTime();
BENCHMARK(zeroed_pair)->Arg(4 << 10)->Arg(64 << 10)->Arg(1 << 20);
BENCHMARK(aligned_pair)->Arg(4 << 10)->Arg(64 << 10)->Arg(1 << 20);
BENCHMARK(replace_one_of_64)->Arg(16 << 10)->Arg(256 << 10)->ThreadRange(1, 2)->UseRealTime();
BENCHMARK(copy_between_two)->Arg(4 << 10)->Arg(64 << 10)->Arg(1 << 20);

}  // namespace
}  // namespace bufpool::bench

BENCHMARK_MAIN();
