// SPDX-License-Identifier: MIT
#include "pool/sampling/sample_words.h"

namespace bufpool {

// Records that are not in use are zero, and so is a new page. They are left out, as there are many.
void SampleWords::tell_all() const noexcept {
  tell_record(records_->sampling);
  for (StatsSampledSize& size : records_->sizes) tell_record(size);
  tell_record(records_->stacks[0]);
  for (StatsSampledStack& stack : records_->stacks) {
    if (load(stack.hash) != 0) tell_record(stack);
  }
  for (StatsSampledBuffer& buffer : records_->buffers) {
    if (load(buffer.block) != 0) tell_record(buffer);
  }
}

template <typename Record>
void SampleWords::tell_record(Record& record) const noexcept {
  static_assert(sizeof(Record) % sizeof(std::uint64_t) == 0);
  auto* const first = reinterpret_cast<std::uint64_t*>(&record);
  for (auto* word = first; word != first + sizeof(Record) / sizeof *word; ++word) tell(*word);
}

}  // namespace bufpool
