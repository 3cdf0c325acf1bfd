// SPDX-License-Identifier: MIT
#include "cli/pages/page_source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "cli/formatted.h"
#include "cli/processes/proc_files.h"

namespace bufpool {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20;

std::uint64_t file_bytes(const Descriptor& file) {
  struct stat now = {};
  return fstat(file.number(), &now) == 0 && S_ISREG(now.st_mode)
             ? static_cast<std::uint64_t>(now.st_size)
             : 0;
}

// How many CPUs the machine may ever have; 0: not known. The file is a list such as 0-63.
std::uint32_t possible_cpus() {
  static const std::uint32_t count = [] {
    const std::string text = read_text_or_empty("/sys/devices/system/cpu/possible");
    const std::size_t at = text.find_last_of(",-");
    const std::string last = at == std::string::npos ? text : text.substr(at + 1);
    return last.empty() ? 0
                        : static_cast<std::uint32_t>(std::strtoul(last.c_str(), nullptr, 10)) + 1;
  }();
  return count;
}

// Where the samples end; 0: the page has none, or is of a version without.
std::uint64_t end_of_samples(const StatsHeader& header) {
  if (header.header_bytes < sizeof(StatsHeader) || header.sampling == 0) return 0;
  std::uint64_t end = std::uint64_t{header.sampling} + sizeof(StatsSampling);
  for (const StatsArea* area :
       {&header.sampled_stacks, &header.sampled_buffers, &header.sampled_sizes}) {
    end = std::max(end, std::uint64_t{area->at} + std::uint64_t{area->count} * area->stride);
  }
  return end;
}

}  // namespace

PageSource::PageSource(pid_t pid, const PageMapping& mapping)
    : bytes_(mapping.end - mapping.start), is_here_(true) {
  const std::string name = formatted("map_files/{:x}-{:x}", mapping.start, mapping.end);
  const std::string path = proc_path(pid, name);
  file_ = Descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file_.is_open() && !mapping.path.empty()) {
    const std::string seen = proc_path(pid, "root" + mapping.path);
    file_ = Descriptor(open(seen.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  }
  if (file_.is_open()) {
    bytes_ = std::min(bytes_, file_bytes(file_));
  } else {
    start_ = mapping.start;
    memory_ = Descriptor(open(proc_path(pid, "mem").c_str(), O_RDONLY | O_CLOEXEC));
    if (!memory_.is_open()) memory_error_ = errno;
  }
}

PageSource PageSource::of_file(const std::string& path) {
  PageSource source;
  constexpr int kHow = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  source.file_ = Descriptor(open(path.c_str(), kHow));
  return source;
}

bool PageSource::is_held() const noexcept {
  if (!file_.is_open()) return true;
  if (flock(file_.number(), LOCK_SH | LOCK_NB) != 0) return errno == EWOULDBLOCK;
  flock(file_.number(), LOCK_UN);
  return false;
}

bool PageSource::read_at(std::uint64_t offset, std::span<std::byte> bytes, int& error) const {
  if (!is_open()) error = memory_error_;
  if (!is_open()) return false;
  const int from = file_.is_open() ? file_.number() : memory_.number();
  if (!file_.is_open()) offset += start_;
  while (!bytes.empty()) {
    const ssize_t got = pread(from, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    // The memory of a process that has ended has no bytes.
    if (got <= 0) error = got < 0 ? errno : ESRCH;
    if (got <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return true;
}

// The page has areas for more CPUs than there can be, which are never written. To read them in the
// process's memory would give them pages.
std::uint64_t PageSource::worth_reading(const StatsHeader& header, std::uint64_t size,
                                        PageParts parts) const {
  const StatsArea& shards = header.shards;
  const std::uint64_t all = std::uint64_t{shards.at} + std::uint64_t{shards.count} * shards.stride;
  if (!is_here_ || possible_cpus() == 0 || all > size || all > header.page_bytes) return size;
  if (header.mode != static_cast<std::uint32_t>(PoolMode::kRseq)) return size;
  const std::uint64_t used = std::min(shards.count, possible_cpus());
  const std::uint64_t end = std::max({std::uint64_t{shards.at} + used * shards.stride,
                                      parts == PageParts::kFigures ? 0 : end_of_samples(header),
                                      std::uint64_t{header.control} + sizeof(StatsControl),
                                      std::uint64_t{header.options.at} + header.options.count});
  return std::min(end, size);
}

std::optional<StatsPage> PageSource::read_once(StatsPageFault& fault, int& error,
                                               PageParts parts) const {
  error = 0;
  fault = StatsPageFault::kNone;
  // A file that was opened while it was made may have grown.
  const std::uint64_t size = file_.is_open() && !is_here_ ? file_bytes(file_) : bytes_;
  std::vector<std::byte> bytes(std::min(size, kMostBytes));
  const std::span<std::byte> all(bytes);
  const std::size_t front = std::min(all.size(), sizeof(StatsHeader));
  if (!read_at(0, all.first(front), error)) return std::nullopt;
  std::size_t wanted = all.size();
  if (front == sizeof(StatsHeader)) {
    StatsHeader header;
    std::memcpy(&header, bytes.data(), sizeof header);
    const bool is_page = std::memcmp(header.magic, kStatsMagic, sizeof kStatsMagic) == 0;
    wanted =
        is_page ? std::max<std::size_t>(front, worth_reading(header, all.size(), parts)) : front;
    wanted = std::min(wanted, all.size());
  }
  // The front is read again: what it says of the process's own words belongs to the rest.
  if (!read_at(0, all.first(wanted), error)) return std::nullopt;
  return StatsPage::parse(bytes, fault, parts);
}

std::optional<StatsPage> PageSource::read(StatsPageFault& fault, int& error,
                                          PageParts parts) const {
  constexpr int kTries = 20;
  std::optional<StatsPage> page;
  for (int i = 0; i < kTries; ++i) {
    page = read_once(fault, error, parts);
    if (page.has_value() ? !page->is_torn() : fault != StatsPageFault::kNotReady) break;
    usleep(50);
  }
  return page;
}

}  // namespace bufpool
