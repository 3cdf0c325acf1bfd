// SPDX-License-Identifier: MIT
#include "cli/top/top_screen.h"

#include <curses.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <cstdlib>

namespace bufpool {
namespace {

void put_line(int y, const std::string& text, attr_t attributes) {
  if (y < 0 || y >= LINES) return;
  attron(attributes);
  mvaddnstr(y, 0, text.c_str(), COLS);
  if (attributes != 0) {
    for (int x = static_cast<int>(text.size()); x < COLS; ++x) mvaddch(y, x, ' ');
  }
  attroff(attributes);
}

Press press_of(int code) {
  switch (code) {
    case ERR:
    case KEY_RESIZE:
      return {};
    case KEY_UP:
    case 'k':
      return {Key::kUp};
    case KEY_DOWN:
    case 'j':
      return {Key::kDown};
    case KEY_PPAGE:
      return {Key::kPageUp};
    case KEY_NPAGE:
      return {Key::kPageDown};
    case KEY_ENTER:
    case '\n':
    case '\r':
      return {Key::kEnter};
    case KEY_BACKSPACE:
    case KEY_LEFT:
    case 27:  // Escape
    case 127:
      return {Key::kBack};
    case 'q':
    case 'Q':
      return {Key::kQuit};
    default:
      return {Key::kOther, code > 0 && code < 128 ? static_cast<char>(code) : '\0'};
  }
}

// A terminal that has gone has no keys and no wait: it says so at once, again and again.
bool has_gone() {
  pollfd terminal{STDIN_FILENO, POLLIN, 0};
  return poll(&terminal, 1, 0) == 1 && (terminal.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

}  // namespace

TopScreen::TopScreen() {
  if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1) return;
  std::setlocale(LC_CTYPE, "");
  screen_ = newterm(nullptr, stdout, stdin);
  if (screen_ == nullptr) return;
  set_escdelay(50);
  cbreak();
  noecho();
  keypad(stdscr, TRUE);
  curs_set(0);
}

TopScreen::~TopScreen() {
  if (screen_ == nullptr) return;
  endwin();
  delscreen(static_cast<SCREEN*>(screen_));
}

std::size_t TopScreen::columns() const noexcept { return static_cast<std::size_t>(COLS); }

void TopScreen::draw(const Picture& picture) {
  erase();
  int y = 0;
  for (const std::string& line : picture.top) put_line(y++, line, 0);
  put_line(y++, picture.heading, A_REVERSE);
  const auto room = static_cast<std::size_t>(std::max(LINES - y - 1, 1));
  first_ = std::min(first_, picture.selected);
  if (picture.selected >= first_ + room) first_ = picture.selected - room + 1;
  for (std::size_t i = first_; i < picture.rows.size() && i < first_ + room; ++i) {
    put_line(y++, picture.rows[i], i == picture.selected ? A_BOLD | A_UNDERLINE : 0);
  }
  put_line(LINES - 1, picture.help, A_REVERSE);
  refresh();
}

Press TopScreen::wait(std::uint64_t milliseconds) {
  timeout(static_cast<int>(std::min<std::uint64_t>(milliseconds, 1 << 30)));
  const int code = getch();
  return code == ERR && has_gone() ? Press{Key::kQuit} : press_of(code);
}

}  // namespace bufpool
