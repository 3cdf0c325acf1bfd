// SPDX-License-Identifier: MIT
#include "cli/figures/json_input.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "cli/command_error.h"
#include "cli/processes/process_info.h"
#include "cli/texts/serving_classes.h"
#include "report/figures.h"
#include "report/units.h"

namespace bufpool {
namespace {

using Json = nlohmann::json;

// In the first schema the keys had no units.
constexpr std::uint64_t kFirstSchema = 1;
constexpr std::uint64_t kLastSchema = 2;

std::uint64_t number_at(const Json& object, const std::string& key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string text_at(const Json& object, const std::string& key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? printable(found->get<std::string>())
                                                     : std::string();
}

// A report may call a figure by its name, or by its name and its unit.
template <typename Row>
void read_figure(const Json& object, const Figure<Row>& figure, Row& row) {
  const std::string name(figure.name);
  const std::string with_unit = name + "_" + std::string(figure.unit);
  row.*figure.value = number_at(object, object.contains(name) ? name : with_unit);
}

PoolMode mode_of(std::string_view word) {
  for (const PoolMode mode : {PoolMode::kRseq, PoolMode::kLocked}) {
    if (mode_word(mode) == word) return mode;
  }
  return PoolMode::kPassThrough;
}

void read_classes(const Json& report, Snapshot& snapshot) {
  const auto classes = report.find("classes");
  if (classes == report.end() || !classes->is_array()) return;
  std::size_t used = 0;
  for (const Json& row : *classes) {
    if (!row.is_object() || used == snapshot.classes.size()) break;
    ClassSnapshot& out = snapshot.classes[used++];
    out.buffer_bytes = number_at(row, "buffer_bytes");
    for (const auto& figure : kClassFigures) read_figure(row, figure, out);
  }
  std::sort(snapshot.classes.begin(), snapshot.classes.begin() + static_cast<std::ptrdiff_t>(used),
            [](const auto& a, const auto& b) { return a.buffer_bytes < b.buffer_bytes; });
}

// A report of an older version does not say which classes serve.
void read_chosen(const Json& report, Snapshot& snapshot) {
  const auto chosen = report.find("chosen_classes");
  if (chosen == report.end() || !chosen->is_array()) return;
  std::string names;
  for (const Json& name : *chosen) {
    if (name.is_string()) names += name.get<std::string>() + ",";
  }
  if (snapshot.mode != PoolMode::kPassThrough) add_named_classes(snapshot, names);
}

// The names of sizes are those of the built-in classes.
void read_sizes(const Json& report, Snapshot& snapshot) {
  const auto sizes = report.find("sizes");
  if (sizes == report.end() || !sizes->is_array()) return;
  for (const Json& size : *sizes) {
    if (!size.is_object()) continue;
    const std::string name = text_at(size, "size");
    for (std::size_t i = 1; i < snapshot.sizes.size(); ++i) {
      if (class_name(built_in_bytes(i)).view() != name) continue;
      snapshot.sizes[i] = number_at(size, "sampled_misses");
    }
  }
}

BufferCounts counts_at(const Json& object, const std::string& name) {
  return {number_at(object, name + "_samples"), number_at(object, name + "_sampled_bytes")};
}

// A recording of an older version lacks some estimates.
BufferCounts estimate_at(const Json& object, const std::string& name, std::uint64_t every_bytes) {
  if (!object.contains(name + "_bytes")) return estimated(counts_at(object, name), every_bytes);
  return {number_at(object, name + "_buffers"), number_at(object, name + "_bytes")};
}

const Json& list_at(const Json& object, const std::string& key) {
  static const Json none = Json::array();
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : none;
}

CodePlace place_in(const Json& place) {
  return {number_at(place, "address"), text_at(place, "function"), text_at(place, "module"),
          number_at(place, "module_offset_bytes")};
}

ProfileStack stack_in(const Json& object, std::size_t places, std::uint64_t every_bytes) {
  ProfileStack stack;
  for (const Json& frame : list_at(object, "frames")) {
    if (frame.is_number_unsigned() && frame.get<std::uint64_t>() < places) {
      stack.frames.push_back(frame.get<std::size_t>());
    }
  }
  stack.got = counts_at(object, "got");
  stack.returned = counts_at(object, "returned");
  stack.returned_ms = number_at(object, "returned_ms");
  stack.longest_ms = number_at(object, "longest_ms");
  stack.held = counts_at(object, "held");
  stack.held_byte_ms = number_at(object, "held_byte_ms");
  stack.oldest_ms = number_at(object, "oldest_ms");
  stack.old = counts_at(object, "old");
  stack.all_got = estimate_at(object, "got", every_bytes);
  stack.all_held = estimate_at(object, "held", every_bytes);
  stack.all_old = estimate_at(object, "old", every_bytes);
  stack.byte_seconds = number_at(object, "byte_seconds");
  return stack;
}

std::optional<Profile> profile_in(const Json& object) {
  if (!object.is_object() || number_at(object, "profile") != 1) return {};
  Profile profile;
  profile.every_bytes = number_at(object, "every_bytes");
  profile.dropped = number_at(object, "dropped_samples");
  profile.life_ms = number_at(object, "life_ms");
  for (const Json& frame : list_at(object, "frames")) profile.places.push_back(place_in(frame));
  for (const Json& stack : list_at(object, "stacks")) {
    profile.stacks.push_back(stack_in(stack, profile.places.size(), profile.every_bytes));
  }
  for (const Json& size : list_at(object, "sizes")) {
    if (profile.sizes.size() == kSnapshotClasses) break;
    profile.sizes.push_back({number_at(size, "buffer_bytes"), counts_at(size, "got")});
  }
  std::sort(profile.sizes.begin(), profile.sizes.end(),
            [](const auto& a, const auto& b) { return a.buffer_bytes < b.buffer_bytes; });
  for (const Json& line : list_at(object, "maps")) {
    if (line.is_string()) profile.maps += printable(line.get<std::string>()) + "\n";
  }
  return profile;
}

std::optional<Sample> sample_in(const Json& report) {
  if (!report.is_object() || !report.contains("schema") || !report.contains("classes")) return {};
  const std::uint64_t schema = number_at(report, "schema");
  if (schema < kFirstSchema || schema > kLastSchema) return {};
  Sample sample;
  sample.command = text_at(report, "command");
  sample.version = text_at(report, "version");
  sample.uptime_ms = number_at(report, "uptime_ms");
  sample.cpu_cache_bytes = number_at(report, "cpu_cache_bytes");
  Snapshot& snapshot = sample.snapshot;
  snapshot.size = sizeof(Snapshot);
  snapshot.version = kSnapshotVersion;
  snapshot.mode = mode_of(text_at(report, "mode"));
  snapshot.pid = static_cast<std::uint32_t>(number_at(report, "pid"));
  for (const auto& figure : kProcessFigures) read_figure(report, figure, snapshot);
  read_classes(report, snapshot);
  read_chosen(report, snapshot);
  read_sizes(report, snapshot);
  return sample;
}

// A line of a recording is {"time_ms": NUMBER, "report": REPORT}, and some have a "profile".
std::optional<Sample> sample_in_line(const Json& line) {
  if (!line.is_object() || !line.contains("report")) return sample_in(line);
  std::optional<Sample> sample = sample_in(line["report"]);
  if (!sample) return sample;
  sample->time_ms = number_at(line, "time_ms");
  if (line.contains("profile")) sample->profile = profile_in(line["profile"]);
  return sample;
}

[[noreturn]] void fail_to_read(const std::string& path) {
  fail(
      "{}: it is neither a recording nor a JSON report of bufpool, nor a statistics page; "
      "`bufpool run --record FILE -- COMMAND` makes a recording",
      path);
}

}  // namespace

// The values stand one behind the other: in lines of their own in a recording, over many lines
// where several processes appended their reports to one file.
std::vector<Sample> samples_in_json(const std::string& path, std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<Sample> samples;
  bool is_recording = false;
  while (!(stream >> std::ws).eof()) {
    Json value;
    try {
      stream >> value;
    } catch (const Json::exception&) {
      const bool is_cut = stream.eof() && (is_recording || !samples.empty());
      if (is_cut) break;
      fail_to_read(path);
    }
    std::optional<Sample> sample = sample_in_line(value);
    is_recording |= value.is_object() && value.contains("recording");
    if (!sample && !is_recording) fail_to_read(path);
    if (sample) samples.push_back(std::move(*sample));
  }
  return samples;
}

}  // namespace bufpool
