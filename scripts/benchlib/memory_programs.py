# SPDX-License-Identifier: MIT
"""Measures programs that allocate, free, and go idle: a burst, many threads, and a Python of byte
arrays."""

import contextlib
import select
import statistics
import subprocess
import sys
import tempfile

from benchlib.allocators import BenchError
from benchlib.resident import Watch
from benchlib.rows import BYTEARRAYS
from benchlib.scenario import Scenario, Skipped, by_row, idle_rows

WORD_TIMEOUT = 90  # seconds; some allocators take ten for a burst
END_TIMEOUT = 10
RUNS = 3  # of what is timed
MARGIN = 1.5
THREAD_BYTES = 1024 * 1024


class Talk:
    """Talks with a program that says a line when it has got somewhere, and then waits for one."""

    def __init__(self, process, complaints):
        self.process = process
        self.complaints = complaints
        self.pid = process.pid

    def hear(self, word):
        """Waits for a line that begins with `word`, and returns what follows the word."""
        ready, _, _ = select.select([self.process.stdout], [], [], WORD_TIMEOUT)
        line = self.process.stdout.readline().split() if ready else []
        if line[:1] != [word]:
            self.complaints.seek(0)
            raise BenchError(f"no {word!r} but {line or 'nothing'}; exit {self.process.poll()} "
                             f"{self.complaints.read()[-300:].strip()}")
        return line[1:]

    def tell(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self):
        """Lets the program end, which must succeed, because a crash at exit counts."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        if self.process.wait(END_TIMEOUT) != 0:
            raise BenchError(f"exit {self.process.returncode}")


@contextlib.contextmanager
def talk(command, variables, **how):
    with tempfile.TemporaryFile("w+", errors="replace") as complaints:
        process = subprocess.Popen(command, env=variables, stdin=subprocess.PIPE, text=True,
                                   stdout=subprocess.PIPE, stderr=complaints, **how)
        try:
            conversation = Talk(process, complaints)
            yield conversation
            conversation.end()
        finally:
            process.kill()
            process.wait()
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            process.stdout.close()


class Burst(Scenario):
    def __init__(self, program, size, size_name, burst_bytes, offsets):
        self.name = f"burst-{size_name}"
        self.names = [self.name]
        self.rows = {f"{self.name}/live": "MiB", **idle_rows(self.name, offsets),
                     f"{self.name}/again": "ns per buffer"}
        self.program = program
        self.size = size
        self.burst_bytes = burst_bytes
        self.offsets = offsets

    def prepare(self):
        if available_bytes() < MARGIN * self.burst_bytes:
            raise Skipped(f"less than {MARGIN} times the burst of {self.burst_bytes >> 20} MiB "
                          "is free; see --burst-mib")

    def run(self, allocator, wanted, keep):
        values = self.idle(allocator, keep)
        values[f"{self.name}/again"] = self.again(allocator)
        return values

    def idle(self, allocator, keep):
        with (self.start("idle", self.burst_bytes, allocator) as program,
              Watch(program.pid) as watch):
            program.hear("live")
            values = {f"{self.name}/live": watch.now()}
            program.tell()
            program.hear("idle")
            values |= by_row(self.name, watch.after(self.offsets))
        keep(self.name, watch.samples)
        return values

    def again(self, allocator):
        """Returns the least of a few processes, because all that disturbs one makes it longer. Half
        the burst tells as much of a single buffer's price."""
        taken = []
        for _ in range(RUNS):
            with self.start("again", self.burst_bytes // 2, allocator) as program:
                taken.append(float(program.hear("again")[0]))
        return min(taken)

    def start(self, mode, burst_bytes, allocator):
        command = [self.program, mode, str(self.size), str(burst_bytes)]
        return talk(command, allocator.environment())


class Threads(Scenario):
    def __init__(self, program, count, offsets, say):
        self.name = f"threads-{count}"
        self.names = [self.name]
        self.rows = {f"{self.name}/alive": "MiB", **idle_rows(self.name, offsets)}
        self.command = [program, str(count), str(THREAD_BYTES)]
        self.count = count
        self.offsets = offsets
        self.say = say

    def run(self, allocator, wanted, keep):
        with talk(self.command, allocator.environment()) as program, Watch(program.pid) as watch:
            alive = int(program.hear("alive")[0])
            if alive < self.count:
                self.say(f"NOTE: {allocator.name}: the system allowed {alive} threads at once")
            values = {f"{self.name}/alive": watch.now()}
            program.tell()
            program.hear("idle")
            values |= by_row(self.name, watch.after(self.offsets))
        keep(self.name, watch.samples)
        return values


class ByteArrays(Scenario):
    """Runs the row py/bytearrays, and looks at its memory while its 64 arrays are still alive."""

    name = "python-bytearrays"
    names = [name]
    rows = {f"{name}/cpu": "ms", f"{name}/resident": "MiB", f"{name}/peak": "MiB"}

    def __init__(self, count):
        script = BYTEARRAYS.format(count=count)
        script += "import sys, time\nprint('done', time.process_time(), flush=True)\n"
        script += "sys.stdin.read()\n"
        self.command = [sys.executable, "-I", "-S", "-c", script]

    def run(self, allocator, wanted, keep):
        runs = [self.one_run(allocator, keep) for _ in range(RUNS)]
        return {row: statistics.median(run[row] for run in runs) for row in self.rows}

    def one_run(self, allocator, keep):
        with talk(self.command, allocator.environment()) as program, Watch(program.pid) as watch:
            seconds = float(program.hear("done")[0])
            values = {f"{self.name}/cpu": seconds * 1000,
                      f"{self.name}/resident": watch.now(),
                      f"{self.name}/peak": peak_mib(program.pid)}
        keep(self.name, watch.samples)
        return values


def peak_mib(pid):
    return kib_of("VmHWM", f"/proc/{pid}/status") / 1024


def available_bytes():
    return kib_of("MemAvailable", "/proc/meminfo") * 1024


def kib_of(field, path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    raise BenchError(f"no {field} in {path}")
