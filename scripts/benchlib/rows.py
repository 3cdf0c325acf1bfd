# SPDX-License-Identifier: MIT
"""Measures the rows in a fresh process per row and allocator. The allocators take turns."""

import os
import subprocess
import sys
import threading
from fnmatch import fnmatchcase

from benchlib.allocators import BenchError, check_loaded, clean_environment
from benchlib.build import compile_program

RUN_TIMEOUT = 60  # seconds; the slowest row takes about three
STARTS = 200
# Rows whose single run is long, or is already a percentile of many, are repeated less often.
HEAVY = {"burst/*": 3, "live512/*": 2, "start/*": 3, "py/*": 2}

BYTEARRAYS = """
import random
random.seed(1)
live = [None] * 64
for _ in range({count}):
    live[random.randrange(64)] = bytearray(int(1024 * 1024 ** random.random()))
"""


def row_names(root, build_folder, patterns):
    program = compile_program(root, build_folder, "rows")
    result = subprocess.run(
        [program, "LIST"], env=clean_environment(), capture_output=True, text=True, check=True
    )
    every = result.stdout.split() + ["start/true", "py/bytearrays"]
    unmatched = [p for p in patterns if not any(fnmatchcase(name, p) for name in every)]
    if unmatched:
        raise BenchError(f"no row matches {unmatched[0]!r}; there are: {' '.join(every)}")
    return [name for name in every if any(fnmatchcase(name, p) for p in patterns)]


class Bench:
    def __init__(self, root, build_folder, allocators, milliseconds, burst_mib, quick, say):
        self.rows_program = compile_program(root, build_folder, "rows")
        self.start_program = compile_program(root, build_folder, "start_true")
        self.allocators = allocators
        self.milliseconds = milliseconds
        self.burst_mib = burst_mib
        self.quick = quick
        self.say = say
        for allocator in allocators:
            check_loaded(allocator, self.rows_program)

    def unit(self, row):
        return "us CPU" if row.startswith("py/") else "us" if row.startswith("start/") else "ns"

    def measure(self, row, rounds):
        """Maps names to samples. Each round starts with another allocator, so that none always runs
        behind the same neighbour."""
        for pattern, divisor in HEAVY.items():
            if fnmatchcase(row, pattern):
                rounds = max(1, rounds // divisor)
        samples = {allocator.name: [] for allocator in self.allocators}
        for turn in range(rounds):
            at = turn % len(self.allocators)
            order = self.allocators[at:] + self.allocators[:at]
            for name, value in self.one_round(row, order):
                samples[name].append(value)
        return samples

    def one_round(self, row, order):
        if row == "start/true":
            return self.start_true(order)
        run = self.py_bytearrays if row == "py/bytearrays" else self.run_row
        return [(allocator.name, run(row, allocator)) for allocator in order]

    def run_row(self, row, allocator):
        command = [self.rows_program, row, str(self.milliseconds), str(self.burst_mib)]
        text = self.run(command, allocator.environment(), f"{row} under {allocator.name}")
        return float(text) if text else None

    def start_true(self, order):
        # The runner itself is not preloaded; variables of ours are harmless to the others.
        variables = clean_environment()
        for allocator in order:
            variables.update(allocator.variables)
        count = STARTS // 2 if self.quick else STARTS
        command = [self.start_program, str(count), *[a.path or "-" for a in order]]
        lines = (self.run(command, variables, "start/true") or "").split()
        if len(lines) != len(order):
            return [(allocator.name, None) for allocator in order]
        return [(a.name, float(line) / 1000) for a, line in zip(order, lines)]

    def py_bytearrays(self, row, allocator):
        script = BYTEARRAYS.format(count=3000 if self.quick else 10000)
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", script], env=allocator.environment(),
            stdout=subprocess.DEVNULL,
        )
        # It is wait4 and not getrusage(RUSAGE_CHILDREN), which gives the child's own figure
        # exactly.
        killer = threading.Timer(RUN_TIMEOUT, os.kill, (process.pid, 9))
        killer.start()
        _, status, usage = os.wait4(process.pid, 0)
        killer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            self.say(f"FAILED: {row} under {allocator.name}: exit {process.returncode}")
            return None
        return (usage.ru_utime + usage.ru_stime) * 1e6

    def run(self, command, variables, what):
        try:
            result = subprocess.run(
                command, env=variables, capture_output=True, text=True, timeout=RUN_TIMEOUT
            )
        except subprocess.TimeoutExpired:
            self.say(f"FAILED: {what}: not done after {RUN_TIMEOUT} s")
            return None
        if result.returncode != 0:
            self.say(f"FAILED: {what}: exit {result.returncode} {result.stderr.strip()[:300]}")
            return None
        return result.stdout
