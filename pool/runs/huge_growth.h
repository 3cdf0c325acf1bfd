// SPDX-License-Identifier: MIT
// Whether the next run of a class is to have huge pages. The first touch of a huge page makes 2 MiB
// resident, so only a class whose buffers are written from end to end, and which has enough of them
// for the rest of the page to be wanted soon, is to have any. Four rules:
//   1. A class that has less than kLeastBytes mapped has none.
//   2. A run of small pages is looked at once all of it was handed out. If it is dense, its class
//      has huge pages from then on. A run of huge pages proves nothing: all of it is resident.
//   3. So at least one byte in kProofShare has small pages, and the youngest such run is the proof.
//      It is looked at once. While a class is sparse, all its runs are proofs, and the youngest is
//      looked at when the class has grown by a quarter.
//   4. A class that has shrunk below kLeastBytes begins anew.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bufpool {

inline constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;
// Less is not worth the split of a huge page, nor to be without one.
inline constexpr std::size_t kLeastGain = kHugePageBytes / 8;

// Of one class. Its lock is held by whoever calls.
class HugeGrowth {
 public:
  static constexpr std::size_t kLeastBytes = std::size_t{4} << 20;
  static constexpr std::size_t kProofShare = 16;

  // Of `pages` that were looked at so many are resident. A class is at most a quarter larger than
  // what is asked of it, so that a run of buffers that are all written is four fifths full.
  static constexpr bool is_dense(std::size_t resident, std::size_t pages) noexcept {
    return pages > 0 && resident * 5 >= pages * 4;
  }

  void add_run(std::size_t bytes, bool huge) noexcept {
    mapped_ += bytes;
    if (huge) return;
    small_ += bytes;
    if (dense_) looked_ = false;
  }

  void remove_run(std::size_t bytes, bool huge) noexcept {
    mapped_ -= bytes;
    if (!huge) small_ -= bytes;
    if (mapped_ < kLeastBytes) dense_ = looked_ = false;
  }

  // Whether the proof is to be looked at, once all of it was handed out.
  bool wants_look() const noexcept {
    if (mapped_ < kLeastBytes) return false;
    return !looked_ || (!dense_ && mapped_ - mapped_ / 5 >= looked_at_);
  }

  void note_look(bool dense) noexcept {
    dense_ = dense;
    looked_ = true;
    looked_at_ = mapped_;
  }

  enum class Next : std::uint8_t {
    kSmall,
    kHuge,
    kProof,  // small pages in a class that has huge ones
  };
  Next next() const noexcept {
    if (!dense_) return Next::kSmall;
    return small_ * kProofShare >= mapped_ ? Next::kHuge : Next::kProof;
  }

 private:
  std::size_t mapped_ = 0;     // of all runs
  std::size_t small_ = 0;      // of those with small pages
  std::size_t looked_at_ = 0;  // what was mapped at the last look
  bool looked_ = false;        // at the proof that there is
  bool dense_ = false;         // the last proof was
};

}  // namespace bufpool
