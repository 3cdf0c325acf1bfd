// SPDX-License-Identifier: MIT
// `bufpool profile`: who holds the memory, as far as buffers are sampled.

#include "cli/profile/profile.h"

#include <algorithm>
#include <memory>

#include "cli/figures/target.h"
#include "cli/formatted.h"
#include "cli/profile/profile_forms.h"
#include "cli/texts/whole_file.h"
#include "cli/verbs.h"

namespace bufpool {
namespace {

struct Options {
  std::string target;
  std::string format = "text";
  std::string output;
  std::string measure = "held";
  std::string pid;
  std::uint64_t top = 10;
};

// A process that lives is read for its names; a recording has them.
std::vector<Sample> samples_for(const Options& options) {
  if (is_file_name(options.target)) {
    return samples_of_one(samples_in_file(options.target), options.pid);
  }
  const PooledProcess process =
      process_or_fail(pid_of(options.target), PageParts::kFiguresAndSamples);
  Sample sample = sample_of(process.page, process.info);
  tell_profile(sample, process);
  return {std::move(sample)};
}

// Not each sample of a recording has a profile.
Sample last_with_profile(std::vector<Sample> samples, const std::string& target) {
  const auto last = std::find_if(samples.rbegin(), samples.rend(),
                                 [](const Sample& sample) { return sample.profile.has_value(); });
  if (last != samples.rend()) return std::move(*last);
  throw CommandError(
      formatted("{}: it does not sample its buffers; start it with BUFPOOL_SAMPLE=512K, such as "
                "by: bufpool run -s SAMPLE=512K -- COMMAND",
                target),
      ExitCode::kFinding);
}

ProfileMeasure measure_of(const std::string& word) {
  if (word == "gets") return ProfileMeasure::kGets;
  return word == "time" ? ProfileMeasure::kTime : ProfileMeasure::kHeld;
}

std::string text_of(const Sample& sample, const Options& options) {
  if (options.format == "json") return profile_json(*sample.profile);
  if (options.format == "pprof") return profile_pprof(*sample.profile);
  const Profile profile = by_functions(*sample.profile);
  const ProfileMeasure measure = measure_of(options.measure);
  if (options.format == "collapsed") return profile_collapsed(profile, measure);
  return profile_text(profile, formatted("{} {}", sample.command, sample.snapshot.pid), measure,
                      options.top);
}

ExitCode profile(const Options& options) {
  const Sample sample = last_with_profile(samples_for(options), options.target);
  write_whole(options.output, text_of(sample, options));
  return ExitCode::kGood;
}

Action prepare(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  arguments.required("target", options->target,
                     "a process's number or name, or a file: a recording, a page");
  arguments.choice("-f,--format", options->format, {"text", "collapsed", "pprof", "json"},
                   "the form: for people, for flame graphs, for pprof, all of it");
  arguments.text("-o,--output", options->output, "FILE", "the file to write it to, by rename");
  arguments.choice("--of", options->measure, {"held", "gets", "time"},
                   "the bytes to look at: held now, asked for since the start, or each times the "
                   "seconds that it was held");
  arguments.number("--top", options->top, "how many stacks a list of the text has");
  arguments.text("--pid", options->pid, "PID",
                 "of a recording with several processes, the one to show; else the busiest");
  return [options] { return profile(*options); };
}

}  // namespace

extern const Verb kProfileVerb{"profile", "the calls by which a process holds its memory",
                               "bufpool profile $PID\n"
                               "bufpool profile $PID --of time --top 3\n"
                               "bufpool profile $PID -f collapsed -o stacks.txt\n"
                               "bufpool profile $FILE -f pprof -o heap.pprof",
                               prepare};

}  // namespace bufpool
