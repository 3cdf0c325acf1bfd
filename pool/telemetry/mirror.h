// SPDX-License-Identifier: MIT
// Copies words that threads change to where readers see them.
#pragma once

#include <atomic>
#include <cstdint>

namespace bufpool {

// Stores a value that others change meanwhile: the last who stores it has seen the last change.
template <typename Value>
void mirror(std::uint64_t& word, Value value) noexcept {
  for (std::uint64_t now = value(), told = ~now; told != now; now = value()) {
    std::atomic_ref(word).store(now, std::memory_order_seq_cst);
    told = now;
  }
}

inline void mirror(std::uint64_t& word, const std::atomic<std::uint64_t>& value) noexcept {
  mirror(word, [&value] { return value.load(std::memory_order_seq_cst); });
}

}  // namespace bufpool
