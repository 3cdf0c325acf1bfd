// SPDX-License-Identifier: MIT
#include "cli/html/page.h"

#include <time.h>

#include <algorithm>

#include "cli/figures/rates.h"
#include "cli/formatted.h"
#include "cli/html/markup.h"
#include "cli/html/sections.h"
#include "cli/texts/sizes.h"
#include "report/figures.h"
#include "report/forms.h"
#include "report/units.h"

namespace bufpool {
namespace {

// The policy lets a browser fetch nothing, whatever the page says.
constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
)";

constexpr std::string_view kColours = R"(
:root {
  --page: #f4f6f9; --card: #ffffff; --ink: #17202b; --soft: #566273; --line: #dde3ea;
  --rest: #e9edf2; --code: #eef2f7; --low: #b4480d; --good: #12704f;
  --resident: #2563cf; --in-use: #d9700f; --idle: #12906a; --misses: #a3418f;
  --asked: #2563cf; --waste: #e39a4f; --peak: #8fb0e8; --budget: #9fd6c2; --hits: #2f8f6d;
  --few: #a9b5c2;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #10151b; --card: #19212b; --ink: #e9eef4; --soft: #a3b0bf; --line: #2d3844;
    --rest: #26303b; --code: #26303b; --low: #ff9d5c; --good: #62d3a6;
    --resident: #79abff; --in-use: #ffac5f; --idle: #4fcfa2; --misses: #e08bcf;
    --asked: #5b93ef; --waste: #f0b072; --peak: #3f5c8e; --budget: #2f6a57; --hits: #3faf86;
    --few: #6b7a8a;
  }
}
)";

constexpr std::string_view kLayout = R"(
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
header, main, footer { max-width: 1480px; margin: 0 auto; padding: 0 clamp(14px, 3vw, 40px); }
header { padding-top: clamp(20px, 3vw, 40px); }
h1 { margin: 0; font-size: clamp(26px, 3.2vw, 38px); line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 0; font-size: 18px; line-height: 1.35; }
.kicker { margin: 0 0 4px; color: var(--soft); font-size: 13px; font-weight: 600;
  letter-spacing: .08em; text-transform: uppercase; }
.meta { display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 8px 0 0; padding: 0;
  list-style: none; color: var(--soft); }
main { display: grid; gap: 18px; grid-template-columns: repeat(2, minmax(0, 1fr));
  padding-top: 24px; padding-bottom: 24px; }
.card { grid-column: 1 / -1; background: var(--card); border: 1px solid var(--line);
  border-radius: 12px; padding: clamp(16px, 2vw, 26px); min-width: 0; }
@media (min-width: 900px) { .half { grid-column: span 1; } }
.card > p { margin: 4px 0 0; max-width: 80ch; color: var(--soft); font-size: 14px; }
.card > h2 + :not(p), .card > p + * { margin-top: 18px; }
.tiles { grid-column: 1 / -1; display: grid; gap: 12px; margin: 0;
  grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); }
.tiles div { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 14px 16px; }
.tiles dt { color: var(--soft); font-size: 13px; }
.tiles dd { margin: 2px 0 0; font-size: 25px; font-weight: 650; line-height: 1.25;
  font-variant-numeric: tabular-nums; white-space: nowrap; }
dd, li { overflow-wrap: anywhere; }
dd small { display: block; color: var(--soft); font-size: 13px; font-weight: 400;
  white-space: normal; }
.tiles .is-low { color: var(--low); }
.advice ul { margin: 14px 0 0; padding: 0; list-style: none; }
.advice li { padding: 10px 0 10px 16px; border-left: 3px solid var(--in-use); }
.advice li + li { margin-top: 8px; }
.advice.nothing li { border-color: var(--good); }
code { padding: 2px 6px; border-radius: 5px; background: var(--code); overflow-wrap: anywhere;
  font: 600 13px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
.facts { display: grid; gap: 18px 20px; margin-bottom: 0;
  grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); }
