// SPDX-License-Identifier: MIT
#include <algorithm>
#include <bit>
#include <utility>

#include "cli/figures/rates.h"
#include "cli/formatted.h"
#include "cli/html/charts.h"
#include "cli/html/markup.h"
#include "cli/html/sections.h"
#include "pool/options/limits.h"
#include "report/figures.h"
#include "report/units.h"

namespace bufpool {
namespace {

constexpr std::uint64_t kGoodHitRate = 9500;  // in hundredths of a percent
constexpr std::size_t kQuarters = 4;          // classes in a doubling

std::vector<const ClassSnapshot*> live_classes(const Snapshot& snapshot) {
  std::vector<const ClassSnapshot*> rows;
  for (const ClassSnapshot& row : snapshot.classes) {
    if (is_live(row)) rows.push_back(&row);
  }
  return rows;
}

std::string name_of(const ClassSnapshot& row) {
  return std::string(class_name(row.buffer_bytes).view());
}

std::uint64_t waste_of(const ClassSnapshot& row) {
  return row.granted - std::min(row.asked, row.granted);
}

double percent_of(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole) * 100;
}

std::string_view hit_colour(const ClassSnapshot& row) {
  if (has_low_hit_rate(row)) return "low";
  return basis_points(row.hits, row.gets) >= kGoodHitRate ? "hits" : "few";
}

Bar hit_bar(const ClassSnapshot& row) {
  return {name_of(row),
          {{hit_colour(row), percent_of(row.hits, row.gets)}},
          share_text(row.hits, row.gets),
          formatted("{}: {} hits of {} gets", name_of(row), count_text(row.hits),
                    count_text(row.gets))};
}

// Returns the number of the built-in class: each doubling of the size has four.
std::size_t place_of(std::uint64_t buffer_bytes) {
  const std::uint64_t size = std::max<std::uint64_t>(
      buffer_bytes - std::min<std::uint64_t>(buffer_bytes, kHeaderRoom), kQuarters);
  const auto doubling = static_cast<std::size_t>(std::bit_width(size) - 1);
  return kQuarters * doubling + ((size >> (doubling - 2)) & (kQuarters - 1));
}

std::string name_at(std::size_t place) {
  const std::uint64_t size = (kQuarters + place % kQuarters) << (place / kQuarters - 2);
  return std::string(class_name(size + kHeaderRoom).view());
}

// Names of borders stand as close as there is room for on a narrow page.
std::vector<Tick> borders_of(std::size_t first, std::size_t places) {
  constexpr std::size_t kMostNames = 6;
  std::size_t step = places <= kMostNames ? 1 : kQuarters / 2;
  while (places / step > kMostNames) step += step < kQuarters ? step : kQuarters;
  std::vector<Tick> borders;
  for (std::size_t i = 0; i < places; ++i) {
    if ((first + i) % step == 0) {
      borders.push_back({static_cast<double>(i + 1), name_at(first + i)});
    }
  }
  return borders;
}

Column column_of(const ClassSnapshot& row) {
  const std::uint64_t waste = waste_of(row);
  const std::uint64_t mean = row.gets == 0 ? 0 : row.asked / row.gets;
  return {place_of(row.buffer_bytes), static_cast<double>(row.granted - waste),
          static_cast<double>(waste),
          formatted("{}: asked for {}, granted {}, waste {}; {} on average", name_of(row),
                    bytes_text(row.asked), bytes_text(row.granted), share_text(waste, row.granted),
                    bytes_text(mean))};
}

// Without a class that serves the size, its waste is not known.
Column column_of(const ProfileSize& size, const std::vector<const ClassSnapshot*>& rows,
                 const Profile& profile) {
  const BufferCounts got = estimated(size.got, profile.every_bytes);
  const auto serving = std::find_if(rows.begin(), rows.end(), [&size](const auto* row) {
    return row->buffer_bytes >= size.buffer_bytes;
  });
  const std::uint64_t room = serving == rows.end() ? 0 : (*serving)->buffer_bytes;
  const std::uint64_t waste = std::max(got.buffers * room, got.bytes) - got.bytes;
  return {place_of(size.buffer_bytes), static_cast<double>(got.bytes), static_cast<double>(waste),
          formatted("up to {}: asked for {} by {} gets, waste {}",
                    std::string(class_name(size.buffer_bytes).view()), bytes_text(got.bytes),
                    count_text(got.buffers), bytes_text(waste))};
}

// The columns of the sizes, as they were sampled, or else of the classes.
std::vector<Column> size_columns(const std::vector<const ClassSnapshot*>& rows,
                                 const std::optional<Profile>& profile) {
  std::vector<Column> columns;
  if (profile) {
    for (const ProfileSize& size : profile->sizes) {
      columns.push_back(column_of(size, rows, *profile));
    }
  }
  if (!columns.empty()) return columns;
  for (const ClassSnapshot* const row : rows) columns.push_back(column_of(*row));
  return columns;
}

std::string table_row(std::string_view name, const ClassSnapshot& row, std::string_view peak,
                      std::uint64_t in_use) {
  const std::string cells[] = {count_text(row.gets),     share_text(row.hits, row.gets),
                               count_text(row.misses),   count_text(row.in_use),
                               std::string(peak),        bytes_text(in_use),
                               bytes_text(row.idle),     bytes_text(row.retained),
                               bytes_text(row.purged),   bytes_text(row.asked),
                               bytes_text(row.granted),  share_text(waste_of(row), row.granted),
                               count_text(row.fallbacks)};
  std::string line = formatted("<tr><th scope=\"row\">{}</th>", in_html(name));
  for (const std::string& cell : cells) line += "<td>" + in_html(cell) + "</td>";
  return line + "</tr>\n";
}

}  // namespace

