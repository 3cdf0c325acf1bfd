// SPDX-License-Identifier: MIT
// Declares the values of each option that is a choice. They are made of options.def. The report
// knows this file, too.
#pragma once

#include <cstdint>

namespace bufpool {

#define BUFPOOL_CHOICE(Type, member, NAME, default_value, sentence, ...) \
  enum class Type : std::uint32_t { __VA_ARGS__ };
#include "pool/options/options.def"

}  // namespace bufpool
