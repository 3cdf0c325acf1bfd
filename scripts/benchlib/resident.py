# SPDX-License-Identifier: MIT
"""Measures resident memory of a process, once and over time."""

import csv
import os
import threading
import time

from benchlib.picture import draw

MIB = 1024 * 1024
PAGE = os.sysconf("SC_PAGE_SIZE")
INTERVAL = 0.2
AXES = ("seconds", "resident_mib")


def exact_mib(pid):
    """Returns a count by a walk of the page tables. The kernel's running count in statm may be some
    pages off."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith("Rss:"):
                    return int(line.split()[1]) / 1024
    except PermissionError:
        pass
    return quick_mib(pid)


def quick_mib(pid):
    """Returns the kernel's running count. It disturbs the process less than the walk, which keeps
    it from mapping anything meanwhile."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * PAGE / MIB


def sleep_until(moment):
    time.sleep(max(0, moment - time.monotonic()))


class Watch:
    """Samples a process in the background while the block lasts. `phase` names what it does."""

    def __init__(self, pid, phase="start"):
        self.pid = pid
        self.phase = phase
        self.samples = []  # (seconds, phase, MiB)
        self.start = time.monotonic()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.collect, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *failure):
        self.over.set()
        self.thread.join()

    def collect(self):
        while not self.over.is_set():
            try:
                self.note(quick_mib(self.pid))
            except (OSError, IndexError):
                return  # it has gone
            self.over.wait(INTERVAL)

    def note(self, mib):
        self.samples.append((time.monotonic() - self.start, self.phase, mib))
        return mib

    def now(self):
        return self.note(exact_mib(self.pid))

    def after(self, offsets, phase="idle"):
        """Maps seconds to MiB at those moments from now on."""
        self.phase = phase
        start = time.monotonic()
        found = {}
        for offset in offsets:
            sleep_until(start + offset)
            found[offset] = self.now()
        return found

    def since(self, seconds):
        """Returns what was sampled from that moment on, on the clock of `samples`."""
        return [mib for moment, _, mib in list(self.samples) if moment >= seconds]

    def elapsed(self):
        return time.monotonic() - self.start


class Plot:
    """Writes what was seen over time in each scenario: a table NAME.csv and a picture NAME.svg of
    the first round. It writes nothing without a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.lines = {}  # scenario -> {allocator: points}
        if folder:
            os.makedirs(folder, exist_ok=True)

    def add(self, scenario, turn, allocator, samples, axes):
        """Adds `samples`, which are (x, phase, y)."""
        if not self.folder:
            return
        samples = sorted(samples)
        new = scenario not in self.lines
        lines = self.lines.setdefault(scenario, {})
        lines.setdefault(allocator, [(x, y) for x, _, y in samples])
        with open(self.path(scenario, "svg"), "w", encoding="utf-8") as file:
            file.write(draw(scenario, axes, lines))
        with open(self.path(scenario, "csv"), "w" if new else "a", encoding="utf-8",
                  newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            if new:
                writer.writerow(("round", "allocator", axes[0], "phase", axes[1]))
            writer.writerows((turn, allocator, f"{x:.2f}", phase, f"{y:.2f}")
                             for x, phase, y in samples)

    def path(self, scenario, ending):
        return os.path.join(self.folder, f"{scenario}.{ending}")