bool has_low_hit_rate(const ClassSnapshot& row) {
  constexpr std::uint64_t kFewMisses = 100;
  return row.misses >= kFewMisses && basis_points(row.hits, row.gets) < kGoodHitRate;
}

std::string hit_rate_section(const Snapshot& snapshot) {
  std::vector<Bar> bars;
  for (const ClassSnapshot* const row : live_classes(snapshot)) {
    if (row->gets != 0) bars.push_back(hit_bar(*row));
  }
  if (bars.empty()) return {};
  return card(Width::kHalf, "Hit rate by class",
              "Gets that a CPU's cache served. A class under 95% stands out if it had 100 misses.",
              bar_rows("hit rate by class", bars));
}

std::string misses_section(const Snapshot& snapshot) {
  std::uint64_t most = 1;
  for (const ClassSnapshot& row : snapshot.classes) most = std::max(most, row.misses);
  std::vector<Bar> bars;
  for (const ClassSnapshot* const row : live_classes(snapshot)) {
    if (row->gets == 0) continue;
    bars.push_back({name_of(*row),
                    {{"misses", percent_of(row->misses, most)}},
                    count_text(row->misses),
                    formatted("{}: {} misses of {} gets", name_of(*row), count_text(row->misses),
                              count_text(row->gets))});
  }
  if (bars.empty()) return {};
  return card(Width::kHalf, "Misses by class", "Gets that found the CPU's cache empty.",
              bar_rows("misses by class", bars));
}

std::string sizes_section(const Sample& sample) {
  constexpr std::size_t kFewestPlaces = 12;
  const std::vector<const ClassSnapshot*> rows = live_classes(sample.snapshot);
  const ClassSnapshot totals = totals_of(sample.snapshot);
  if (rows.empty() || totals.granted == 0) return {};
  std::vector<Column> columns = size_columns(rows, sample.profile);
  const bool is_sampled = sample.profile && !sample.profile->sizes.empty();
  std::size_t first = columns.front().place;
  const std::size_t last = columns.back().place;
  first -= last - first < kFewestPlaces ? std::min(first, (kFewestPlaces - last + first) / 2) : 0;
  first = std::max(first, 2 * kQuarters);
  ColumnChart chart{"bytes asked for and wasted by class",
                    "asked",
                    "waste",
                    std::max(last + 1 - std::min(first, last), kFewestPlaces),
                    std::move(columns),
                    {}};
  for (Column& column : chart.columns) column.place -= std::min(first, column.place);
  chart.borders = borders_of(first, chart.places);
  const std::uint64_t waste = waste_of(totals);
  const std::vector<Key> keys = {
      {"asked for", "asked", bytes_text(totals.asked)},
      {"waste", "waste",
       formatted("{} ({})", bytes_text(waste), share_text(waste, totals.granted))}};
  return card(Width::kWhole, "Sizes asked for, against the borders of the classes",
              (is_sampled ? std::string("Bytes by the sizes asked for, estimated from samples. ")
                          : std::string("Bytes that were granted in all, by class. ")) +
                  "A line marks the largest size of a class. The waste is what a buffer had beyond "
                  "what was asked for.",
              legend(keys) + column_chart(chart, Scale::kBytes));
}

std::string table_section(const Snapshot& snapshot) {
  constexpr const char* kHeadings[] = {
      "size", "gets",     "hit rate",   "misses",    "in use",  "peak",  "bytes in use",
      "idle", "retained", "given back", "asked for", "granted", "waste", "fallbacks"};
  std::string rows;
  std::uint64_t in_use = 0;
  const std::vector<const ClassSnapshot*> classes = live_classes(snapshot);
  for (const ClassSnapshot* const row : classes) {
    rows += table_row(name_of(*row), *row, count_text(row->in_use_peak), in_use_bytes(*row));
    in_use += in_use_bytes(*row);
  }
  if (rows.empty()) return {};
  std::string head;
  for (const char* const heading : kHeadings) {
    head += formatted("<th scope=\"col\">{}</th>", heading);
  }
  return card(
      Width::kWhole, "All classes", "",
      formatted("<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>{}</tr></thead>\n"
                "<tbody>\n{}</tbody>\n<tfoot>{}</tfoot></table></div>\n",
                head, rows,
                table_row(formatted("all {}", classes.size()), totals_of(snapshot), "–", in_use)));
}

}  // namespace bufpool
