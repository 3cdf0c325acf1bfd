# SPDX-License-Identifier: MIT
"""Shows programs a terminal of a given size, keeps what they write on it, and draws that as SVG."""

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
from xml.sax.saxutils import escape

PLAIN, BOLD, UNDERLINE, REVERSE = 0, 1, 4, 7
SEQUENCE = re.compile(rb"\x1b\[([?>]?)([\d;]*)([A-Za-z@`])|\x1b[()][A-Z0-9]|\x1b[=>78]")
LEAVES = b"\x1b[?1049l"  # the program gives the screen back


class Screen:
    """What ncurses writes for TERM=xterm."""

    def __init__(self, rows, columns):
        self.size = rows, columns
        self.row, self.column, self.style = 0, 0, PLAIN
        self.cells = [[(" ", PLAIN)] * columns for _ in range(rows)]

    def feed(self, data):
        """Takes as much as is complete, and returns the rest."""
        while data:
            if data[:1] == b"\x1b":
                match = SEQUENCE.match(data)
                if match is None:
                    return data
                self.obey(match)
                data = data[match.end():]
            else:
                self.put(data[:1])
                data = data[1:]
        return data

    def put(self, byte):
        if byte == b"\r":
            self.column = 0
        elif byte == b"\n":
            self.row = min(self.row + 1, self.size[0] - 1)
        elif byte == b"\b":
            self.column = max(self.column - 1, 0)
        elif byte >= b" ":
            self.column = min(self.column, self.size[1] - 1)
            self.cells[self.row][self.column] = (byte.decode("latin-1"), self.style)
            self.column += 1

    def obey(self, match):
        if not match.group(3) or match.group(1):
            return
        numbers = [int(number or 0) for number in match.group(2).split(b";")]
        first = max(numbers[0], 1)
        letter = match.group(3).decode()
        if letter == "H":
            self.row, self.column = first - 1, max(numbers[-1] if len(numbers) > 1 else 1, 1) - 1
        elif letter in "ABCD":
            down, right = {"A": (-1, 0), "B": (1, 0), "C": (0, 1), "D": (0, -1)}[letter]
            self.row += down * first
            self.column += right * first
        elif letter == "d":
            self.row = first - 1
        elif letter in "G`":
            self.column = first - 1
        elif letter == "m":
            self.style = next((n for n in numbers if n in (BOLD, UNDERLINE, REVERSE)), PLAIN)
        elif letter == "b":
            before = self.cells[self.row][self.column - 1]
            for _ in range(first):
                self.cells[self.row][self.column] = before
                self.column += 1
        elif letter in "JKX":
            self.erase(letter, numbers[0], first)

    def erase(self, letter, kind, count):
        rows, columns = self.size
        begin = 0 if kind else self.column
        end = min(self.column + count, columns) if letter == "X" else columns
        if letter == "X":
            begin = self.column
        elif kind == 1:
            end = self.column + 1
        self.cells[self.row][begin:end] = [(" ", PLAIN)] * (end - begin)
        if letter == "J":
            for row in range(0 if kind else self.row + 1, rows):
                self.cells[row] = [(" ", PLAIN)] * columns

    def lines(self):
        return ["".join(text for text, _ in row).rstrip() for row in self.cells]


def start(command, rows, columns):
    """Returns the process's number and its terminal."""
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.environ["TERM"] = "xterm"
        os.execvp(command[0], command)
    return child, terminal


def screen_of(command, rows, columns, seconds):
    """Runs a command until it leaves the screen. Returns the screen as it was before that."""
    child, terminal = start(command, rows, columns)
    screen, data, has_left = Screen(rows, columns), b"", False
    end = time.monotonic() + seconds
    while not has_left:
        if not select.select([terminal], [], [], max(end - time.monotonic(), 0))[0]:
            raise TimeoutError(f"{command[0]} does not end; its screen: {screen.lines()}")
        try:
            data, has_left, _ = (data + os.read(terminal, 1 << 16)).partition(LEAVES)
        except OSError as error:
            raise RuntimeError(f"{command[0]} has ended: {screen.lines()}") from error
        data = screen.feed(data)
    os.close(terminal)
    os.waitpid(child, 0)
    return screen


def runs(row):
    """Yields the column, the text and the style of each part of a row that has one style."""
    begin = 0
    for at in range(1, len(row) + 1):
        if at == len(row) or row[at][1] != row[begin][1]:
            yield begin, "".join(text for text, _ in row[begin:at]), row[begin][1]
            begin = at


CELL_WIDTH, CELL_HEIGHT, MARGIN = 8.43, 20, 16
STYLE = """
.frame { fill: #161b22; } text { fill: #d6dde6; white-space: pre;
font: 14px "DejaVu Sans Mono", Menlo, Consolas, monospace; }
.bar { fill: #3a4757; } .s1, .s7 { font-weight: bold; fill: #ffffff; }
.s4 { text-decoration: underline; fill: #ffffff; }"""


def drawn(screen, title):
    """Returns the text of an SVG file."""
    rows, columns = screen.size
    width = columns * CELL_WIDTH + 2 * MARGIN
    height = rows * CELL_HEIGHT + 2 * MARGIN
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
             f'width="{width:.0f}" height="{height:.0f}" role="img">',
             f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>",
             '<rect class="frame" width="100%" height="100%" rx="8"/>']
    for number, row in enumerate(screen.cells):
        top = MARGIN + number * CELL_HEIGHT
        for column, text, style in runs(row):
            left, length = MARGIN + column * CELL_WIDTH, len(text) * CELL_WIDTH
            if style == REVERSE:
                parts.append(f'<rect class="bar" x="{left:.1f}" y="{top:.1f}" '
                             f'width="{length:.1f}" height="{CELL_HEIGHT}"/>')
            shown = text.rstrip()
            if shown:
                length = len(shown) * CELL_WIDTH
                parts.append(f'<text class="s{style}" x="{left:.1f}" y="{top + 14.5:.1f}" '
                             f'textLength="{length:.1f}" xml:space="preserve">'
                             f"{escape(shown)}</text>")
    return "\n".join([*parts, "</svg>", ""])
