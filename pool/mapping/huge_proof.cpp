// SPDX-License-Identifier: MIT
#include "pool/mapping/huge_proof.h"

#include <algorithm>
#include <array>

#include "pool/options/policy.h"
#include "pool/platform/memory.h"
#include "pool/platform/memory_limits.h"
#include "pool/platform/safe_calls.h"

namespace bufpool {
namespace {

// Returns whether pieces of [start, end) that lie evenly over it are dense.
bool looks_dense(std::uintptr_t start, std::uintptr_t end) noexcept {
  std::array<unsigned char, policy::kLookPages> seen;
  const std::size_t distance = (end - start) / platform::kPageBytes / policy::kLookPieces;
  const std::size_t pages = std::min(distance, policy::kLookPages);
  std::size_t resident = 0;
  const platform::SafeCalls safe = platform::safe_calls();
  if (safe == platform::SafeCalls::kFew) return false;
  for (std::size_t i = 0; i < policy::kLookPieces; ++i) {
    const std::uintptr_t piece = start + i * distance * platform::kPageBytes;
    if (!platform::see_resident(piece, pages, seen.data(), safe)) return false;
    resident += static_cast<std::size_t>(std::count_if(
        seen.begin(), seen.begin() + pages, [](unsigned char page) { return (page & 1) != 0; }));
  }
  return HugeGrowth::is_dense(resident, policy::kLookPieces * pages);
}

// Returns the youngest run of small pages if it is to be looked at now, or nullptr. It is not
// dropped meanwhile.
Run* choose_proof(SpanState& state) noexcept BUFPOOL_REQUIRES(state.lock) {
  Run* const proof = state.proof;
  if (proof == nullptr || !state.huge_growth.wants_look()) return nullptr;
  if (proof->cut == 0 || proof->cut != proof->span_count) return nullptr;
  ++proof->lookers;
  return proof;
}

HugeGrowth::Next pages_by_proof(SpanState& state) noexcept {
  Run* proof = nullptr;
  {
    const LockedSpans locked(state);
    if (!locked) return HugeGrowth::Next::kSmall;
    proof = choose_proof(state);
    if (proof == nullptr) return state.huge_growth.next();
  }
  const std::uintptr_t end = proof->start_of(proof->span_count, state.geometry);
  const bool dense = state.space->huge_pages().may_ask() && looks_dense(proof->start, end);
  --proof->lookers;
  const LockedSpans locked(state);
  if (!locked) return HugeGrowth::Next::kSmall;
  state.huge_growth.note_look(dense);
  return state.huge_growth.next();
}

}  // namespace

HugeGrowth::Next pages_for_next_run(SpanState& state) noexcept {
  HugePageAdvice& advice = state.space->huge_pages();
  switch (advice.choice()) {
    case HugePagesChoice::kOff:
      return HugeGrowth::Next::kSmall;
    case HugePagesChoice::kOn:
      return advice.may_ask() ? HugeGrowth::Next::kHuge : HugeGrowth::Next::kSmall;
    case HugePagesChoice::kAuto:
      break;
  }
  return pages_by_proof(state);
}

}  // namespace bufpool