.facts dt { color: var(--soft); font-size: 13px; }
.facts dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums; }
footer { padding-bottom: 40px; color: var(--soft); font-size: 13px; }
)";

constexpr std::string_view kPictures = R"(
.legend { display: flex; flex-wrap: wrap; gap: 4px 22px; margin: 0; padding: 0; list-style: none;
  color: var(--soft); font-size: 14px; }
.legend b { color: var(--ink); font-weight: 600; font-variant-numeric: tabular-nums; }
.swatch { width: 12px; height: 12px; margin-right: 7px; border-radius: 3px;
  vertical-align: -1px; }
.plot { padding: 22px 8px 30px 66px; }
.frame { display: block; width: 100%; height: clamp(200px, 22vw, 300px); overflow: visible; }
.tick { fill: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; }
.tick.y { text-anchor: end; }
.tick.x { text-anchor: middle; }
.grid { stroke: var(--line); stroke-width: 1; }
.grid.border { stroke-dasharray: 2 4; }
line.mark { stroke: var(--resident); stroke-width: 1.5; stroke-dasharray: 5 5; }
.tick.mark { fill: var(--resident); }
.line { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round;
  vector-effect: non-scaling-stroke; }
.area { fill: currentColor; stroke: none; fill-opacity: .16; }
.fill { fill: currentColor; }
.column { stroke: var(--card); stroke-width: 1.5; }
.bars { display: grid; gap: 7px 10px; align-items: center; font-size: 13.5px;
  grid-template-columns: max-content minmax(0, 1fr) max-content;
  font-variant-numeric: tabular-nums; }
.bar { display: contents; }
.bar .name { min-width: 3.6em; color: var(--soft); text-align: right; }
.bar .value { min-width: 4.6em; font-weight: 600; white-space: nowrap; }
.track { display: block; width: 100%; height: 16px; border-radius: 4px; }
.rest { fill: var(--rest); }
.holders { margin: 0; padding: 0; list-style: none; font-variant-numeric: tabular-nums; }
.holders > li { padding: 8px 0 8px 14px; border-left: 3px solid var(--in-use); color: var(--soft); }
.holders > li + li { margin-top: 10px; }
.holders b { color: var(--ink); font-size: 16px; font-weight: 650; }
.holders ul { margin: 4px 0 0; padding: 0; list-style: none; }
.holders ul li { padding-left: 1.2em; text-indent: -1.2em;
  font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
.holders ul li:first-child { color: var(--ink); font-weight: 600; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px;
  font-variant-numeric: tabular-nums; }
th, td { padding: 6px 10px; text-align: right; white-space: nowrap; }
tr > :first-child { position: sticky; left: 0; background: var(--card); }
thead th { color: var(--soft); font-weight: 500; border-bottom: 1px solid var(--line); }
tbody tr:nth-child(even) > td { background: color-mix(in srgb, var(--rest) 45%, transparent); }
tfoot th, tfoot td { border-top: 1px solid var(--line); font-weight: 600; }
@media print { .card, .tiles div { break-inside: avoid; } }
)";

// Each name of a colour is a class of the pictures.
std::string colour_classes() {
  std::string classes;
  for (const char* const name : {"resident", "in-use", "idle", "misses", "asked", "waste", "peak",
                                 "budget", "hits", "few", "low"}) {
    classes += formatted(".{} {{ color: var(--{}); }}\n", name, name);
  }
  return classes;
}

std::string style() {
  return formatted("<style>{}{}{}{}</style>\n", kColours, kLayout, kPictures, colour_classes());
}

