// SPDX-License-Identifier: MIT
// A terminal as a screen of lines. top_screen.cpp is the only file that knows ncurses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bufpool {

enum class Key : std::uint8_t {
  kNone,
  kUp,
  kDown,
  kPageUp,
  kPageDown,
  kEnter,
  kBack,
  kQuit,
  kOther
};

struct Press {
  Key key = Key::kNone;
  char letter = '\0';  // of kOther
};

struct Picture {
  std::vector<std::string> top;  // lines above the table
  std::string heading;
  std::vector<std::string> rows;
  std::size_t selected = 0;  // the number of a row
  std::string help;          // the last line
};

// Owns the terminal as long as it lives, and leaves it as it was. There is one at a time.
class TopScreen {
 public:
  // Takes the terminal, if is_there() says so afterwards.
  TopScreen();
  TopScreen(const TopScreen&) = delete;
  TopScreen& operator=(const TopScreen&) = delete;
  ~TopScreen();

  // False: the terminal is not known (TERM), or stdin is none. Nothing else may be called then.
  [[nodiscard]] bool is_there() const noexcept { return screen_ != nullptr; }
  // Returns how many characters a line has room for.
  [[nodiscard]] std::size_t columns() const noexcept;
  void draw(const Picture& picture);
  // Waits for a key so long; a change of the terminal's size counts as none.
  [[nodiscard]] Press wait(std::uint64_t milliseconds);

 private:
  void* screen_ = nullptr;
  std::size_t first_ = 0;  // the row that is shown first
};

}  // namespace bufpool
