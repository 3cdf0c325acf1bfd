#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Promise: advice is worth its line. For each kind of it a load runs that calls for it, the line of
the advice is applied as it stands, and the same load runs again: a count says what was gained. No
count is of time."""

import json
import re
import subprocess

from command import BUFPOOL, LIMIT, PYTHON, Process, Skip, environment, folder, main, run

# What the loads have: buffers as a C program gets them.
HEAD = """
import ctypes, os
libc = ctypes.CDLL(None)
get, put = libc.malloc, libc.free
get.restype, get.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
put.restype, put.argtypes = None, [ctypes.c_void_p]
def burst(size, count, filled=False):
    held = [get(size) for _ in range(count)]
    for memory in held:
        if filled and memory: ctypes.memset(memory, 1, size)
    for memory in held: put(memory)
def pairs(size, count):
    for _ in range(count): put(get(size))
"""


def report_of_load(load, settings, limit=None):
    """Runs the load to its end. Returns its report."""
    with folder() as path:
        words = [word for setting in settings.items() for word in ("-s", "=".join(setting))]
        command = [BUFPOOL, "run", *words, "--", PYTHON, "-c", HEAD + load]
        if limit:
            command = ["/bin/sh", "-c", f'ulimit -v {limit} && exec "$@"', "sh", *command]
        subprocess.run(command, check=True, timeout=LIMIT, env=environment(
            BUFPOOL_REPORT=f"{path}/r.json", BUFPOOL_REPORT_FORMAT="json",
            BUFPOOL_REPORT_MIN="0", BUFPOOL_QUIET="1"))
        report = json.loads((path / "r.json").read_text())
        # What is told of the file is what the process told.
        told = run("advise", path / "r.json").stdout
        for sentence in report["advice"]:
            assert sentence in told, (sentence, told)
        return report


def sum_of(key):
    return lambda report: sum(row[key] for row in report["classes"])


def figure(key):
    return lambda report: report[key]


def of_class(size, key):
    return lambda report: next(row[key] for row in report["classes"] if row["size"] == size)


def waste(report):
    return sum_of("granted_bytes")(report) - sum_of("asked_bytes")(report)


def setting_in(report, words):
    """The line to set of the advice that has these words."""
    found = [line for line in report["advice"] if re.search(words, line)]
    assert len(found) == 1, (words, report["advice"])
    setting = re.search(r"set BUFPOOL_(\w+)=([^ ,]*(?:,[^ ]+)*)", found[0])
    assert setting, found
    return {setting[1]: setting[2]}


def gain(load, before, words, line, count, most_left):
    """The load with the settings `before` is advised, in these words, to set the line. With it no
    more than a part of the count is left: what is counted is what is to be less."""
    first = report_of_load(load, before)
    setting = setting_in(first, words)
    assert setting == line, (setting, line)
    second = report_of_load(load, before | setting)
    assert count(second) <= most_left * count(first), (words, count(first), count(second))
    assert not any(re.search(words, told) for told in second["advice"]), second["advice"]
    return first, second


BURSTS = "for _ in range(400): burst(65536, 28)"
PHASES = ("for _ in range(120):\n"
          "    for size in (200_000, 500_000, 1_250_000): burst(size, 2_500_000 // size, True)")
MIXED = "for _ in range(100): burst(8000, 80)\nburst(60_000, 20)"


def test_caches_that_are_too_small():
    gain(BURSTS, {"CPU_CACHE": "1M"}, "class 64K: .* CPUs' caches were full", {"CPU_CACHE": "2M"},
         of_class("64K", "misses"), 0.25)


def test_memory_that_goes_back_too_soon():
    first, second = gain(PHASES, {"RETAIN_MAX": "4M", "CPU_CACHE": "64K", "PRESSURE": "0"},
                         "had been given back shortly before", {"RETAIN_MAX": "8M"},
                         sum_of("regretted_bytes"), 0.2)
    assert sum_of("faulted_bytes")(second) < sum_of("faulted_bytes")(first)


def test_requests_above_the_range():
    gain("pairs(1_000_000, 2000)", {"MAX_SIZE": "64K"}, "above the pooled range",
         {"MAX_SIZE": "1G"}, figure("passed_above_requests"), 0)


def test_requests_below_a_raised_range():
    first, second = gain("pairs(8000, 101_000)", {"MIN_SIZE": "64K"}, "does nothing",
                         {"MIN_SIZE": "512"}, figure("passed_below_requests"), 0.9)
    assert sum_of("gets")(first) < 100 and sum_of("hits")(second) > 100_000


def test_a_program_that_gains_nothing_is_told():
    report = report_of_load("pairs(64, 101_000)\n"
                            "os._exit(0)", {"MIN_SIZE": "1M", "CLASSES": ""})
    assert any("does nothing for this program" in line for line in report["advice"]), report
    report = report_of_load("pairs(64, 101_000); pairs(5000, 200)", {})
    assert not any("does nothing" in line for line in report["advice"]), report["advice"]


def test_classes_that_are_too_far_apart():
    first, second = gain(MIXED, {"CLASSES": "4K,1M"}, "class 1M: .* granted was waste",
                         {"CLASSES": "4K,8K,1M"}, waste, 0.3)
    line = next(line for line in first["advice"] if "CLASSES" in line)
    number, unit = re.search(r"and ([\d.]+) ([MG])iB less", line).groups()
    promised = float(number) * (1 << (20 if unit == "M" else 30))
    saved = waste(first) - waste(second)
    assert 0.8 * promised < saved < 1.2 * promised, (promised, saved)


def test_the_most_buffers():
    gain("burst(65536, 150)", {"MAX_BUFFERS": "10"}, "as BUFPOOL_MAX_BUFFERS were in use",
         {"MAX_BUFFERS": "0"}, sum_of("fallbacks"), 0)


def test_locks():
    first = report_of_load("pairs(5000, 100)", {"MODE": "locked"})
    setting = setting_in(first, "mode locked")
    second = report_of_load("pairs(5000, 100)", setting)
    if second["mode"] == "locked":
        raise Skip("there are no restartable sequences here")
    assert first["mode"] == "locked" and second["mode"] == "rseq", (first["mode"], second["mode"])
    assert second["advice"] == [], second["advice"]


def test_no_pool():
    for variable, value in (("DISABLE", "1"), ("SKIP", "python*"), ("ONLY", "nothing")):
        first = report_of_load("pairs(5000, 100)", {variable: value})
        assert any(f"BUFPOOL_{variable}" in line or f"_{variable} " in line
                   for line in first["advice"]), first["advice"]
        assert sum_of("gets")(first) == 0
    assert sum_of("gets")(report_of_load("pairs(5000, 100)", {})) > 100


def test_memory_that_the_system_refuses():
    words = "the system refused"
    load = "burst(10_000_000, 200)"
    first = report_of_load(load, {}, limit=600_000)
    assert any(words in line and "ulimit -v" in line for line in first["advice"]), first["advice"]
    second = report_of_load(load, {})
    assert not any(words in line for line in second["advice"]), second["advice"]
    assert second["shortages"] == 0 < first["shortages"], (first["shortages"], second["shortages"])


def test_buffers_that_were_not_there_before():
    gain("held = [get(65536) for _ in range(2000)]", {"RETAIN_MAX": "256M"},
         "class 64K: .* not in use before", {"WARMUP": "64K:2000"},
         of_class("64K", "cold_misses"), 0.5)


def test_classes_that_need_each_others_room():
    sizes = "(65536, 81920, 98304, 114688, 131072, 163840, 196608, 229376)"
    load = f"for _ in range(1500):\n    for size in {sizes}: burst(size, 2)"
    first = report_of_load(load, {"CPU_CACHE": "512K"})
    assert sum_of("drained_misses")(first) > 1000, first["classes"]
    settings = {"CPU_CACHE": "512K"}
    for _ in range(6):
        report = report_of_load(load, settings)
        advised = [line for line in report["advice"] if "BUFPOOL_CPU_CACHE" in line]
        if not advised:
            break
        settings |= setting_in(report, "class .* set BUFPOOL_CPU_CACHE")
    assert settings["CPU_CACHE"] != "512K", first["advice"]
    assert sum_of("misses")(report) < 0.2 * sum_of("misses")(first), (first, report)


# One thread gets what another puts, each on a CPU of its own.
PASSED_ON = """
import queue, threading
cpus = sorted(os.sched_getaffinity(0))[:2]
passed, done = queue.Queue(64), queue.Queue()
def take():
    os.sched_setaffinity(0, {cpus[0]})
    for _ in range(20_000): passed.put(get(65536))
    passed.put(None)
