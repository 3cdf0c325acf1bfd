// SPDX-License-Identifier: MIT
// Holds an environment that is given as strings, and what options.cpp makes of it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pool/options/options.h"

namespace bufpool {

// Views in `options` and `complaints` point into `entries`.
struct Parsed {
  explicit Parsed(std::vector<std::string> environment) : entries(std::move(environment)) {
    std::vector<const char*> pointers;
    for (const std::string& entry : entries) pointers.push_back(entry.c_str());
    pointers.push_back(nullptr);
    options = parse_options(pointers.data(), complaints);
  }
  Parsed(const Parsed&) = delete;
  Parsed& operator=(const Parsed&) = delete;

  std::vector<std::string> entries;
  Complaints complaints;
  Options options;
};

inline std::size_t row_of(std::string_view name) {
  const auto rows = option_list();
  const auto found =
      std::find_if(rows.begin(), rows.end(), [name](const auto& row) { return row.name == name; });
  EXPECT_NE(found, rows.end()) << name;
  return static_cast<std::size_t>(found - rows.begin());
}

inline std::string variable(std::string_view name) { return "BUFPOOL_" + std::string(name); }

inline std::string effective(const Options& options, std::size_t row) {
  std::array<char, 256> out{};
  return std::string(effective_value(options, row, out));
}

inline std::string described(const Complaint& complaint) {
  std::array<char, 512> out{};
  return std::string(describe(complaint, out));
}

// Returns the effective values of all rows. Unlike the structs they can be compared and shown.
inline std::vector<std::string> all_values(const Options& options) {
  std::vector<std::string> values;
  for (std::size_t row = 0; row < option_list().size(); ++row) {
    values.push_back(effective(options, row));
  }
  return values;
}

}  // namespace bufpool
