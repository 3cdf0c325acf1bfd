# SPDX-License-Identifier: MIT
"""Programs that allocate, free, and go idle: a burst, many threads, a Python of byte arrays."""

import contextlib
import select
import subprocess
import sys
import tempfile

from benchlib.allocators import BenchError
from benchlib.resident import Watch
from benchlib.rows import BYTEARRAYS
from benchlib.scenario import Scenario, by_row, idle_rows

WORD_TIMEOUT = 90  # seconds; some allocators take ten for a burst
END_TIMEOUT = 10
THREAD_BYTES = 1024 * 1024


class Talk:
    """A program that says a line when it has got somewhere, and goes on when spoken to."""

    def __init__(self, process, complaints):
        self.process = process
        self.complaints = complaints
        self.pid = process.pid

    def hear(self, word):
        """Waits for a line that begins with `word`; what follows it."""
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
        """Lets it end, which must succeed: a crash at exit counts."""
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
        self.numbers = [str(size), str(burst_bytes)]
        self.offsets = offsets

    def run(self, allocator, wanted, keep):
        values = self.idle(allocator, keep)
        values[f"{self.name}/again"] = self.again(allocator)
        return values

    def idle(self, allocator, keep):
        command = [self.program, "idle", *self.numbers]
        with talk(command, allocator.environment()) as program, Watch(program.pid) as watch:
            program.hear("live")
            values = {f"{self.name}/live": watch.now()}
            program.tell()
            program.hear("idle")
            values |= by_row(self.name, watch.after(self.offsets))
        keep(self.name, watch.samples)
        return values

    def again(self, allocator):
        with talk([self.program, "again", *self.numbers], allocator.environment()) as program:
            return float(program.hear("again")[0])


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
    """The row py/bytearrays with a look at its memory, its 64 arrays still alive."""

    name = "python-bytearrays"
    names = [name]
    rows = {f"{name}/cpu": "ms", f"{name}/resident": "MiB", f"{name}/peak": "MiB"}

    def __init__(self, count):
        script = BYTEARRAYS.format(count=count)
        script += "import sys, time\nprint('done', time.process_time(), flush=True)\n"
        script += "sys.stdin.read()\n"
        self.command = [sys.executable, "-I", "-S", "-c", script]

    def run(self, allocator, wanted, keep):
        with talk(self.command, allocator.environment()) as program, Watch(program.pid) as watch:
            seconds = float(program.hear("done")[0])
            values = {f"{self.name}/cpu": seconds * 1000,
                      f"{self.name}/resident": watch.now(),
                      f"{self.name}/peak": peak_mib(program.pid)}
        keep(self.name, watch.samples)
        return values


def peak_mib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    raise BenchError("no VmHWM in /proc")
