// SPDX-License-Identifier: MIT
// A load of buffers: threads that get, hold and put them, as fast as they can.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/loading/latency.h"

namespace bufpool {

struct Workload {
  std::vector<std::uint64_t> sizes;  // a thread takes one by chance, each as often as the others
  std::uint64_t threads = 2;
  std::uint64_t duration_ms = 5000;
  std::uint64_t hold_us = 0;              // how long a buffer is held
  std::uint64_t most_bytes = 256U << 20;  // held by all threads; then the oldest go earlier
  std::uint64_t seed = 1;
  bool is_filled = false;  // each buffer is written from end to end
};

struct LoadResult {
  Latency gets;
  Latency puts;
  std::uint64_t bytes = 0;    // asked for
  std::uint64_t refused = 0;  // gets that returned nothing
  std::uint64_t elapsed_ms = 0;
};

// Runs it. `progress` is the number of gets so far, for a reader in another thread.
[[nodiscard]] LoadResult run_load(const Workload& load, std::atomic<std::uint64_t>& progress);

// Returns the nanoseconds that a look at the clock takes at least: each time contains it.
[[nodiscard]] std::uint64_t clock_price();

// Reads sizes such as "64K", "4K,64K" or "1K-1M", of which all doublings are as likely. Returns an
// empty list if the text is none.
[[nodiscard]] std::vector<std::uint64_t> sizes_in(const std::string& text);

}  // namespace bufpool
