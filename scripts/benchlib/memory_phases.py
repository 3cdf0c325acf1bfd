# SPDX-License-Identifier: MIT
"""Measures whether phases of one size each add up address space and mappings over a long life."""

import subprocess

from benchlib.scenario import Scenario

AXES = ("round", "value")


class Phases(Scenario):
    """Measures the most that was seen, and what the second half of the rounds saw in proportion to
    the first, because a program may live for months."""

    name = "phases"
    names = [name]
    rows = {f"{name}/vmsize": "MiB", f"{name}/resident": "MiB", f"{name}/mappings": "mappings",
            f"{name}/vmsize-growth": "ratio", f"{name}/mappings-growth": "ratio"}

    def __init__(self, program, rounds):
        self.command = [program, str(rounds)]

    def run(self, allocator, wanted, keep):
        process = subprocess.run(self.command, env=allocator.environment(), check=True, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        lines = [[float(word) for word in line.split()] for line in process.stdout.splitlines()]
        seen = {"vmsize": [(line[0], line[1] / 1024) for line in lines],
                "resident": [(line[0], line[2] / 1024) for line in lines],
                "mappings": [(line[0], line[3]) for line in lines]}
        for what, points in seen.items():
            keep(f"{self.name}-{what}", [(x, what, y) for x, y in points], AXES)
        values = {f"{self.name}/{what}": most(points) for what, points in seen.items()}
        for what in ("vmsize", "mappings"):
            values[f"{self.name}/{what}-growth"] = growth(seen[what])
        return values


def most(points):
    return max(y for _, y in points)


def growth(points):
    half = len(points) // 2
    return most(points[half:]) / most(points[:half])
