// SPDX-License-Identifier: MIT
#include "cli/figures/target.h"

#include <errno.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "cli/command_error.h"
#include "cli/figures/json_input.h"
#include "cli/processes/proc_files.h"
#include "cli/texts/sizes.h"
#include "report/figures.h"

namespace bufpool {
namespace {

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

std::uint64_t gets_of(const Sample& sample) { return totals_of(sample.snapshot).gets; }

Sample sample_in_page(const std::string& path, const std::string& text) {
  StatsPageFault fault{};
  const auto* const bytes = reinterpret_cast<const std::byte*>(text.data());
  const std::optional<StatsPage> page = StatsPage::parse({bytes, text.size()}, fault);
  if (!page) fail("{}: {}", path, describe(fault));
  Sample sample = sample_of(*page);
  AddressNames none;
  tell_last_profile(sample, *page, none);
  return sample;
}

// Whole files are read, and those that end.
void check_file(const std::string& path) {
  constexpr off_t kMostBytes = off_t{1} << 30;
  struct stat entry = {};
  if (stat(path.c_str(), &entry) != 0) fail("{}: {}", path, std::strerror(errno));
  if (!S_ISREG(entry.st_mode)) fail("{}: it is no plain file", path);
  if (entry.st_size > kMostBytes) fail("{}: it is longer than 1G; record less often", path);
}

}  // namespace

pid_t pid_of(const std::string& text) {
  std::uint64_t number = 0;
  if (is_number(text)) {
    constexpr std::uint64_t kMostPid = std::uint64_t{1} << 22;  // PID_MAX_LIMIT
    if (!parse_number(text, number) || number == 0 || number > kMostPid) {
      fail("{}: there is no process of such a number", text);
    }
    return static_cast<pid_t>(number);
  }
  std::vector<pid_t> pids;
  for (const PooledProcess& process : list_processes().processes) {
    if (process.info.command == text || process.page.command() == text) {
      pids.push_back(process.info.pid);
    }
  }
  if (pids.size() == 1) return pids[0];
  if (pids.empty()) {
    fail(
        "{}: no process under the pool has this name, and there is no such file; `bufpool ps` "
        "lists the processes",
        printable(text));
  }
  fail("{}: {} processes have this name; say which: {}", printable(text), pids.size(),
       fmt::join(pids, ", "));
}

bool is_file_name(const std::string& text) {
  struct stat entry = {};
  return !is_number(text) && stat(text.c_str(), &entry) == 0;
}

std::vector<Sample> samples_in_file(const std::string& path) {
  check_file(path);
  int error = 0;
  const std::optional<std::string> text = read_text(path, error);
  if (!text) fail("{}: it cannot be read: {}", path, std::strerror(error));
  if (text->compare(0, sizeof kStatsMagic, kStatsMagic, sizeof kStatsMagic) == 0) {
    return {sample_in_page(path, *text)};
  }
  std::vector<Sample> samples = samples_in_json(path, *text);
  if (samples.empty()) {
    fail("{}: it has no figures; the process asked for no buffer, or has left no time to look",
         path);
  }
  return samples;
}

std::vector<Sample> samples_of_one(std::vector<Sample> samples, const std::string& chosen) {
  std::uint64_t pid = 0;
  if (!chosen.empty() && !parse_number(chosen, pid)) fail("--pid {}: it is no number", chosen);
  if (chosen.empty()) {
    const auto busiest =
        std::max_element(samples.begin(), samples.end(),
                         [](const Sample& a, const Sample& b) { return gets_of(a) < gets_of(b); });
    if (busiest != samples.end()) pid = busiest->snapshot.pid;
  }
  samples.erase(std::remove_if(samples.begin(), samples.end(),
                               [&](const Sample& sample) { return sample.snapshot.pid != pid; }),
                samples.end());
  if (samples.empty()) fail("--pid {}: the file has no figures of this process", chosen);
  return samples;
}

Sample sample_named(const std::string& text, const std::string& chosen) {
  if (is_file_name(text)) return samples_of_one(samples_in_file(text), chosen).back();
  const PooledProcess process = process_or_fail(pid_of(text));
  return sample_of(process.page, process.info);
}

}  // namespace bufpool
