# SPDX-License-Identifier: MIT
"""Collects samples, shows them as a table, and writes them as JSON."""

import json
import os
import platform
import statistics

from benchlib.bounds import verdicts


class Results:
    def __init__(self, allocators, say, row_width=18):
        self.allocators = allocators
        self.say = say
        self.row_width = row_width
        self.rows = []
        self.skipped = []
        self.missed = 0
        self.failed = 0

    def header(self):
        names = "".join(f"{allocator.name[:11]:>12}" for allocator in self.allocators)
        self.say(f"{'row':<{self.row_width}}{names}  ratio of ours")

    def add(self, row, unit, samples, lower_is_better=True):
        """Adds a row. `samples` maps names to lists of values, with None for a run that failed."""
        medians = {}
        for name, values in samples.items():
            good = [value for value in values if value is not None]
            self.failed += len(values) - len(good)
            # One failed run spoils the row: a median of what survived would flatter it.
            medians[name] = statistics.median(good) if good and len(good) == len(values) else None
        peers = {a.name: medians.get(a.name) for a in self.allocators if not a.ours}
        judged = {
            a.name: verdicts(row, medians.get(a.name), peers, lower_is_better)
            for a in self.allocators
            if a.ours
        }
        self.missed += sum(v.word == "MISS" for found in judged.values() for v in found)
        self.rows.append(
            {
                "row": row,
                "unit": unit,
                "medians": medians,
                "samples": samples,
                "verdicts": {name: [v.plain() for v in found] for name, found in judged.items()},
            }
        )
        self.say(self.line(row, medians, judged))

    def skip(self, names, reason):
        """Notes rows that cannot be measured here. They are neither kept nor missed."""
        self.skipped += [{"scenario": name, "reason": reason} for name in names]
        self.say(f"SKIPPED: {', '.join(names)}: {reason}")

    def line(self, row, medians, judged):
        shown = [number(medians[a.name]) if a.name in medians else "-" for a in self.allocators]
        values = "".join(f"{text:>12}" for text in shown)
        alone = len(judged) == 1
        parts = [
            ("" if alone else name + ": ") + "; ".join(v.text() for v in found)
            for name, found in judged.items()
        ]
        return f"{row:<{self.row_width}}{values}  {' | '.join(parts)}"

    def write_json(self, path, settings):
        document = {
            "settings": settings,
            "machine": {
                "kernel": platform.release(),
                "libc": " ".join(platform.libc_ver()),
                "cpu": cpu_model(),
                "cpus": len(os.sched_getaffinity(0)),
            },
            "allocators": [
                {"name": a.name, "library": a.path and os.path.realpath(a.path), "ours": a.ours}
                for a in self.allocators
            ],
            "rows": self.rows,
            "skipped": self.skipped,
            "missed": self.missed,
            "failed_runs": self.failed,
        }
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.write("\n")


def number(value):
    if value is None:
        return "FAILED"
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def cpu_model():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()
