// SPDX-License-Identifier: MIT
// Decides whether the next run of a class has huge pages. The first touch of a huge page makes 2
// MiB resident. So only a class whose buffers are written from end to end is to have any, and only
// if it has enough of them for the rest of the page to be wanted soon:
//   1. A class that has less than policy::kLeastHugeClassBytes mapped has none.
//   2. A run of small pages is looked at once all of it was handed out. If it is dense, its class
//      has huge pages from then on. A run of huge pages proves nothing, because all of it is
//      resident.
//   3. So at least one byte in policy::kProofShare has small pages, and the youngest such run is
//      the proof. It is looked at once. While a class is sparse, all its runs are proofs, and the
//      youngest is looked at when the class has grown by a quarter.
//   4. A class that has shrunk below policy::kLeastHugeClassBytes begins anew.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool/options/policy.h"

namespace bufpool {

// A huge page of x86-64 has so many bytes.
inline constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;
static_assert(policy::kLeastHugeGain == kHugePageBytes / 8);

// Applies the rules to one class. The lock of the class guards it.
class HugeGrowth {
 public:
  // Returns whether `resident` of the `pages` pages that were looked at are enough.
  static constexpr bool is_dense(std::size_t resident, std::size_t pages) noexcept {
    return pages > 0 && resident * policy::kDenseDenominator >= pages * policy::kDenseNumerator;
  }

  // Counts a run of `bytes` bytes of address space. `huge` says whether it has huge pages.
  void add_run(std::size_t bytes, bool huge) noexcept {
    mapped_ += bytes;
    if (huge) return;
    small_ += bytes;
    if (dense_) looked_ = false;
  }

  // Counts a run no longer. Pre: add_run() was called with the same values.
  void remove_run(std::size_t bytes, bool huge) noexcept {
    mapped_ -= bytes;
    if (!huge) small_ -= bytes;
    if (mapped_ < policy::kLeastHugeClassBytes) dense_ = looked_ = false;
  }

  // Returns whether the proof is to be looked at once all of it was handed out.
  bool wants_look() const noexcept {
    if (mapped_ < policy::kLeastHugeClassBytes) return false;
    return !looked_ || (!dense_ && mapped_ - mapped_ / 5 >= looked_at_);
  }

  // Says what the look at the proof has shown.
  void note_look(bool dense) noexcept {
    dense_ = dense;
    looked_ = true;
    looked_at_ = mapped_;
  }

  // Names the pages of the next run, and says which it has.
  enum class Next : std::uint8_t {
    kSmall,
    kHuge,
    kProof,  // small pages in a class that has huge ones
  };
  Next next() const noexcept {
    if (!dense_) return Next::kSmall;
    return small_ * policy::kProofShare >= mapped_ ? Next::kHuge : Next::kProof;
  }

 private:
  std::size_t mapped_ = 0;     // bytes of all runs
  std::size_t small_ = 0;      // bytes of the runs with small pages
  std::size_t looked_at_ = 0;  // what was mapped at the last look
  bool looked_ = false;        // the proof that there is was looked at
  bool dense_ = false;         // the last proof was dense
};

}  // namespace bufpool
