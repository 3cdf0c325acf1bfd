# SPDX-License-Identifier: MIT
"""Measures a redis whose values change their sizes, and what is left of it after FLUSHALL."""

import os
import random
import socket
import tempfile

from benchlib.allocators import BenchError, libc_path
from benchlib.nginx import find_program
from benchlib.resident import Watch
from benchlib.scenario import Scenario, Skipped, by_row, idle_rows
from benchlib.servers import maps, server

KIB = 1024
# Each phase overwrites what the one before it left. The keys are drawn at random.
PHASES = ((1, 4), (4, 32), (16, 128), (1, 64))
TURNOVER = 2  # bytes a phase writes, in proportion to what is live
PIPELINE_BYTES = 1024 * KIB
PIPELINE_COMMANDS = 256  # their answers fit a socket's buffer, so that neither side blocks
TIMEOUT = 60


class Client:
    """Sends commands in a pipeline. All answers are one line."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(TIMEOUT)
        self.socket.connect(path)
        self.parts = []
        self.bytes = 0
        self.commands = 0

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.socket.close()

    def send(self, *words):
        self.parts.append(b"*%d\r\n" % len(words))
        for word in words:
            self.parts += [b"$%d\r\n" % len(word), word, b"\r\n"]
            self.bytes += len(word)
        self.commands += 1
        if self.commands >= PIPELINE_COMMANDS or self.bytes >= PIPELINE_BYTES:
            self.flush()

    def flush(self):
        """Sends what is left, and returns the last answer."""
        self.socket.sendall(b"".join(self.parts))
        answers = b""
        while answers.count(b"\n") < self.commands:
            received = self.socket.recv(65536)
            if not received:
                raise BenchError("redis hung up")
            answers += received
        lines = answers.split(b"\r\n")[:-1]
        for line in lines:
            if line[:1] not in (b"+", b":"):
                raise BenchError(f"redis said {line!r}")
        self.parts, self.bytes, self.commands = [], 0, 0
        return lines[-1] if lines else b""


class Churn:
    """Draws keys and the sizes of their values, in the same sequence in every run."""

    def __init__(self, client, live_bytes):
        self.client = client
        self.most = live_bytes
        self.live = 0
        self.sizes = {}
        self.keys = []
        self.dice = random.Random(1)
        self.material = memoryview(random.Random(2).randbytes(2 * PHASES[2][1] * KIB))

    def phase(self, smallest, largest):
        written = 0
        while written < TURNOVER * self.most:
            size = int(smallest * (largest / smallest) ** self.dice.random())
            self.put(self.some_key(size), size)
            while self.live > self.most:
                self.drop(self.dice.randrange(len(self.keys)))
            written += size
        self.client.flush()

    def some_key(self, size):
        if self.live + size > self.most:
            return self.dice.choice(self.keys)
        key = b"key:%d" % self.dice.getrandbits(60)
        self.keys.append(key)
        return key

    def put(self, key, size):
        start = self.dice.randrange(len(self.material) - size)
        self.client.send(b"SET", key, self.material[start:start + size])
        self.live += size - self.sizes.get(key, 0)
        self.sizes[key] = size

    def drop(self, at):
        key, self.keys[at] = self.keys[at], self.keys[-1]
        self.keys.pop()
        self.client.send(b"DEL", key)
        self.live -= self.sizes.pop(key)


class Redis(Scenario):
    names = ["redis-churn", "redis-flushall"]

    def __init__(self, live_bytes, offsets):
        self.live_bytes = live_bytes
        self.offsets = offsets
        self.rows = {row_of(phase): "MiB" for phase in PHASES}
        self.rows |= idle_rows("redis-flushall", offsets)

    def prepare(self):
        try:
            self.program = find_program("redis-server")
        except BenchError as error:
            raise Skipped(str(error)) from error

    def run(self, allocator, wanted, keep):
        with tempfile.TemporaryDirectory(prefix="bufpool-redis-") as folder:
            address = os.path.join(folder, "socket")
            command = [self.program, "--port", "0", "--unixsocket", address, "--dir", folder,
                       "--save", "", "--appendonly", "no", "--daemonize", "no"]
            # Debian's redis is linked with jemalloc, which would serve it without any preload.
            library = allocator.path or libc_path()
            with (server(command, allocator.environment(library), address,
                         os.path.join(folder, "log")) as process,
                  Client(address) as client, Watch(process.pid) as watch):
                if not maps(process.pid, library):
                    raise BenchError(f"{library} is not loaded")
                values = self.load(client, watch)
                if "redis-flushall" in wanted:
                    values |= self.flush(client, watch)
        keep("redis", watch.samples)
        return values

    def load(self, client, watch):
        churn = Churn(client, self.live_bytes)
        values = {}
        for phase in PHASES:
            watch.phase = row_of(phase)
            churn.phase(*(kib * KIB for kib in phase))
            values[row_of(phase)] = watch.now()
        client.send(b"DBSIZE")
        if client.flush() != b":%d" % len(churn.keys):
            raise BenchError(f"redis lost some of its {len(churn.keys)} keys")
        return values

    def flush(self, client, watch):
        client.send(b"FLUSHALL", b"SYNC")
        client.flush()
        return by_row("redis-flushall", watch.after(self.offsets, "flushed"))


def row_of(phase):
    return f"redis-churn/{phase[0]}K-{phase[1]}K"
