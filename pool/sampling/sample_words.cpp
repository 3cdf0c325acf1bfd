// SPDX-License-Identifier: MIT
#include "pool/sampling/sample_words.h"

namespace bufpool {

// Words that are 0 are so on a new page.
void SampleWords::tell_all() const noexcept {
  static_assert(sizeof(StatsSamples) % sizeof(std::uint64_t) == 0);
  auto* const first = reinterpret_cast<std::uint64_t*>(records_);
  auto* const last = first + sizeof(StatsSamples) / sizeof(std::uint64_t);
  for (auto* word = first; word != last; ++word) {
    if (load(*word) != 0) tell(*word);
  }
}

}  // namespace bufpool
