// SPDX-License-Identifier: MIT
// Reads bytes as a statistics page, as the command does with pages of processes that run another
// version, that were killed, or that mean harm. All figures, texts and forms of the report are made
// of whatever was read. No byte outside of the page is read, and each line is as short as promised.
//
// The corpus has pages of real processes, of which only the first two CPUs were kept. See
// fuzz_main.h for how it is run.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/pages/stats_page_reader.h"
#include "report/report.h"
#include "tests/fuzz/fuzz_main.h"

namespace bufpool {
namespace {

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "stats_page: %s\n", what);
  std::abort();
}

// Reads each figure that the page has. Returns a sum, so that none is left out.
std::uint64_t read_figures(const StatsPage& page) {
  std::uint64_t sum = page.looked_ns() + page.control().request;
  for (const StatsField& field : page.fields()) {
    sum += StatsPage::name_of(field).size() + StatsPage::unit_of(field).size();
    if (field.scope == StatsScope::kProcess) {
      sum += page.value(field);
    } else {
      for (std::uint32_t c = 0; c < page.class_count(); ++c) sum += page.value(field, c);
    }
  }
  for (std::uint32_t c = 0; c < page.class_count(); ++c) sum += page.buffer_bytes(c);
  return sum;
}

// Reads all samples. Returns a sum, so that none is left out.
std::uint64_t read_samples(const StatsPage& page) {
  if (!page.samples()) return 0;
  const PageSamples& samples = *page.samples();
  std::uint64_t sum = samples.every + samples.dropped;
  require(!samples.stacks.empty(), "there is a stack for buffers that have no other");
  for (const SampledStack& stack : samples.stacks) {
    sum += stack.gets + stack.bytes + stack.puts + stack.put_bytes + stack.held_ns;
    for (const std::uint64_t frame : stack.frames) sum += frame;
  }
  for (const SampledBuffer& buffer : samples.buffers) {
    require(buffer.stack < samples.stacks.size(), "a buffer's stack is there");
    sum += buffer.block + buffer.asked + buffer.taken_ns;
  }
  for (const StatsSampledSize& size : samples.sizes) sum += size.gets + size.bytes;
  return sum;
}

void write_reports(const StatsPage& page) {
  const Snapshot snapshot = page.snapshot();
  const std::string command = page.command();
  const std::string version = page.version();
  std::size_t lines = 0;
  auto count = [&lines](std::string_view line) {
    require(line.size() <= kLongestLine, "a line is too long");
    require(line.find('\n') == std::string_view::npos, "a line has a newline in it");
    ++lines;
  };
  for (const ReportDetail detail : {ReportDetail::kShort, ReportDetail::kFull}) {
    const ReportContext context{command, version, 1000, 1 << 20, detail};
    for (const ReportForm form : {ReportForm::kText, ReportForm::kJson, ReportForm::kPrometheus}) {
      render(snapshot, context, form, count);
    }
  }
  require(lines > 0, "the report has no line");
}

}  // namespace
}  // namespace bufpool

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bufpool;
  // A copy of exactly these bytes ends where the sanitizers know it.
  const std::vector<std::byte> bytes(reinterpret_cast<const std::byte*>(data),
                                     reinterpret_cast<const std::byte*>(data) + size);
  StatsPageFault fault{};
  const std::optional<StatsPage> page = StatsPage::parse(bytes, fault);
  require(page.has_value() == (fault == StatsPageFault::kNone), "a fault says why");
  if (!page) {
    require(!describe(fault).empty(), "each fault has a sentence");
    return 0;
  }
  require(read_figures(*page) + read_samples(*page) + page->options().size() +
                  page->control_group().size() + 1 >
              0,
          "figures are read");
  write_reports(*page);
  return 0;
}

#ifndef BUFPOOL_LIBFUZZER
namespace {

using Bytes = std::vector<std::uint8_t>;

// Values at which sums and products of offsets and counts go wrong.
std::uint64_t odd_value(std::mt19937& random, std::uint64_t now) {
  const std::uint64_t values[] = {0,          1,
                                  now - 1,    now + 1,
                                  now * 2,    ~std::uint64_t{0},
                                  0x7fffffff, 0x80000000,
                                  0xffffffff, std::uint64_t{1} << 63,
                                  random()};
  return values[random() % std::size(values)];
}

// Changes some words of the page, most of them in its front, where offsets and counts are.
void damage(Bytes& page, std::mt19937& random) {
  for (unsigned i = 0, times = 1 + random() % 6; i < times && page.size() >= 8; ++i) {
    const std::size_t width = std::size_t{1} << random() % 4;
    const std::size_t reach =
        random() % 4 != 0 ? std::min<std::size_t>(page.size(), 4096) : page.size();
    const std::size_t at = (random() % (reach - 7)) & ~(width - 1);
    std::uint64_t word = 0;
    std::memcpy(&word, &page[at], width);
    word = odd_value(random, word);
    std::memcpy(&page[at], &word, width);
  }
  if (random() % 16 == 0) page.resize(random() % (page.size() + 1));
}

std::vector<Bytes> seeds;

// Damages one of the real pages, but for what says that it is one.
Bytes make_input(unsigned number) {
  std::mt19937 random(number);
  if (seeds.empty()) return Bytes(random() % 8192, static_cast<std::uint8_t>(random()));
  const Bytes& seed = seeds[number % seeds.size()];
  Bytes page = seed;
  damage(page, random);
  const std::size_t kept = std::min(page.size(), sizeof bufpool::kStatsMagic);
  std::copy_n(seed.begin(), kept, page.begin());
  return page;
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<char* const> paths(argv + 1, static_cast<std::size_t>(argc - 1));
  for (const auto& path : bufpool::files_in(paths)) seeds.push_back(bufpool::bytes_of(path));
  return bufpool::fuzz_main(paths, make_input);
}
#endif
