// SPDX-License-Identifier: MIT
// What a process has sampled of its buffers, with the names of the calls that they came by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/pages/page_samples.h"
#include "cli/profile/address_names.h"

namespace bufpool {

// Counts of buffers, and the bytes that were asked for by them.
struct BufferCounts {
  std::uint64_t buffers = 0;
  std::uint64_t bytes = 0;

  // Adds another one.
  BufferCounts& operator+=(const BufferCounts& other) noexcept {
    buffers += other.buffers;
    bytes += other.bytes;
    return *this;
  }
};

// Samples of the buffers that came by the same calls. Times are in milliseconds.
struct ProfileStack {
  std::vector<std::size_t> frames;  // numbers of places, the innermost first; none: not known
  BufferCounts got;                 // all of them
  BufferCounts returned;            // those that came back,
  std::uint64_t returned_ms = 0;    // how long these were held, all together
  std::uint64_t longest_ms = 0;     // and the longest of these times
  BufferCounts held;                // those that are held now,
  std::uint64_t held_byte_ms = 0;   // their bytes, each times how long it is held so far
  std::uint64_t oldest_ms = 0;      // and how long the first of them is held
  BufferCounts old;  // those that are held since the first half of the process's life

  // Estimates of what the samples stand for.
  BufferCounts all_got;
  BufferCounts all_held;
  BufferCounts all_old;
  // Bytes times the seconds that each buffer was or is held so far.
  std::uint64_t byte_seconds = 0;
};

// Samples of one size: `bytes` at most, and more than that of the size before.
struct ProfileSize {
  std::uint64_t buffer_bytes = 0;
  BufferCounts got;
};

struct Profile {
  std::uint64_t every_bytes = 0;  // between two samples, on average
  std::uint64_t dropped = 0;      // samples that there was no room for
  std::uint64_t life_ms = 0;      // how long the process has had a page
  std::vector<CodePlace> places;
  // The first one is for all that there was no room for.
  std::vector<ProfileStack> stacks;
  std::vector<ProfileSize> sizes;
  std::string maps;  // the lines of /proc/PID/maps that are code, where they are known
};

// The moment that a page was read at.
struct ReadingTime {
  std::uint64_t now_ns = 0;  // CLOCK_MONOTONIC
  std::uint64_t life_ms = 0;
};
// Returns it for a page that was read just now.
[[nodiscard]] ReadingTime reading_time(std::uint64_t life_ms);
// Returns the latest moment that the samples tell of, for what a process left.
[[nodiscard]] ReadingTime last_time(const PageSamples& samples, std::uint64_t life_ms);

// Returns the profile with the names that are known of the process's code.
[[nodiscard]] Profile profile_of(const PageSamples& samples, const ReadingTime& time,
                                 AddressNames& names);

// Returns what samples stand for of which only the sums are known: one of `size` bytes is taken
// with the probability 1 - exp(-size / every). The mean stands for the size of each.
[[nodiscard]] BufferCounts estimated(const BufferCounts& samples, std::uint64_t every_bytes);
// Returns the longest time that one of the stack's buffers was or is held so far.
[[nodiscard]] std::uint64_t longest_ms(const ProfileStack& stack);

// Returns a profile in which stacks of the same functions are one, wherever in them the calls are.
[[nodiscard]] Profile by_functions(const Profile& profile);
// Returns a profile with the stacks that hold most, and those whose buffers are held longest:
// `most` together. All others are in the first one.
[[nodiscard]] Profile shortened(const Profile& profile, std::size_t most);

}  // namespace bufpool
