# SPDX-License-Identifier: MIT
"""What the scenarios of scripts/bench memory have in common."""


class Skipped(Exception):
    """Why a scenario cannot be run here at all."""


class Scenario:
    """A process (or a few) under one allocator after the other. A subclass has `names`, and
    `rows`: NAME/WHAT -> unit."""

    ours_only = False

    def prepare(self):
        """Once before all runs; raises Skipped."""

    def run(self, allocator, wanted, keep):
        """Row -> value. `wanted` are those of `names` that are asked for; `keep(name,
        samples)` takes what was seen over time. Raises Skipped, or whatever went wrong."""
        raise NotImplementedError


def idle_rows(name, offsets):
    return {f"{name}/{offset}s": "MiB" for offset in offsets}


def by_row(name, found):
    return {f"{name}/{offset}s": mib for offset, mib in found.items()}
