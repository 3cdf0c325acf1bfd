// SPDX-License-Identifier: MIT
#include "report/report.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <new>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "report/figures.h"
#include "tests/unit/allocation_counter.h"
#include "tests/unit/prometheus_text.h"
#include "tests/unit/sample_snapshots.h"

namespace bufpool {
namespace {

using Json = nlohmann::json;
using testing::IsNotSubstring;
using testing::IsSubstring;

constexpr ReportForm kForms[] = {ReportForm::kText, ReportForm::kJson, ReportForm::kPrometheus};

std::string text_of(const Snapshot& snapshot, const ReportContext& context = kContext) {
  return rendered(snapshot, context, ReportForm::kText);
}

Json json_of(const Snapshot& snapshot, const ReportContext& context = kContext) {
  return Json::parse(rendered(snapshot, context, ReportForm::kJson));
}

PrometheusText prometheus_of(const Snapshot& snapshot, const ReportContext& context = kContext) {
  return PrometheusText(rendered(snapshot, context, ReportForm::kPrometheus));
}

ReportContext with_command(std::string_view command) {
  ReportContext context = kContext;
  context.command = command;
  return context;
}

// These are names that a program may have and that a report must survive.
std::vector<std::string> strange_commands() {
  return {"",
          "a \"quoted\" \\ name",
          "two\nlines\r\t\x1b[31m\x7f",
          "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x98",
          "\xc2\x9b"
          "31m",
          "\xff\xfe\xc3",
          "\xed\xa0\x80\xe0\x80\x80\xf4\x90\x80\x80\xc0\xaf",
          std::string("nul\0inside", 10),
          std::string(200, 'x'),
          std::string(200, '"'),
          std::string(200, '\x01'),
          std::string(200, '\xff')};
}

// Compares the report with a file. UPDATE_GOLDEN=1 writes the file anew.
void expect_golden(const std::string& name, const std::string& report) {
  const std::string path = std::string(BUFPOOL_GOLDEN_DIR) + "/" + name;
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path) << report;
  std::stringstream golden;
  golden << std::ifstream(path).rdbuf();
  EXPECT_EQ(report, golden.str()) << "golden file " << name;
}

TEST(Report, LooksAsItDid) {
  const Snapshot snapshot = sample_snapshot();
  expect_golden("report.txt", rendered(snapshot, kContext, ReportForm::kText));
  expect_golden("report.json", rendered(snapshot, kContext, ReportForm::kJson));
  expect_golden("report.prom", rendered(snapshot, kContext, ReportForm::kPrometheus));
}

// Calls `check` with every snapshot and command here, in every form.
template <typename Check>
void for_all_reports(Check check) {
  const Snapshot snapshots[] = {empty_snapshot(), sample_snapshot(), largest_snapshot(),
                                Snapshot{}};
  for (const Snapshot& snapshot : snapshots) {
    for (const std::string& command : strange_commands()) {
      ReportContext context = with_command(command);
      context.version = command;
      context.uptime_ms = snapshot.reserved;
      context.cpu_cache_bytes = snapshot.reserved;
      for (const ReportForm form : kForms) check(snapshot, context, form);
    }
  }
}

TEST(Report, LinesAreShort) {
  for_all_reports([](const Snapshot& snapshot, const ReportContext& context, ReportForm form) {
    auto check = [](std::string_view line) {
      EXPECT_LE(line.size(), kLongestLine);
      EXPECT_EQ(line.find_first_of(std::string_view("\n\r\t\x1b\0", 5)), line.npos) << line;
    };
    render(snapshot, context, form, check);
  });
}

// A line at its limit may have been cut. Sentences and rows must not be.
TEST(Report, NothingIsCut) {
  for_all_reports([](const Snapshot& snapshot, const ReportContext& context, ReportForm form) {
    if (form == ReportForm::kJson) return;  // fills its lines, and is checked by parsing
    auto check = [](std::string_view line) { EXPECT_LT(line.size(), kLongestLine) << line; };
    render(snapshot, context, form, check);
  });
}

TEST(Report, NeverAsksTheHeap) {
  EXPECT_EQ(heap_calls_of([] { ::operator delete(::operator new(1)); }), 1U);
  for_all_reports([](const Snapshot& snapshot, const ReportContext& context, ReportForm form) {
    std::size_t bytes = 0;
    auto count = [&bytes](std::string_view line) { bytes += line.size(); };
    EXPECT_EQ(heap_calls_of([&] { render(snapshot, context, form, count); }), 0U);
    EXPECT_GT(bytes, 0U);
  });
}

TEST(Report, IsUtf8) {
  for_all_reports([](const Snapshot& snapshot, const ReportContext& context, ReportForm form) {
    const std::string report = rendered(snapshot, context, form);
    EXPECT_NO_THROW((void)Json(report).dump()) << report;  // throws at bytes that are not
  });
}

TEST(Report, JsonIsValid) {
  for_all_reports([](const Snapshot& snapshot, const ReportContext& context, ReportForm form) {
    if (form != ReportForm::kJson) return;
    EXPECT_NO_THROW((void)json_of(snapshot, context));
  });
}

TEST(Report, PrometheusIsValid) {
  for_all_reports([](const Snapshot& snapshot, const ReportContext& context, ReportForm form) {
    if (form != ReportForm::kPrometheus) return;
    EXPECT_NO_THROW(prometheus_of(snapshot, context));
  });
}

TEST(ReportJson, HoldsEveryFigure) {
  const Snapshot snapshot = sample_snapshot();
  const Json json = json_of(snapshot);
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["pid"], 4711);
  EXPECT_EQ(json["command"], "redis-server");
  EXPECT_EQ(json["version"], "1.2.3");
  EXPECT_EQ(json["mode"], "rseq");
  EXPECT_EQ(json["uptime_ms"], 12345);
  EXPECT_EQ(json["cpu_cache_bytes"], 32 * kMiB);
#define BUFPOOL_PROCESS_COUNTER(name, unit, kind, sentence) EXPECT_EQ(json[#name], snapshot.name);
#include "pool/telemetry/counters.def"
  ASSERT_EQ(json["classes"].size(), 4U);
  const Json& row = json["classes"][2];
  EXPECT_EQ(row["size"], "1.25M");
  EXPECT_EQ(row["buffer_bytes"], 1280 * kKiB + 64);
#define BUFPOOL_CLASS_COUNTER(name, unit, kind, sentence) \
  EXPECT_EQ(row[#name], snapshot.classes[3].name);
#include "pool/telemetry/counters.def"
  EXPECT_EQ(json["advice"].size(), 4U);
}

TEST(ReportJson, KeepsTheLargestNumbersAndAllClasses) {
  const Json json = json_of(largest_snapshot());
  ASSERT_EQ(json["classes"].size(), kSnapshotClasses);
  EXPECT_EQ(json["classes"][63]["granted"].get<std::uint64_t>(), kMost);
  EXPECT_EQ(json["resident"].get<std::uint64_t>(), kMost);
}

TEST(ReportJson, OfNothingHasNoClasses) {
  EXPECT_EQ(json_of(empty_snapshot())["classes"], Json::array());
  EXPECT_EQ(json_of(empty_snapshot())["advice"], Json::array());
}

TEST(ReportJson, GivesTheCommandBack) {
  for (const std::string command : {"a \"quoted\" \\ name", "two\nlines\t\x01\x7f\xc2\x9b",
                                    "caf\xc3\xa9 \xf0\x9f\x90\x98", "x"}) {
    EXPECT_EQ(json_of(empty_snapshot(), with_command(command))["command"], command);
  }
}

TEST(ReportJson, CutsALongCommandBetweenCharacters) {
  std::string euros;
  for (int i = 0; i < 100; ++i) euros += "\xe2\x82\xac";
  const auto command =
      json_of(empty_snapshot(), with_command("x" + euros))["command"].get<std::string>();
  EXPECT_EQ(command, "x" + euros.substr(0, 93));
}

TEST(ReportPrometheus, NamesFollowOneRule) {
  const PrometheusText text = prometheus_of(sample_snapshot());
  EXPECT_EQ(text.families.size(), 1 + kProcessFigures.size() + kClassFigures.size());
  for (const char* name :
       {"bufpool_process_info", "bufpool_passed_below_requests_total", "bufpool_cpu_drains_total",
        "bufpool_resident_bytes", "bufpool_class_gets_total", "bufpool_class_in_use_buffers",
        "bufpool_class_in_use_peak_buffers", "bufpool_class_retained_bytes",
        "bufpool_class_asked_bytes_total", "bufpool_class_fallbacks_total"}) {
    EXPECT_TRUE(text.families.contains(name)) << name;
  }
}

TEST(ReportPrometheus, SamplesCarryTheSnapshot) {
  auto families = prometheus_of(sample_snapshot()).families;
  const PrometheusText::Labels process{{"pid", "4711"}, {"comm", "redis-server"}};
  EXPECT_EQ(families["bufpool_passed_above_requests_total"].samples[process], "4321");
  auto& gets = families["bufpool_class_gets_total"];
  EXPECT_EQ(gets.help, "Buffers handed out.");
  EXPECT_EQ(gets.samples.size(), 4U);
  PrometheusText::Labels row = process;
  row["class_bytes"] = "16448";
  EXPECT_EQ(gets.samples[row], "1000000");
  PrometheusText::Labels info = process;
  info["version"] = "1.2.3";
  info["mode"] = "rseq";
  EXPECT_EQ(families["bufpool_process_info"].samples[info], "1");
}

TEST(ReportPrometheus, KeepsTheLargestNumbersAndAllClasses) {
  auto families = prometheus_of(largest_snapshot()).families;
  const auto& peaks = families["bufpool_class_in_use_peak_buffers"].samples;
  EXPECT_EQ(peaks.size(), kSnapshotClasses);
  EXPECT_EQ(peaks.begin()->second, "18446744073709551615");
}

TEST(ReportPrometheus, GivesTheCommandBack) {
  for (const std::string command : {"a \"quoted\" \\ name", "two\nlines", "caf\xc3\xa9"}) {
    auto families = prometheus_of(empty_snapshot(), with_command(command)).families;
    const auto& samples = families["bufpool_resident_bytes"].samples;
    EXPECT_EQ(samples.begin()->first.at("comm"), command);
  }
}

// The format has no escape for them, and a terminal obeys them.
TEST(ReportPrometheus, ReplacesControlCharacters) {
  auto families = prometheus_of(empty_snapshot(), with_command("a\x1b[31m\t\xc2\x9b")).families;
  const auto& samples = families["bufpool_resident_bytes"].samples;
  EXPECT_EQ(samples.begin()->first.at("comm"), "a?[31m??");
}

TEST(ReportPrometheus, OfNothingHasNoClassFamilies) {
  EXPECT_EQ(prometheus_of(empty_snapshot()).families.size(), 1 + kProcessFigures.size());
}

TEST(ReportText, EveryLineTellsTheProcess) {
  for (const std::string& command : strange_commands()) {
    auto check = [](std::string_view line) {
      EXPECT_TRUE(line.starts_with("bufpool[4711 ")) << line;
      EXPECT_NE(line.find("]: "), line.npos) << line;
    };
    render(sample_snapshot(), with_command(command), ReportForm::kText, check);
  }
}

TEST(ReportText, LeavesOutWhatDidNotHappen) {
  Snapshot snapshot = empty_snapshot();
  EXPECT_PRED_FORMAT2(IsSubstring, "no buffers were asked for", text_of(snapshot));
  EXPECT_PRED_FORMAT2(IsSubstring, "what to change: nothing", text_of(snapshot));
  snapshot.classes[0] = sample_class(4 * kKiB, 10, 1);
  snapshot.classes[1].buffer_bytes = 8 * kKiB + 64;
  EXPECT_PRED_FORMAT2(IsSubstring, " 4K ", text_of(snapshot));
  EXPECT_PRED_FORMAT2(IsNotSubstring, " 8K ", text_of(snapshot));
  EXPECT_PRED_FORMAT2(IsNotSubstring, "overflows", text_of(snapshot));
  snapshot.classes[0].overflows = 1;
  EXPECT_PRED_FORMAT2(IsSubstring, "overflows", text_of(snapshot));
}

TEST(ReportText, ShowsWhatWasPurgedWhereAnythingWas) {
  Snapshot snapshot = empty_snapshot();
  snapshot.classes[0] = sample_class(4 * kKiB, 10, 1);
  snapshot.classes[1] = sample_class(8 * kKiB, 10, 1);
  EXPECT_PRED_FORMAT2(IsNotSubstring, "purged", text_of(snapshot));
  snapshot.classes[1].purged = 3 * kMiB;
  EXPECT_PRED_FORMAT2(IsSubstring, "  purged\n", text_of(snapshot));
  EXPECT_PRED_FORMAT2(IsSubstring, "  3.0 MiB\n", text_of(snapshot));
}

TEST(ReportText, AccountsForMemory) {
  Snapshot snapshot = empty_snapshot();
  snapshot.budget = 8 * kMiB;
  snapshot.budget_max = 64 * kMiB;
  snapshot.trims = 34;
  snapshot.classes[0] = sample_class(4 * kKiB, 10, 1);
  snapshot.classes[0].retained = 12 * kMiB;
  snapshot.classes[0].purged = 1024 * kMiB;
  snapshot.classes[1] = sample_class(8 * kKiB, 10, 1);
  snapshot.classes[1].retained = kMiB / 2;
  snapshot.classes[1].faulted = 2048 * kMiB;
  snapshot.classes[1].regretted = 11 * kMiB;
  EXPECT_PRED_FORMAT2(IsSubstring,
                      "]: memory: retained 12.5 MiB of a budget of 8.0 MiB (at most 64.0 MiB); "
                      "given back 1.0 GiB in 34 trims, faulted 2.0 GiB, "
                      "needed again soon 11.0 MiB\n",
                      text_of(snapshot));
  snapshot.mode = PoolMode::kPassThrough;
  EXPECT_PRED_FORMAT2(IsNotSubstring, "memory:", text_of(snapshot));
  EXPECT_PRED_FORMAT2(IsNotSubstring, "trimmer:", text_of(snapshot));
}

TEST(ReportText, SaysHowTheTrimmerFares) {
  Snapshot snapshot = empty_snapshot();
  const char* const words[] = {"none", "starting", "running",
                               "refused by the system (the program's own calls do its work)",
                               "unknown"};
  for (const char* word : words) {
    EXPECT_PRED_FORMAT2(IsSubstring, std::string("]: trimmer: ") + word + "\n", text_of(snapshot));
    ++snapshot.trimmer;
  }
}

TEST(ReportText, CountsPressureAndDrainsWhereThereWereAny) {
  Snapshot snapshot = empty_snapshot();
  snapshot.cpu_drains = 7;
  EXPECT_PRED_FORMAT2(IsSubstring, "]: trimmer: none; CPU caches drained: 7\n", text_of(snapshot));
  snapshot.pressure_events = 5;
  EXPECT_PRED_FORMAT2(IsSubstring, "]: trimmer: none; pressure events: 5; CPU caches drained: 7\n",
                      text_of(snapshot));
}

TEST(ReportText, KnowsNoLaterModes) {
  Snapshot snapshot = empty_snapshot();
  snapshot.mode = static_cast<PoolMode>(77);
  EXPECT_PRED_FORMAT2(IsSubstring, "mode unknown", text_of(snapshot));
}

TEST(ReportText, AClassIsLiveByAnyOfFourFigures) {
  for (const auto figure : {&ClassSnapshot::gets, &ClassSnapshot::puts, &ClassSnapshot::in_use,
                            &ClassSnapshot::fallbacks}) {
    Snapshot snapshot = empty_snapshot();
    snapshot.classes[0].buffer_bytes = 4 * kKiB + 64;
    snapshot.classes[0].*figure = 1;
    EXPECT_PRED_FORMAT2(IsSubstring, " 4K ", text_of(snapshot));
  }
}

TEST(ReportText, TotalsAreSums) {
  Snapshot snapshot = empty_snapshot();
  snapshot.classes[0] = sample_class(4 * kKiB, 300, 100);
  snapshot.classes[1] = sample_class(8 * kKiB, 100, 100);
  const ClassSnapshot totals = totals_of(snapshot);
  EXPECT_EQ(totals.gets, 400U);
  EXPECT_EQ(totals.misses, 200U);
  EXPECT_EQ(totals.in_use_peak, 0U);
  EXPECT_PRED_FORMAT2(IsSubstring, "50.00", text_of(snapshot));
  EXPECT_EQ(totals_of(largest_snapshot()).gets, kMost);
}

}  // namespace
}  // namespace bufpool
