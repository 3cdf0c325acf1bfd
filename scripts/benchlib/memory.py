# SPDX-License-Identifier: MIT
"""Measures resident memory, ours and the peers': one process after the other, with nothing else
at work."""

import subprocess
import time
from dataclasses import dataclass
from fnmatch import fnmatchcase

from benchlib.allocators import BenchError, check_loaded
from benchlib.build import compile_program
from benchlib.memory_container import Container
from benchlib.memory_phases import Phases
from benchlib.memory_programs import Burst, ByteArrays, Threads
from benchlib.memory_redis import Redis
from benchlib.memory_varnish import Varnish
from benchlib.resident import AXES, MIB, Plot
from benchlib.scenario import Skipped


@dataclass(frozen=True)
class Scale:
    redis_live: int  # bytes
    burst: int  # bytes
    threads: int
    cache: int  # bytes
    cache_seconds: int
    bytearrays: int
    phase_rounds: int
    # Memory is looked at after so many seconds without a call.
    idle_redis: tuple
    idle_burst: tuple
    idle_threads: tuple


FULL = Scale(280 * MIB, 2048 * MIB, 2000, 256 * MIB, 14, 10000, 100000,
             (3, 12), (0.5, 1, 2, 3, 6, 12), (3, 12))
QUICK = Scale(64 * MIB, 512 * MIB, 500, 64 * MIB, 3, 3000, 5000, (1,), (0.5, 1, 2, 3), (1,))


def scenarios(root, build_folder, scale, burst_mib, say):
    burst = compile_program(root, build_folder, "burst_memory")
    threads = compile_program(root, build_folder, "threads_memory")
    phases = compile_program(root, build_folder, "phases_memory")
    burst_bytes = burst_mib * MIB if burst_mib else scale.burst
    return [
        Redis(scale.redis_live, scale.idle_redis),
        Burst(burst, 64 * 1024, "64K", burst_bytes, scale.idle_burst),
        Burst(burst, MIB, "1M", burst_bytes, scale.idle_burst),
        Threads(threads, scale.threads, scale.idle_threads, say),
        Varnish(scale.cache, scale.cache_seconds),
        ByteArrays(scale.bytearrays),
        Phases(phases, scale.phase_rounds),
        Container(burst, say),
    ]


def chosen(every, patterns):
    """Returns pairs of a scenario and its names that are wanted, in order."""
    names = [name for scenario in every for name in scenario.names]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise BenchError(f"no scenario matches {pattern!r}; there are: {' '.join(names)}")
    found = [(scenario, [name for name in scenario.names
                         if any(fnmatchcase(name, pattern) for pattern in patterns)])
             for scenario in every]
    return [(scenario, wanted) for scenario, wanted in found if wanted]


def every_scenario(root, arguments, say):
    scale = QUICK if arguments.quick else FULL
    return scenarios(root, arguments.build, scale, arguments.burst_mib, say)


def names(root, arguments):
    every = every_scenario(root, arguments, print)
    found = chosen(every, arguments.scenarios.split(","))
    return [name for _, wanted in found for name in wanted]


def measure(root, arguments, allocators, results):
    say = results.say
    if arguments.quick:
        say("NOTE: smaller loads, idle for 3 s at most. What is promised after 12 s is not judged; "
            "idle memory's budget does not shrink with the load, so ratios are worse than in full")
    for allocator in allocators:
        check_loaded(allocator, compile_program(root, arguments.build, "rows"))
    every = every_scenario(root, arguments, say)
    plot = Plot(arguments.csv)
    results.header()
    for scenario, wanted in chosen(every, arguments.scenarios.split(",")):
        start = time.monotonic()
        measure_one(scenario, wanted, allocators, arguments.rounds or 1, plot, results)
        say(f"# {', '.join(wanted)}: {time.monotonic() - start:.0f} s")


def measure_one(scenario, wanted, allocators, rounds, plot, results):
    takes_part = [a for a in allocators if a.ours or not scenario.ours_only]
    rows = {row: unit for row, unit in scenario.rows.items() if row.split("/")[0] in wanted}
    samples = {row: {a.name: [] for a in takes_part} for row in rows}
    try:
        if not takes_part:
            raise Skipped("none of ours takes part")
        scenario.prepare()
        for turn in range(rounds):
            at = turn % len(takes_part)
            for allocator in takes_part[at:] + takes_part[:at]:
                values = one_run(scenario, wanted, allocator, turn, plot, results.say)
                for row, by_name in samples.items():
                    by_name[allocator.name].append(values.get(row))
    except Skipped as reason:
        results.skip(wanted, str(reason))
        return
    for row, unit in rows.items():
        results.add(row, unit, samples[row], lower_is_better=not unit.endswith("per second"))


def one_run(scenario, wanted, allocator, turn, plot, say):
    def keep(name, found, axes=AXES):
        plot.add(name, turn, allocator.name, found, axes)

    try:
        return scenario.run(allocator, wanted, keep)
    except (BenchError, OSError, ValueError, subprocess.SubprocessError) as error:
        say(f"FAILED: {', '.join(wanted)} under {allocator.name}: {error}")
        return {}
