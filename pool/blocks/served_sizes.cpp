// SPDX-License-Identifier: MIT
#include "pool/blocks/served_sizes.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace bufpool {
namespace {

// Buffers of this size and more start on a cache line of their own.
constexpr std::size_t kLeastLined = 1024 - 128 + kHeaderRoom + 1;
static_assert(gap_bytes(class_step(kLeastLined)) >= kLine);
static_assert(gap_bytes(class_step(kLeastLined - 1)) == 16);

}  // namespace

void ServedSizes::choose(const Options& options) noexcept {
  std::array<bool, kClassSlots> in_use{};
  std::string_view list = options.classes;
  std::uint64_t size = 0;
  const bool all = list.empty();
  while (next_size(list, size)) in_use[std::max(to_number(class_step(size)), 1u)] = true;

  ClassIndex server{0};
  std::size_t most = 0;
  for (std::uint32_t i = to_number(kLastClass) + 1; i-- > 0;) {
    if (i > 0 && (all || in_use[i])) server = ClassIndex{i};
    if (server == ClassIndex{0}) continue;
    most = std::max(most, buffer_bytes(server));
    servers_[i] = server;
  }
  most_ = std::min(most, options.max_size + kHeaderRoom);
  least_ = options.min_size;
}

void ServedSizes::open() noexcept {
  range_ = {.least = least_, .count = most_ >= least_ ? most_ - least_ + 1 : 0};
}

std::size_t ServedSizes::bytes_to_align(std::size_t alignment, std::size_t size) noexcept {
  if (alignment <= 16) return size;
  // A buffer on a line is at most this far below the aligned address that follows it.
  const std::size_t most_skipped = alignment <= kLine ? 0 : alignment - kLine;
  return std::max(size + most_skipped, kLeastLined);
}

}  // namespace bufpool