std::string day_and_time(std::uint64_t time_ms) {
  const auto seconds = static_cast<time_t>(time_ms / 1000);
  tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr) return {};
  char text[40];
  return {text, strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

std::string header(const std::vector<Sample>& samples) {
  const Sample& last = samples.back();
  std::vector<std::string> facts = {formatted("process {}", last.snapshot.pid),
                                    formatted("mode {}", mode_word(last.snapshot.mode)),
                                    formatted("up {}", seconds(last.uptime_ms).view()),
                                    formatted("CPU {}", seconds(last.snapshot.cpu_time).view()),
                                    "bufpool " + name_in_html(last.version)};
  if (last.time_ms != 0) facts.push_back(day_and_time(last.time_ms));
  if (samples.size() > 1) facts.push_back(count_text(samples.size()) + " samples");
  std::string list;
  for (const std::string& fact : facts) list += "<li>" + fact + "</li>";
  return formatted(
      "<header><p class=\"kicker\">bufpool report</p>\n<h1>{}</h1>\n"
      "<ul class=\"meta\">{}</ul></header>\n",
      name_in_html(last.command), list);
}

std::string tile(std::string_view name, std::string_view value, std::string_view below,
                 bool is_low = false) {
  return formatted("<div><dt>{}</dt><dd{}>{}<small>{}</small></dd></div>\n", in_html(name),
                   is_low ? " class=\"is-low\"" : "", in_html(value), in_html(below));
}

std::string key_figures(const Sample& sample) {
  const Snapshot& snapshot = sample.snapshot;
  const ClassSnapshot totals = totals_of(snapshot);
  const std::uint64_t waste = totals.granted - std::min(totals.asked, totals.granted);
  const auto known = [](std::uint64_t bytes) { return bytes == 0 ? "–" : bytes_text(bytes); };
  return "<dl class=\"tiles\">\n" +
         tile("Resident", known(snapshot.resident), "peak " + known(snapshot.resident_peak)) +
         tile("In use", bytes_text(sums_of(snapshot).in_use_bytes),
              count_text(totals.in_use) + " buffers") +
         tile("Idle, retained", bytes_text(totals.retained),
              "of a budget of " + bytes_text(snapshot.budget)) +
         tile("Hit rate", share_text(totals.hits, totals.gets),
              formatted("{} misses", count_text(totals.misses)), has_low_hit_rate(totals)) +
         tile("Gets", short_count(totals.gets),
              count_text(per_second(totals.gets, sample.uptime_ms)) + " a second") +
         tile("Waste", share_text(waste, totals.granted),
              formatted("of {} granted", bytes_text(totals.granted))) +
         "</dl>\n";
}

std::string advice(const Sample& sample) {
  std::string items;
  auto add = [&items](std::string_view line) noexcept {
    items += "<li>" + marked_advice(line) + "</li>\n";
  };
  advise(sample.snapshot, sample.context(), add);
  const bool is_none = items.empty();
  if (is_none) items = "<li>Nothing: no finding applies to these figures.</li>\n";
  return formatted(
      "<section class=\"card advice{}\"><h2>What to change</h2>\n<ul>{}</ul></section>\n",
      is_none ? " nothing" : "", items);
}

}  // namespace

std::string card(Width width, std::string_view heading, std::string_view sentence,
                 std::string_view content) {
  const std::string below = sentence.empty() ? "" : formatted("<p>{}</p>\n", in_html(sentence));
  return formatted("<section class=\"card{}\"><h2>{}</h2>\n{}{}</section>\n",
                   width == Width::kHalf ? " half" : "", in_html(heading), below, content);
}

std::string html_page(const std::vector<Sample>& samples) {
  const Sample& last = samples.back();
  const Snapshot& snapshot = last.snapshot;
  std::string page(kHead);
  page += formatted("<title>{} {} – bufpool report</title>\n", name_in_html(last.command),
                    snapshot.pid);
  page += style() + "</head>\n<body>\n" + header(samples) + "<main>\n";
  page += key_figures(last) + advice(last) + memory_section(samples) + holders_section(samples) +
          traffic_section(samples);
  page += hit_rate_section(snapshot) + misses_section(snapshot) + sizes_section(last);
  page += table_section(snapshot) + facts_section(last);
  page +=
      "</main>\n<footer>Made by <code>bufpool report --format html</code>. Sizes count by 1024. "
      "docs/report-fields.md explains each figure.</footer>\n</body>\n</html>\n";
  return page;
}

}  // namespace bufpool
