// SPDX-License-Identifier: MIT
// `bufpool load`: a load test of the pool, or of libc's allocator to compare with.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>

#include "cli/figures/target.h"
#include "cli/formatted.h"
#include "cli/loading/workload.h"
#include "cli/pages/process_reader.h"
#include "cli/processes/proc_files.h"
#include "cli/steering/library.h"
#include "cli/texts/sizes.h"
#include "cli/texts/table.h"
#include "cli/verbs.h"

namespace bufpool {
namespace {

struct Options {
  Workload load;
  std::string sizes = "4K,64K,1M";
  std::string recording;
  std::string format = "text";
  std::string allocator = "bufpool";
  std::uint64_t hold_ms = 0;
  bool has_histogram = false;
};

// The sizes that a recorded process asked for: the mean of each class, as often as it was asked
// for.
std::vector<std::uint64_t> recorded_sizes(const std::string& path) {
  constexpr double kEntries = 4096;
  const Sample sample = samples_of_one(samples_in_file(path), "").back();
  double gets = 0;
  for (const ClassSnapshot& row : sample.snapshot.classes) gets += static_cast<double>(row.gets);
  std::vector<std::uint64_t> sizes;
  for (const ClassSnapshot& row : sample.snapshot.classes) {
    if (row.gets == 0) continue;
    const double share = static_cast<double>(row.gets) / gets;
    const auto times = std::max<std::size_t>(static_cast<std::size_t>(share * kEntries), 1);
    sizes.insert(sizes.end(), times, std::max<std::uint64_t>(row.asked / row.gets, 1));
  }
  if (sizes.empty()) fail("{}: no buffers were asked for in it", path);
  return sizes;
}

// The words of this command itself, as the kernel has them.
std::vector<std::string> own_words() {
  const std::string text = read_text_or_empty("/proc/self/cmdline");
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size(); at += words.back().size() + 1) {
    words.emplace_back(text.c_str() + at);
  }
  if (words.empty()) fail("/proc/self/cmdline cannot be read: is /proc mounted?");
  // By the path of the file the process has its name. The file may have been replaced meanwhile.
  const std::string own = own_file();
  words[0] = access(own.c_str(), X_OK) == 0 ? own : "/proc/self/exe";
  return words;
}

// Starts this command again with the library or without it, unless that is how it runs.
void take_allocator(const Options& options) {
  const bool is_wanted = options.allocator == "bufpool";
  if (has_library(read_text_or_empty("/proc/self/maps")) == is_wanted) return;
  if (std::getenv("LOAD_OF_BUFPOOL") != nullptr) {
    fail("{} does not come to serve malloc; try: bufpool doctor", options.allocator);
  }
  setenv("BUFPOOL_REPORT", "off", 0);
  if (is_wanted) {
    preload(library_path());
  } else {
    unsetenv("LD_PRELOAD");
  }
  setenv("LOAD_OF_BUFPOOL", "1", 1);
  execute(own_words());
}

// Says twice a second how far it is, as long as it lives and stderr is a terminal.
class ProgressLine {
 public:
  ProgressLine(const Workload& load, const std::atomic<std::uint64_t>& gets) {
    if (isatty(STDERR_FILENO) != 1) return;
    thread_ = std::thread([this, &load, &gets] { tell(load, gets); });
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard guard(lock_);
      is_done_ = true;
    }
    wake_.notify_all();
    thread_.join();
    print_error("\r\x1b[K");
  }

 private:
  void tell(const Workload& load, const std::atomic<std::uint64_t>& gets) {
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    std::unique_lock guard(lock_);
    while (!wake_.wait_for(guard, std::chrono::milliseconds(500), [this] { return is_done_; })) {
      const auto elapsed =
          std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count();
      const auto elapsed_ms = static_cast<std::uint64_t>(elapsed);
      const std::uint64_t now = gets.load(std::memory_order_relaxed);
      print_error("\r\x1b[K{:.1f} s of {:.1f} s, {} gets, {} a second",
                  static_cast<double>(elapsed_ms) / 1000,
                  static_cast<double>(load.duration_ms) / 1000, short_count(now),
                  short_count(now * 1000 / std::max<std::uint64_t>(elapsed_ms, 1)));
    }
  }

  std::mutex lock_;
  std::condition_variable wake_;
  bool is_done_ = false;
  std::thread thread_;
};

std::uint64_t most_resident() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) << 10;
}

