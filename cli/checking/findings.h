// SPDX-License-Identifier: MIT
// What the doctor found, line by line.
#pragma once

#include <string>
#include <vector>

namespace bufpool {

// A line begins with ok, note or NO: the reason why the pool is not active.
class Findings {
 public:
  // Adds what is as it should be.
  void ok(std::string line) { lines_.push_back("ok    " + std::move(line)); }
  // Adds what is worth knowing.
  void note(std::string line) { lines_.push_back("note  " + std::move(line)); }
  // Adds a reason why the pool is not active.
  void no(std::string line) {
    lines_.push_back("NO    " + std::move(line));
    is_active_ = false;
  }

  // Returns the lines in the order in which they were added.
  [[nodiscard]] const std::vector<std::string>& lines() const noexcept { return lines_; }
  // Whether no reason was found why the pool should not be active.
  [[nodiscard]] bool is_active() const noexcept { return is_active_; }

 private:
  std::vector<std::string> lines_;
  bool is_active_ = true;
};

}  // namespace bufpool
