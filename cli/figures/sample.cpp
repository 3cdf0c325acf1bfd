// SPDX-License-Identifier: MIT
#include "cli/figures/sample.h"

#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "cli/texts/serving_classes.h"
#include "cli/texts/sizes.h"

namespace bufpool {
namespace {

std::uint64_t nanoseconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

// Returns BUFPOOL_CPU_CACHE in force; auto is a CPU's part of what is kept at most. A page of an
// older library does not say how many CPUs share that: it is taken for all that are there.
std::uint64_t cpu_cache_of(const StatsPage& page, const Snapshot& snapshot) {
  constexpr std::uint64_t kLeast = std::uint64_t{256} << 10;
  for (const StatsPage::Option& option : page.options()) {
    std::uint64_t bytes = 0;
    if (option.name == "CPU_CACHE" && parse_size(option.value, bytes)) return bytes;
  }
  const std::uint32_t told = page.header().caches;
  const long caches = told != 0 ? told : std::max(1L, sysconf(_SC_NPROCESSORS_ONLN));
  return std::max(snapshot.budget_max / static_cast<std::uint64_t>(caches), kLeast);
}

// Empty where the page has no such option, as its value was too long.
std::string_view option_in(const StatsPage& page, std::string_view name) {
  for (const StatsPage::Option& option : page.options()) {
    if (option.name == name) return option.value;
  }
  return {};
}

// The clock that the page's times are of is ahead of this process's by `lead_ns`.
std::uint64_t uptime_ms(const StatsPage& page, std::int64_t lead_ns) {
  const std::uint64_t now = boot_ns() + static_cast<std::uint64_t>(lead_ns);
  const std::uint64_t then = page.header().boot_ns;
  return now > then ? (now - then) / 1'000'000 : 0;
}

}  // namespace

std::uint64_t now_ms() { return nanoseconds(CLOCK_REALTIME) / 1'000'000; }

std::uint64_t boot_ns() { return nanoseconds(CLOCK_BOOTTIME); }

Sample sample_of(const StatsPage& page) {
  Sample sample;
  sample.time_ms = now_ms();
  sample.uptime_ms = uptime_ms(page, 0);
  sample.command = page.command();
  sample.version = page.version();
  sample.snapshot = page.snapshot();
  if (sample.snapshot.mode != PoolMode::kPassThrough) {
    add_serving_classes(sample.snapshot, {.classes = option_in(page, "CLASSES"),
                                          .min_size = option_in(page, "MIN_SIZE"),
                                          .max_size = option_in(page, "MAX_SIZE")});
  }
  sample.cpu_cache_bytes = cpu_cache_of(page, sample.snapshot);
  return sample;
}

Sample sample_of(const StatsPage& page, const ProcessInfo& info) {
  Sample sample = sample_of(page);
  sample.snapshot.pid = static_cast<std::uint32_t>(info.pid);
  tell_use(sample, page, info);
  return sample;
}

void tell_profile(Sample& sample, const StatsPage& page, AddressNames& names) {
  if (!page.samples()) return;
  sample.profile = profile_of(*page.samples(), reading_time(sample.uptime_ms), names);
}

void tell_last_profile(Sample& sample, const StatsPage& page, AddressNames& names) {
  if (!page.samples()) return;
  sample.profile = profile_of(*page.samples(), last_time(*page.samples(), sample.uptime_ms), names);
}

void tell_profile(Sample& sample, const PooledProcess& process) {
  if (!process.page.samples()) return;
  AddressNames names;
  std::string code = AddressNames::code_lines(process.info.pid);
  // A process that has executed another program since has the code of that one.
  if (still_has_page(process)) names.use(process.info.pid, std::move(code));
  tell_profile(sample, process.page, names);
}

void tell_use(Sample& sample, const StatsPage& page, const ProcessInfo& info) {
  if (info.clock_lead_ns != 0) sample.uptime_ms = uptime_ms(page, info.clock_lead_ns);
  if (info.resident_bytes != 0) sample.snapshot.resident = info.resident_bytes;
  if (info.resident_peak_bytes != 0) sample.snapshot.resident_peak = info.resident_peak_bytes;
  if (info.cpu_ms != 0) sample.snapshot.cpu_time = info.cpu_ms;
}

}  // namespace bufpool
