// SPDX-License-Identifier: MIT
// Tests the sequences themselves, on a stack of tokens. Whatever interrupts them, none is lost and
// none comes twice.
#include "pool/percpu/cpu_slabs.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/time.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "pool/percpu/cpu_cache.h"
#include "pool/platform/memory.h"
#include "pool/platform/sequences.h"
#include "tests/unit/in_child.h"

namespace bufpool {
namespace {

constexpr std::uint32_t kTokens = 64;
constexpr ClassIndex kClass = kFirstClass;

// It has a stack for each CPU, and says who has which token. Tokens are 1..kTokens.
struct Bench {
  Bench() {
    for (std::uint32_t cpu = 0; cpu < kCpus; ++cpu) {
      slabs[cpu] = reinterpret_cast<std::uintptr_t>(platform::map(kSlabLayout.bytes));
      reach[cpu] = slabs[cpu] - reinterpret_cast<std::uintptr_t>(empty_slab);
      open_slab(slabs[cpu]);
      stack_of(slabs[cpu], kClass).limit = bottom_of(kClass) + kTokens;
    }
  }
  ~Bench() {
    for (const std::uintptr_t slab : slabs) {
      platform::unreserve(reinterpret_cast<void*>(slab), kSlabLayout.bytes);
    }
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  static std::uintptr_t stack() {
    return reinterpret_cast<std::uintptr_t>(empty_slab) + kSlabLayout.stack[to_number(kClass)];
  }
  static RseqArea* area() { return static_cast<RseqArea*>(platform::rseq_area()); }

  // An aborted sequence looks like one that found nothing. Three in a row found nothing.
  template <typename Sequence>
  static auto first_of_three(Sequence sequence) {
    auto result = sequence();
    for (int i = 0; i < 2 && !result; ++i) result = sequence();
    return result;
  }
  // A token is a number that stands for a block; 0 is none.
  std::uint64_t pop(std::uint64_t asked = 0) {
    return first_of_three(
        [&] { return to_address(rseq_pop(area(), reach.data(), stack(), asked)); });
  }
  std::uint64_t pop_unseen() {
    return first_of_three(
        [&] { return to_address(rseq_pop_uncounted(area(), reach.data(), stack())); });
  }
  bool push(std::uint64_t token) {
    return first_of_three([&] { return rseq_push(area(), reach.data(), stack(), Block{token}); });
  }

  bool push_unseen(std::uint64_t token) {
    return first_of_three(
        [&] { return rseq_push_uncounted(area(), reach.data(), stack(), Block{token}); });
  }

  // Passes a token by way of the stack: takes one, checks that it is nobody's, and puts it back.
  void pass_one() {
    const std::uint64_t token = pop();
    if (token == 0) return;
    ++popped;
    if (token > kTokens || owned[token].exchange(true)) ++clashes;
    owned[token % (kTokens + 1)] = false;
    while (!push(token)) ++full;
  }

  // Sums up every CPU's header. It only reads, so no sequence is disturbed.
  std::uint64_t hits() const {
    std::uint64_t sum = 0;
    for (const std::uintptr_t slab : slabs) sum += hits_of(stack_of(slab, kClass).header);
    return sum;
  }

  // Returns how often each token is on a stack. Pre: nobody else uses the stacks.
  std::array<int, kTokens + 1> census() const {
    std::array<int, kTokens + 1> count{};
    for (const std::uintptr_t slab : slabs) {
      Stack& stack = stack_of(slab, kClass);
      const Block* const tokens = blocks_of(stack, kClass);
      for (std::uint32_t i = 0; i < depth_of(stack.header, kClass); ++i) {
        ++count[to_address(tokens[i]) % (kTokens + 1)];
      }
    }
    return count;
  }

  static constexpr std::uint32_t kCpus = 64;
  std::array<std::uintptr_t, kCpus> slabs{};
  std::vector<SlabDistance> reach = std::vector<SlabDistance>(kMaxCpus + 1);
  std::array<std::atomic<bool>, kTokens + 1> owned{};
  std::atomic<std::uint64_t> popped{0};
  std::atomic<std::uint64_t> full{0};
  std::atomic<int> clashes{0};
};

bool sequences_are_served() {
  const RseqArea* area = Bench::area();
  return kHaveSequences && area != nullptr && area->cpu_id < Bench::kCpus;
}

void pin_to_this_cpu() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
}

class PercpuRseqTest : public testing::Test {
 protected:
  void SetUp() override {
    if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer does not understand sequences";
    if (!sequences_are_served()) GTEST_SKIP() << "no restartable sequences here";
    sched_getaffinity(0, sizeof before_, &before_);
    bench_ = std::make_unique<Bench>();
  }
  void TearDown() override {
    if (bench_) sched_setaffinity(0, sizeof before_, &before_);
  }

