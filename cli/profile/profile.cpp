// SPDX-License-Identifier: MIT
#include "cli/profile/profile.h"

#include <time.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "cli/processes/proc_files.h"
#include "cli/processes/process_info.h"
#include "pool/telemetry/snapshot.h"

namespace bufpool {
namespace {

constexpr std::uint64_t kNsInMs = 1'000'000;

// The names of mapped files are the process's own, and a terminal may obey what is in them.
std::string printable_lines(std::string_view text) {
  std::string lines;
  while (!text.empty()) lines += printable(take_line(text)) + "\n";
  return lines;
}

// The places of a profile, each once.
class Places {
 public:
  Places(std::vector<CodePlace>& out, AddressNames& names) : out_(out), names_(names) {}

  std::size_t number_of(std::uint64_t address) {
    const auto [at, is_new] = numbers_.try_emplace(address, out_.size());
    if (is_new) out_.push_back(names_.place_of(address));
    return at->second;
  }

 private:
  std::vector<CodePlace>& out_;
  AddressNames& names_;
  std::unordered_map<std::uint64_t, std::size_t> numbers_;
};

ProfileStack stack_of(const SampledStack& sampled, Places& places) {
  ProfileStack stack;
  for (const std::uint64_t address : sampled.frames) {
    stack.frames.push_back(places.number_of(address));
  }
  stack.got = {sampled.gets, sampled.bytes};
  stack.returned = {sampled.puts, sampled.put_bytes};
  stack.returned_ms = sampled.held_ns / kNsInMs;
  stack.longest_ms = sampled.longest_ns / kNsInMs;
  return stack;
}

// Returns how many buffers a sampled one of so many bytes stands for.
double weight_of(double bytes, std::uint64_t every_bytes) {
  if (bytes == 0 || every_bytes == 0) return 1;
  return -1 / std::expm1(-bytes / static_cast<double>(every_bytes));
}

// What a damaged file makes of it is bounded, too.
std::uint64_t rounded(double number) {
  constexpr double kMost = 9e18;
  return static_cast<std::uint64_t>(std::llround(std::min(number, kMost)));
}

// Gigabytes that are held for months, each times its milliseconds, need more than 64 bits. What
// does not fit is the largest number.
std::uint64_t bounded_sum(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? ~std::uint64_t{0} : sum;
}

std::uint64_t bounded_product(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? ~std::uint64_t{0} : product;
}

// An estimate that is not rounded yet.
struct Estimate {
  double buffers = 0;
  double bytes = 0;

  void add(double weight, std::uint64_t each_bytes) {
    buffers += weight;
    bytes += weight * static_cast<double>(each_bytes);
  }
  [[nodiscard]] BufferCounts counts() const { return {rounded(buffers), rounded(bytes)}; }
};

// What the buffers of a stack that are held now stand for.
struct HeldEstimate {
  Estimate held;
  Estimate old;
  double byte_ms = 0;
};

// A stack's buffers may be of any sizes. So each one counts by its own.
void add_held(ProfileStack& stack, HeldEstimate& all, const SampledBuffer& buffer,
              const ReadingTime& time, std::uint64_t every_bytes) {
  const std::uint64_t age_ns = time.now_ns - std::min(buffer.taken_ns, time.now_ns);
  const std::uint64_t age_ms = age_ns / kNsInMs;
  const double bytes = static_cast<double>(buffer.asked);
  const double weight = weight_of(bytes, every_bytes);
  const BufferCounts one{1, buffer.asked};
  stack.held += one;
  stack.held_byte_ms = bounded_sum(stack.held_byte_ms, bounded_product(buffer.asked, age_ms));
  stack.oldest_ms = std::max(stack.oldest_ms, age_ms);
  all.held.add(weight, buffer.asked);
  all.byte_ms += weight * bytes * static_cast<double>(age_ms);
  if (age_ms <= time.life_ms / 2) return;
  stack.old += one;
  all.old.add(weight, buffer.asked);
}

// Of the buffers that came back only the sums are known.
void add_estimates(ProfileStack& stack, const HeldEstimate& all, std::uint64_t every_bytes) {
  const BufferCounts others{stack.got.buffers - std::min(stack.held.buffers, stack.got.buffers),
                            stack.got.bytes - std::min(stack.held.bytes, stack.got.bytes)};
  stack.all_held = all.held.counts();
  stack.all_old = all.old.counts();
  stack.all_got = stack.all_held;
  stack.all_got += estimated(others, every_bytes);
  const BufferCounts& back = stack.returned;
  const double mean_ms = back.buffers == 0 ? 0
                                           : static_cast<double>(stack.returned_ms) /
                                                 static_cast<double>(back.buffers);
  const auto back_bytes = static_cast<double>(estimated(back, every_bytes).bytes);
  stack.byte_seconds = rounded((back_bytes * mean_ms + all.byte_ms) / 1000);
}

std::vector<ProfileSize> sizes_of(const std::vector<StatsSampledSize>& records) {
  std::vector<ProfileSize> sizes;
  for (std::size_t i = 1; i < std::min(records.size(), kSnapshotClasses); ++i) {
    if (records[i].gets == 0) continue;
    sizes.push_back({built_in_bytes(i), {records[i].gets, records[i].bytes}});
  }
  return sizes;
}

void add_to(ProfileStack& sum, const ProfileStack& other) {
  sum.got += other.got;
  sum.returned += other.returned;
  sum.returned_ms += other.returned_ms;
  sum.longest_ms = std::max(sum.longest_ms, other.longest_ms);
  sum.held += other.held;
  sum.held_byte_ms = bounded_sum(sum.held_byte_ms, other.held_byte_ms);
  sum.oldest_ms = std::max(sum.oldest_ms, other.oldest_ms);
  sum.old += other.old;
  sum.all_got += other.all_got;
  sum.all_held += other.all_held;
  sum.all_old += other.all_old;
  sum.byte_seconds = bounded_sum(sum.byte_seconds, other.byte_seconds);
}

// Moves the stacks that are greatest by `value` to the front of [first, last), from the greatest.
template <typename Iterator, typename Value>
Iterator greatest_first(Iterator first, Iterator last, std::size_t most, Value value) {
  const auto middle = first + std::min<std::ptrdiff_t>(last - first, static_cast<int>(most));
  std::partial_sort(first, middle, last,
                    [value](const auto& a, const auto& b) { return value(a) > value(b); });
  return middle;
}

// Leaves the places out that no stack has.
void keep_used_places(Profile& profile) {
  std::vector<CodePlace> used;
  std::unordered_map<std::size_t, std::size_t> numbers;
  for (ProfileStack& stack : profile.stacks) {
    for (std::size_t& frame : stack.frames) {
      const auto [at, is_new] = numbers.try_emplace(frame, used.size());
      if (is_new) used.push_back(profile.places[frame]);
      frame = at->second;
    }
  }
  profile.places = std::move(used);
}

}  // namespace

ReadingTime reading_time(std::uint64_t life_ms) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return {static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
              static_cast<std::uint64_t>(now.tv_nsec),
          life_ms};
}