struct Part {
  std::string_view name;
  std::uint64_t parts;  // of a million
};
constexpr Part kParts[] = {{"p50", 500'000},   {"p90", 900'000},    {"p99", 990'000},
                           {"p99.9", 999'000}, {"p99.99", 999'900}, {"max", 1'000'000}};

void print_histogram(std::string_view name, const Latency& latency) {
  constexpr double kWidth = 50;
  std::uint64_t most = 1;
  latency.for_each([&](auto, auto, std::uint64_t count) { most = std::max(most, count); });
  print_out("\n{}\n", bold(formatted("{} ns", name)));
  latency.for_each([&](std::uint64_t from, std::uint64_t, std::uint64_t count) {
    const double share = static_cast<double>(count) / static_cast<double>(most);
    print_out("{:>12} {:>12} {}\n", from, count,
              std::string(static_cast<std::size_t>(share * kWidth), '*'));
  });
}

void print_text(const Options& options, const LoadResult& result) {
  const std::uint64_t gets = result.gets.count();
  print_out("{}: {} threads, {} gets in {:.1f} s, {} a second, {} asked for; resident at most {}\n",
            options.allocator, options.load.threads, short_count(gets),
            static_cast<double>(result.elapsed_ms) / 1000,
            short_count(gets * 1000 / std::max<std::uint64_t>(result.elapsed_ms, 1)),
            short_bytes(result.bytes), short_bytes(most_resident()));
  if (result.refused != 0) print_out("{} gets were refused\n", result.refused);
  std::vector<Heading> headings{{"ns", Align::kLeft}};
  for (const Part& part : kParts) headings.push_back({part.name});
  Table table(headings);
  for (const auto* const latency : {&result.gets, &result.puts}) {
    std::vector<std::string> cells{latency == &result.gets ? "malloc" : "free"};
    for (const Part& part : kParts) cells.push_back(std::to_string(latency->within(part.parts)));
    table.add(cells);
  }
  table.print();
  print_out("each has {} ns of the clock in it\n", clock_price());
  if (!options.has_histogram) return;
  print_histogram("malloc", result.gets);
  print_histogram("free", result.puts);
}

std::string json_of(std::string_view name, const Latency& latency) {
  std::string text = formatted("\"{}_ns\": {{", name);
  for (const Part& part : kParts) {
    text += formatted("\"{}\": {}, ", part.name, latency.within(part.parts));
  }
  text += "\"histogram\": [";
  bool is_first = true;
  latency.for_each([&](std::uint64_t from, std::uint64_t to, std::uint64_t count) {
    text += formatted("{}[{}, {}, {}]", is_first ? "" : ", ", from, to, count);
    is_first = false;
  });
  return text + "]}";
}

void print_json(const Options& options, const LoadResult& result) {
  print_out(
      "{{\"schema\": 1, \"allocator\": \"{}\", \"threads\": {}, \"seed\": {}, "
      "\"elapsed_ms\": {}, \"gets\": {}, \"refused\": {}, \"asked_bytes\": {}, "
      "\"most_resident_bytes\": {}, \"clock_ns\": {},\n",
      options.allocator, options.load.threads, options.load.seed, result.elapsed_ms,
      result.gets.count(), result.refused, result.bytes, most_resident(), clock_price());
  print_out("{},\n{}}}\n", json_of("malloc", result.gets), json_of("free", result.puts));
}

void check(const Options& options) {
  constexpr std::uint64_t kMostThreads = 4096;
  if (options.load.threads == 0 || options.load.threads > kMostThreads) {
    fail("--threads {}: it is a number from 1 to {}", options.load.threads, kMostThreads);
  }
  if (options.load.sizes.empty()) {
    fail("--sizes {}: it is a list of sizes, such as 4K,64K or 1K-1M", options.sizes);
  }
}

ExitCode load(Options& options) {
  options.load.sizes =
      options.recording.empty() ? sizes_in(options.sizes) : recorded_sizes(options.recording);
  options.load.hold_us = options.hold_ms * 1000;
  check(options);
  take_allocator(options);
  std::atomic<std::uint64_t> gets{0};
  LoadResult result;
  {
    const ProgressLine line(options.load, gets);
    result = run_load(options.load, gets);
  }
  if (options.format == "json") {
    print_json(options, result);
  } else {
    print_text(options, result);
  }
  return ExitCode::kGood;
}

Action prepare(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  Workload& load_options = options->load;
  arguments.number("-t,--threads", load_options.threads, "how many threads get and put buffers");
  arguments.text("--sizes", options->sizes, "LIST", "sizes, such as 64K or 4K,64K or 1K-1M");
  arguments.text("--from", options->recording, "FILE",
                 "take the sizes that the process of a recording or a report asked for");
  arguments.duration("-d,--duration", load_options.duration_ms, "how long it takes");
  arguments.duration("--hold", options->hold_ms, "how long a buffer is held");
  arguments.size("--memory", load_options.most_bytes,
                 "the most bytes held at once; then the oldest go earlier");
  arguments.number("--seed", load_options.seed, "the start of what is left to chance");
  arguments.flag("--fill", load_options.is_filled, "write each buffer from end to end");
  arguments.choice("--allocator", options->allocator, {"bufpool", "libc"}, "what serves malloc");
  arguments.choice("-f,--format", options->format, {"text", "json"}, "the form of the result");
  arguments.flag("--histogram", options->has_histogram, "show how long how many calls took");
  return [options] { return load(*options); };
}

}  // namespace

extern const Verb kLoadVerb{"load", "a load test of the pool, with the times of malloc and free",
                            "bufpool load --sizes 4K,64K --duration 200ms\n"
                            "bufpool load --sizes 1K-1M -t 1 -d 200ms --hold 1ms --histogram\n"
                            "bufpool load --from $FILE -d 200ms --allocator libc --format json",
                            prepare};

}  // namespace bufpool