  void expect_all_tokens() {
    EXPECT_EQ(bench_->clashes, 0);
    EXPECT_EQ(bench_->hits(), bench_->popped) << "the commit counts";
    const auto count = bench_->census();
    for (std::uint32_t token = 1; token <= kTokens; ++token) EXPECT_EQ(count[token], 1) << token;
  }

  // Passes tokens in `threads` threads, for `milliseconds` and until `enough()`.
  template <typename Condition>
  void hammer_until(int threads, int milliseconds, Condition enough) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
    std::vector<std::thread> running;
    for (int t = 0; t < threads; ++t) {
      running.emplace_back([=, this] {
        while (std::chrono::steady_clock::now() < end || !enough()) {
          for (int i = 0; i < 1000; ++i) bench_->pass_one();
        }
      });
    }
    for (std::thread& thread : running) thread.join();
  }
  void hammer(int threads, int milliseconds) {
    hammer_until(threads, milliseconds, [] { return true; });
  }

  cpu_set_t before_;
  std::unique_ptr<Bench> bench_;
};

TEST_F(PercpuRseqTest, LastInFirstOutUpToTheLimit) {
  pin_to_this_cpu();
  EXPECT_EQ(bench_->pop(), 0U);
  for (std::uint64_t token = 1; token <= kTokens; ++token) EXPECT_TRUE(bench_->push(token));
  EXPECT_FALSE(bench_->push(99));
  for (std::uint64_t token = kTokens; token >= 1; --token) EXPECT_EQ(bench_->pop(10), token);
  EXPECT_EQ(bench_->pop(), 0U);
  EXPECT_EQ(bench_->hits(), kTokens);
  std::uint64_t asked = 0;
  for (const std::uintptr_t slab : bench_->slabs) asked += stack_of(slab, kClass).asked;
  EXPECT_EQ(asked, 10U * kTokens);
}

// The record of each stack tells what a reader of the statistics page sums up.
TEST_F(PercpuRseqTest, RecordsCountHitsAndMoves) {
  const auto expect = [&](std::uint64_t depth, std::uint64_t hits, std::uint64_t moved) {
    StatsStack sum{};
    for (const std::uintptr_t slab : bench_->slabs) {
      const Stack& stack = stack_of(slab, kClass);
      EXPECT_EQ(stack.bottom, bottom_of(kClass));
      sum.header += stack.header - stack.bottom;
      sum.moved += stack.moved;
    }
    EXPECT_EQ(sum.header, hits * kOneHit + depth);
    EXPECT_EQ(sum.moved, moved);
  };
  pin_to_this_cpu();
  ASSERT_TRUE(bench_->push(5));
  expect(1, 0, 0);
  ASSERT_TRUE(bench_->push_unseen(6));
  expect(2, 0, 1);
  EXPECT_EQ(bench_->pop(), 6U);
  expect(1, 1, 1);
  EXPECT_EQ(bench_->pop_unseen(), 5U);
  expect(0, 1, 0);
}

TEST_F(PercpuRseqTest, AMoveIsNoHit) {
  pin_to_this_cpu();
  ASSERT_TRUE(bench_->push(5));
  EXPECT_EQ(bench_->pop_unseen(), 5U);
  EXPECT_EQ(bench_->hits(), 0U);
  EXPECT_EQ(bench_->pop_unseen(), 0U);
}

TEST_F(PercpuRseqTest, ACpuWithoutASlabIsEmptyAndFull) {
  std::fill(bench_->reach.begin(), bench_->reach.end(), 0);
  EXPECT_EQ(bench_->pop(), 0U);
  EXPECT_FALSE(bench_->push(1));
  EXPECT_EQ(stack_of(reinterpret_cast<std::uintptr_t>(empty_slab), kClass).header, 0U);
}

// There are more threads than CPUs, and all are on one, so that they are preempted anywhere.
TEST_F(PercpuRseqTest, PreemptionOnOneCpuLosesNothing) {
  pin_to_this_cpu();
  for (std::uint64_t token = 1; token <= kTokens; ++token) ASSERT_TRUE(bench_->push(token));
  hammer(16, 1500);
  EXPECT_GT(bench_->popped, 0U);
  expect_all_tokens();
}

TEST_F(PercpuRseqTest, MigrationLosesNothing) {
  for (std::uint64_t token = 1; token <= kTokens; ++token) ASSERT_TRUE(bench_->push(token));
  std::atomic<bool> stop{false};
  std::thread mover([&] {  // moves itself, with tokens in hand, from CPU to CPU
    for (std::uint32_t cpu = 0; !stop; cpu = (cpu + 1) % Bench::kCpus) {
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(cpu, &one);
      const std::uint64_t token = bench_->pop();
      if (sched_setaffinity(0, sizeof one, &one) != 0) sched_yield();
      if (token == 0) continue;
      ++bench_->popped;
      while (!bench_->push(token)) sched_yield();
    }
  });
  hammer(6, 1000);
  stop = true;
  mover.join();
  expect_all_tokens();
}

Bench* signalled = nullptr;
std::atomic<std::uint64_t> signals{0};

// Signals strike within sequences, and run sequences themselves.
TEST_F(PercpuRseqTest, SignalsLoseNothing) {
  for (std::uint64_t token = 1; token <= kTokens; ++token) ASSERT_TRUE(bench_->push(token));
  signalled = bench_.get();
  signals = 0;
  struct sigaction action {};
  struct sigaction old {};
  action.sa_handler = [](int) {
    ++signals;
    signalled->pass_one();
  };
  action.sa_flags = SA_RESTART;
  ASSERT_EQ(sigaction(SIGALRM, &action, &old), 0);
  const itimerval often{{0, 100}, {0, 100}};
  ASSERT_EQ(setitimer(ITIMER_REAL, &often, nullptr), 0);
  hammer_until(4, 1000, [] { return signals > 100; });
  const itimerval never{};
  setitimer(ITIMER_REAL, &never, nullptr);
  sigaction(SIGALRM, &old, nullptr);
  expect_all_tokens();
}

// This is the drainer's protocol. Once the pointer is swung and the sequences are aborted, the
// stack is the drainer's.
TEST_F(PercpuRseqTest, WhoSwingsThePointerAndRestartsOwnsTheStack) {
  if (!platform::restart_sequences(0)) GTEST_SKIP() << "the kernel refuses membarrier";
  for (std::uint64_t token = 1; token <= kTokens; ++token) ASSERT_TRUE(bench_->push(token));
  std::atomic<bool> stop{false};
  std::atomic<int> moved{0};
  std::thread drainer([&] {
    for (std::uint32_t cpu = 0; !stop; cpu = (cpu + 1) % 4) {
      std::atomic_ref<SlabDistance> reach(bench_->reach[cpu]);
      const SlabDistance distance = reach.exchange(0);
      if (platform::restart_sequences(cpu)) {
        const std::atomic<std::uint64_t>& header = stack_of(bench_->slabs[cpu], kClass).header;
        const std::uint64_t before = header;
        for (int i = 0; i < 1000; ++i) moved += header != before;
      }
      reach.store(distance);
    }
  });
  hammer(4, 1000);
  stop = true;
  drainer.join();
  EXPECT_EQ(moved, 0);
  expect_all_tokens();
}

}  // namespace
}  // namespace bufpool
