#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Promise: `bufpool report --format html` makes one file that a browser shows without fetching
anything, without an error and without a script. It is readable at 400 and at 1600 pixels, on a
light and on a dark page, and it has the figures of the other forms. What others wrote is text in
it, whatever it is. BUFPOOL_PICTURES=FOLDER keeps the screenshots."""

import json
import os
import pathlib
import re

import browser
from command import BUFPOOL, HOLDER, PYTHON, Process, Skip, environment, folder, main, run

PICTURES = os.environ.get("BUFPOOL_PICTURES")

# Texts of one picture must not touch, nor leave the page. A table may scroll in its own box.
LABELS = """(() => {
  const faults = [];
  for (const picture of document.querySelectorAll("svg.frame")) {
    const boxes = [...picture.querySelectorAll("text")].map(
      text => [text.textContent, text.getBoundingClientRect()]);
    boxes.forEach(([name, box], i) => {
      if (box.left < 0 || box.right > innerWidth) faults.push(name + " is cut");
      if (box.height < 9) faults.push(name + " is small");
      for (const [other, at] of boxes.slice(i + 1)) {
        if (box.left < at.right && at.left < box.right && box.top < at.bottom &&
            at.top < box.bottom) faults.push(name + " touches " + other);
      }
    });
  }
  for (const cell of document.querySelectorAll(".value, .name, dd, h1, h2, li")) {
    if (cell.scrollWidth > cell.clientWidth && getComputedStyle(cell).display !== "inline")
      faults.push(cell.textContent + " does not fit");
  }
  return faults;
})()"""

# The contrast of all texts with what is behind them, by the formula of WCAG 2; the least is told.
CONTRAST = """(() => {
  const canvas = document.createElement("canvas").getContext("2d");
  const light = colour => {
    canvas.fillStyle = "#000"; canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const parts = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map(byte => byte / 255)
      .map(part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const opaque = colour => !/rgba|transparent|color\\(/.test(colour);
  let least = [99, ""];
  for (const one of document.querySelectorAll("body *")) {
    if (![...one.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
    if (one.closest("title")) continue;
    let behind = one;
    while (!opaque(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement;
    const style = getComputedStyle(one);
    const pair = [one.namespaceURI.endsWith("svg") ? style.fill : style.color,
                  getComputedStyle(behind).backgroundColor].map(light).sort((a, b) => b - a);
    const contrast = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (contrast < least[0]) least = [contrast, one.textContent.slice(0, 40)];
  }
  return least;
})()"""


def tab():
    path = browser.program()
    if path is None:
        raise Skip("Chromium is not installed")
    return browser.Browser(path)


def page_of(target, path, *words):
    run("report", target, "--format", "html", "-o", path, *words)
    return path


def brightness(colours):
    pixels = sum(colours.values())
    return sum(sum(colour) * count for colour, count in colours.items()) / (3 * 255 * pixels)


def look(tab_, page, width, is_dark):
    """Shows the page, checks what holds for each, and returns how bright it is."""
    tab_.open(page.as_uri(), width, is_dark)
    faults = [event["params"] for event in tab_.events if event["method"] in
              ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")]
    assert not faults, faults
    asked_for = [event["request"]["url"] for event in tab_.heard("Network.requestWillBeSent")]
    assert asked_for == [page.as_uri()], asked_for
    assert tab_.value("document.scripts.length") == 0
    wide = tab_.value("document.documentElement.scrollWidth")
    assert wide == width, f"{page.name}: {wide} pixels wide on {width}"
    assert tab_.value(LABELS) == [], (page.name, width, tab_.value(LABELS))
    contrast, text = tab_.value(CONTRAST)
    assert contrast >= 4.5, (page.name, is_dark, contrast, text)
    if PICTURES:
        name = f"{page.stem}-{width}-{'dark' if is_dark else 'light'}.png"
        pathlib.Path(PICTURES, name).write_bytes(tab_.screenshot())
    colours = browser.colours(tab_.screenshot(scale=1 / 8 if width < 800 else 1 / 16))
    assert len(colours) > 50, f"{page.name} is blank: {len(colours)} colours"
    return brightness(colours)


def look_everywhere(tab_, page):
    for width in (400, 1600):
        light, dark = (look(tab_, page, width, is_dark) for is_dark in (False, True))
        assert dark < 0.4 < 0.6 < light, (page.name, width, light, dark)


def recording(path):
    run("run", "--record", path, "--interval", "10ms", "--", PYTHON, "-c", HOLDER,
        input="s" * 20)
    return path


def samples(values):
    """A recording with a sample for each value, of a second each; all figures of it are that."""
    for at, value in enumerate(values):
        row = {"size": "64K", "buffer_bytes": 65600, "gets": value, "hits": 0, "misses": value,
               "in_use_buffers": 0, "retained_bytes": value, "asked_bytes": value,
               "granted_bytes": value}
        report = {"schema": 2, "pid": 5, "command": "many", "version": "1", "mode": "rseq",
                  "uptime_ms": 1000 * at, "resident_bytes": value, "classes": [row]}
        yield json.dumps({"time_ms": 1_700_000_000_000 + 1000 * at, "report": report}) + "\n"


def test_recording():
    with folder() as path, tab() as tab_:
        page = page_of(recording(path / "recording"), path / "recording.html")
        look_everywhere(tab_, page)
        names = tab_.value('[...document.querySelectorAll("h2")].map(one => one.textContent)')
        assert {"What to change", "Memory", "Misses a second", "Hit rate by class",
                "Misses by class", "All classes"} <= set(names), names
        assert tab_.value('document.querySelectorAll("path.line").length') >= 4
        report = json.loads(run("report", path / "recording", "--format", "json").stdout)
        cells = tab_.value('[...document.querySelectorAll("tfoot tr > *")].map('
                           'one => one.textContent)')
        gets, misses = (sum(row[name] for row in report["classes"]) for name in ("gets", "misses"))
        assert cells[0] == f"all {len(report['classes'])}", cells
        assert cells[1] == f"{gets:,}" and cells[3] == f"{misses:,}", (cells, gets, misses)
        rows = tab_.value('[...document.querySelectorAll("tbody th")].map(one => one.textContent)')
        assert rows == [row["size"] for row in report["classes"]], rows


def test_living_process():
    with folder() as path, tab() as tab_, Process() as process:
        page = page_of(process.pid, path / "living.html")
        look_everywhere(tab_, page)
        assert tab_.value('document.querySelectorAll("path.line").length') == 0
        assert tab_.value('document.querySelector(".bars .name").textContent') == "peak"
        assert str(process.pid) in tab_.value('document.querySelector(".meta").textContent')


def holders(profile, name):
    """The figures of the stacks that the section has, by their innermost calls."""
    cards = profile.value('[...document.querySelectorAll(".card")].map(card => '
                          '[card.querySelector("h2").textContent, '
                          '[...card.querySelectorAll(".holders > li")].map(one => '
                          '[one.querySelector("b").textContent, '
                          '[...one.querySelectorAll("ul li")].map(call => call.textContent)])])')
    return dict(cards)[name]


def test_holders():
    """Recorded, and of a living process. A page without samples has no such section."""
    program = pathlib.Path(BUFPOOL).parent / "tests" / "cli" / "holders"
    with folder() as path, tab() as tab_:
        file = path / "recording"
        run("run", "-s", "SAMPLE=16K", "--record", file, "--interval", "10ms", "--", program,
            input="s" * 20)
        look_everywhere(tab_, page_of(file, path / "holders.html"))
        (held, calls), = holders(tab_, "Holders")
        assert held.endswith(" MiB") and 50 < float(held.split()[0]) < 80, held
        longest = holders(tab_, "Held longest")
        assert longest and all(time.endswith("s") for time, _ in longest), longest
        with Process(BUFPOOL_SAMPLE="64K") as process:
            look_everywhere(tab_, page_of(process.pid, path / "living-holders.html"))
        assert any("python" in call for _, calls in holders(tab_, "Holders") for call in calls)
        page_of(recording(path / "without"), path / "without.html")
        assert "Holders" not in (path / "without.html").read_text()


def test_text_of_others():
    name = "<script>alert(1)</script>&\"'<b>x"
    report = {"schema": 2, "pid": 7, "command": name, "version": "</style><i>", "mode": "rseq",
              "uptime_ms": 1,
              "classes": [{"buffer_bytes": 640, "gets": 9, "granted_bytes": 9}]}
    with folder() as path, tab() as tab_:
        file = path / "report.json"
        stack = {"held_samples": 1, "held_sampled_bytes": 5, "longest_ms": 2 ** 64 - 1,
                 "frames": [0] * 9}
        sizes = [{"buffer_bytes": size, "got_samples": 1, "got_sampled_bytes": 2 ** 64 - 1}
                 for size in (2 ** 64 - 1, 0, 576)]
        profile = {"profile": 1, "every_bytes": 1, "stacks": [stack], "sizes": sizes,
                   "frames": [{"function": name + "y" * 500, "module": "</li><i>"}]}
        file.write_text(json.dumps({"time_ms": 1, "report": report, "profile": profile}))
        page = page_of(file, path / "others.html")
        look_everywhere(tab_, page)
        assert tab_.value('document.querySelector("h1").textContent') == name
        assert tab_.value('document.querySelectorAll("h1 *, i, .holders ul li *").length') == 0
        assert name in tab_.value('document.querySelector(".holders").textContent')
        assert "bufpool </style><i>" in tab_.value('document.querySelector(".meta").textContent')


def test_many_samples_and_huge_ones():
    most = 2 ** 64 - 1
    with folder() as path, tab() as tab_:
        file = path / "many"
        values = [1 << 30] * 20_000
        values[12_345] = 7 << 30
        file.write_text("".join(samples(values)))
        page = page_of(file, path / "many.html")
        assert page.stat().st_size < 200_000, page.stat().st_size
        look_everywhere(tab_, page)
        lowest = re.findall(r'class="line resident" d="([^"]*)"', page.read_text())[0]
        heights = {float(pair.split()[1]) for pair in re.split("[ML]", lowest) if pair}
        assert len(heights) == 2, f"the one peak is not drawn: {heights}"
        file.write_text("".join(samples([0, most, 1, most, most])))
        page = page_of(file, path / "huge.html")
        look_everywhere(tab_, page)
        assert not re.search(r'="[^"]*\b(nan|inf)', page.read_text())


def test_nothing_asked_for():
    with folder() as path, tab() as tab_:
        file = path / "none"
        file.write_text("".join(samples([0])))
        look_everywhere(tab_, page_of(file, path / "none.html"))


def test_file_is_complete():
    """What needs no browser."""
    with folder() as path:
        text = page_of(recording(path / "recording"), path / "page.html").read_text("utf-8")
        assert text.startswith("<!DOCTYPE html>") and text.endswith("</html>\n")
        assert not re.search(r"(src|href|url)\s*[=(]|@import|<script|https?:", text)
        out = run("report", path / "recording", "--format", "html", env=environment()).stdout
        assert out == text


main(globals())
