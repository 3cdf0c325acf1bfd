// SPDX-License-Identifier: MIT
// Allocates in its constructor, for before_constructors_from_library.
#include "tests/programs/promise.h"

namespace {

std::array<void*, promise::kSizes.size()> buffers;

[[gnu::constructor(101)]] void allocate() {
  for (unsigned i = 0; i < buffers.size(); ++i) {
    promise::use(promise::kSizes[i], 3);
    buffers[i] = promise::get<void>(promise::kSizes[i]);
    promise::fill(buffers[i], promise::kSizes[i], i);
  }
}

}  // namespace

extern "C" void** early_buffers() { return buffers.data(); }
