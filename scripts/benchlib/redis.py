# SPDX-License-Identifier: MIT
"""Measures requests per second of a redis server with values of a buffer's size."""

import csv
import os
import subprocess
import tempfile

from benchlib.allocators import BenchError, libc_path
from benchlib.nginx import find_program
from benchlib.servers import server

VALUE_SIZES = (16384, 65536)
KEYS = 1000
LOAD_TIMEOUT = 120


def measure(allocators, rounds, requests, results, say):
    programs = [find_program(name) for name in ("redis-server", "redis-benchmark")]
    for size in VALUE_SIZES:
        samples = {test: {a.name: [] for a in allocators} for test in ("SET", "GET")}
        for turn in range(rounds):
            at = turn % len(allocators)
            for allocator in allocators[at:] + allocators[:at]:
                rates = one_run(programs, allocator, size, requests, say)
                for test, by_name in samples.items():
                    by_name[allocator.name].append(rates.get(test))
        for test, by_name in samples.items():
            row = f"redis/{test.lower()}-{size // 1024}K"
            results.add(row, "requests per second", by_name, lower_is_better=False)


def one_run(programs, allocator, size, requests, say):
    """Maps tests to requests per second. It is empty if the run failed."""
    try:
        with tempfile.TemporaryDirectory(prefix="bufpool-redis-") as folder:
            return load(programs, allocator, size, requests, folder)
    except (BenchError, OSError, subprocess.SubprocessError) as error:
        say(f"FAILED: redis under {allocator.name}: {error}")
        return {}


def load(programs, allocator, size, requests, folder):
    # Debian's redis is linked with jemalloc, which would serve it without any preload.
    variables = allocator.environment(allocator.path or libc_path())
    address = os.path.join(folder, "socket")
    command = [programs[0], "--port", "0", "--unixsocket", address, "--dir", folder,
               "--save", "", "--appendonly", "no", "--daemonize", "no"]
    with server(command, variables, address, os.path.join(folder, "log")):
        result = subprocess.run(
            [programs[1], "-s", address, "-t", "set,get", "-d", str(size), "-n", str(requests),
             "-r", str(KEYS), "-c", "32", "--csv"],
            capture_output=True, text=True, timeout=LOAD_TIMEOUT, check=True,
        )
    lines = csv.reader(result.stdout.splitlines())
    rates = {line[0]: float(line[1]) for line in lines if line and line[0] in ("SET", "GET")}
    if len(rates) != 2:
        raise BenchError(f"redis-benchmark said {result.stdout!r}")
    return rates