ReadingTime last_time(const PageSamples& samples, std::uint64_t life_ms) {
  ReadingTime time = reading_time(life_ms);
  std::uint64_t last_ns = 0;
  for (const SampledBuffer& buffer : samples.buffers) last_ns = std::max(last_ns, buffer.taken_ns);
  const std::uint64_t since_ms = (time.now_ns - std::min(last_ns, time.now_ns)) / kNsInMs;
  return {last_ns, life_ms - std::min(since_ms, life_ms)};
}

Profile profile_of(const PageSamples& samples, const ReadingTime& time, AddressNames& names) {
  Profile profile;
  profile.every_bytes = samples.every;
  profile.dropped = samples.dropped;
  profile.life_ms = time.life_ms;
  profile.maps = printable_lines(names.maps());
  profile.sizes = sizes_of(samples.sizes);
  Places places(profile.places, names);
  for (const SampledStack& stack : samples.stacks) {
    profile.stacks.push_back(stack_of(stack, places));
  }
  std::vector<HeldEstimate> held(profile.stacks.size());
  for (const SampledBuffer& buffer : samples.buffers) {
    if (buffer.stack >= held.size()) continue;
    add_held(profile.stacks[buffer.stack], held[buffer.stack], buffer, time, samples.every);
  }
  for (std::size_t i = 0; i < held.size(); ++i) {
    add_estimates(profile.stacks[i], held[i], samples.every);
  }
  return profile;
}

BufferCounts estimated(const BufferCounts& samples, std::uint64_t every_bytes) {
  const auto buffers = static_cast<double>(samples.buffers);
  const auto bytes = static_cast<double>(samples.bytes);
  const double weight = buffers == 0 ? 1 : weight_of(bytes / buffers, every_bytes);
  return {rounded(buffers * weight), rounded(bytes * weight)};
}

std::uint64_t longest_ms(const ProfileStack& stack) {
  return std::max(stack.longest_ms, stack.oldest_ms);
}

Profile by_functions(const Profile& profile) {
  Profile out = profile;
  out.stacks.clear();
  std::unordered_map<std::string, std::size_t> numbers;
  for (const ProfileStack& stack : profile.stacks) {
    std::string names;
    for (const std::size_t frame : stack.frames) names += profile.places[frame].name() + "\n";
    const auto [at, is_new] = numbers.try_emplace(std::move(names), out.stacks.size());
    if (is_new) {
      out.stacks.push_back(stack);
    } else {
      add_to(out.stacks[at->second], stack);
    }
  }
  return out;
}

Profile shortened(const Profile& profile, std::size_t most) {
  Profile out = profile;
  if (out.stacks.size() <= most + 1) return out;
  const auto first = out.stacks.begin() + 1;
  const auto middle = greatest_first(first, out.stacks.end(), most / 2,
                                     [](const auto& stack) { return stack.held.bytes; });
  const auto last = greatest_first(middle, out.stacks.end(), most - most / 2,
                                   [](const auto& stack) { return longest_ms(stack); });
  std::for_each(last, out.stacks.end(),
                [&out](const auto& stack) { add_to(out.stacks[0], stack); });
  out.stacks.erase(last, out.stacks.end());
  keep_used_places(out);
  return out;
}

}  // namespace bufpool
