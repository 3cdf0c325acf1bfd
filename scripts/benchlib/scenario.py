# SPDX-License-Identifier: MIT
"""Has what the scenarios of scripts/bench memory have in common."""


class Skipped(Exception):
    """Says why a scenario cannot be run here at all."""


class Scenario:
    """Runs a process, or a few, under one allocator after the other. A subclass has `names`, and
    `rows`, which maps NAME/WHAT to a unit."""

    ours_only = False

    def prepare(self):
        """Prepares all runs, once. It raises Skipped if there can be none."""

    def run(self, allocator, wanted, keep):
        """Maps rows to values. `wanted` are those of `names` that are asked for. `keep(name,
        samples)` takes what was seen over time. Raises Skipped, or the error of what went wrong."""
        raise NotImplementedError


def idle_rows(name, offsets):
    return {f"{name}/{offset}s": "MiB" for offset in offsets}


def by_row(name, found):
    return {f"{name}/{offset}s": mib for offset, mib in found.items()}