def give():
    os.sched_setaffinity(0, {cpus[-1]})
    while (memory := passed.get()) is not None: put(memory)
threads = [threading.Thread(target=one) for one in (take, give)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_buffers_that_come_back_elsewhere():
    with open("/proc/self/status", encoding="ascii") as status:
        if not re.search(r"Cpus_allowed_list:\s*\d+[-,]", status.read()):
            raise Skip("there is one CPU")
    report = report_of_load(PASSED_ON, {"CPU_CACHE": "4M"})
    named = [line for line in report["advice"] if "class 64K" in line]
    assert len(named) == 1 and "came back on other CPUs" in named[0], report["advice"]
    row = next(row for row in report["classes"] if row["size"] == "64K")
    assert row["elsewhere_misses"] > row["misses"] / 2, row


def test_the_page_says_the_same():
    """What is told of a living process is what it tells itself, also of what it did not ask for."""
    program = HEAD + MIXED + '\nos.write(1, b"r")\nos.read(0, 1)'
    with Process(program, ("-s", "CLASSES=4K,512K,1M")) as process:
        advised = run("advise", process.pid).stdout
        assert "set BUFPOOL_CLASSES=4K,8K,512K,1M" in advised, advised
        # On few CPUs their caches have room for all, on more there is advice on that as well.
        assert re.search("try: bufpool run .*-s CLASSES=4K,8K,512K,1M -- ", advised), advised
        shown = run("classes", process.pid, "--sizes").stdout
        assert re.search(r"^ *8K +\d+ +[\d.]+ +512K +98\.\d$", shown, re.MULTILINE), shown
    with Process(HEAD + 'pairs(2_000_000_000, 2000)\nos.write(1, b"r")\nos.read(0, 1)') as process:
        advised = run("advise", process.pid).stdout
        assert "which ends at 1G" in advised and "MAX_SIZE=1G" not in advised, advised


main(globals())
