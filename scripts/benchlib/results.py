# SPDX-License-Identifier: MIT
"""Samples collected, shown as a table, written as JSON."""

import json
import os
import platform
import statistics

from benchlib.bounds import verdicts


class Results:
    def __init__(self, allocators, say):
        self.allocators = allocators
        self.say = say
        self.rows = []
        self.missed = 0
        self.failed = 0

    def header(self):
        names = "".join(f"{allocator.name[:11]:>12}" for allocator in self.allocators)
        self.say(f"{'row':<18}{names}  ratio of ours")

    def add(self, row, unit, samples, lower_is_better=True):
        """`samples`: name -> list of values, None for a run that failed."""
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
                "verdicts": {name: [as_plain(v) for v in found] for name, found in judged.items()},
            }
        )
        self.say(self.line(row, medians, judged))

    def line(self, row, medians, judged):
        values = "".join(f"{number(medians.get(a.name)):>12}" for a in self.allocators)
        alone = len(judged) == 1
        parts = [
            ("" if alone else name + ": ") + "; ".join(v.text() for v in found)
            for name, found in judged.items()
        ]
        return f"{row:<18}{values}  {' | '.join(parts)}"

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
            "missed": self.missed,
            "failed_runs": self.failed,
        }
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.write("\n")


def as_plain(verdict):
    return {
        "against": verdict.against,
        "ratio": verdict.ratio,
        "limit": verdict.limit,
        "word": verdict.word,
    }


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
