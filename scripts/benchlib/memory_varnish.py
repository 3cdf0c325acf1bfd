# SPDX-License-Identifier: MIT
"""Measures a cache that is full and churns: varnish in front of more than it can hold."""

import contextlib
import os
import random
import statistics
import subprocess
import tempfile

from benchlib.allocators import BenchError, clean_environment, libc_path
from benchlib.nginx import BACKEND, find_program, start_nginx, wrk_figures
from benchlib.resident import MIB, Watch
from benchlib.scenario import Scenario, Skipped
from benchlib.servers import children, free_port, maps, server

FILES = 512
SMALLEST, LARGEST = 1024, MIB
SURPLUS = 2.3  # bodies there are, in proportion to the cache
CONNECTIONS = 16
STEADY_SECONDS = 5
LOAD_TIMEOUT = 30
PROGRAMS = ("varnishd", "nginx", "wrk")

# The seed makes it the same sequence under every allocator.
REQUESTS = """
math.randomseed(1)
request = function()
  return wrk.format("GET", string.format("/f%d?v=%d", math.random({files}) - 1,
                                         math.random({versions})))
end
"""


def body_sizes():
    """Returns log-uniform sizes, the same in every run."""
    ratio = LARGEST / SMALLEST
    return [int(SMALLEST * ratio ** (i / (FILES - 1))) for i in range(FILES)]


def write_bodies(folder):
    os.mkdir(folder)
    dice = random.Random(1)
    for i, size in enumerate(body_sizes()):
        with open(os.path.join(folder, f"f{i}"), "wb") as file:
            file.write(dice.randbytes(size))


class Varnish(Scenario):
    names = ["varnish"]
    rows = {"varnish/resident": "MiB", "varnish/peak": "MiB",
            "varnish/requests": "requests per second"}

    def __init__(self, cache_bytes, seconds):
        self.cache_bytes = cache_bytes
        self.seconds = seconds
        # A query makes another object of the same file.
        self.versions = max(1, round(SURPLUS * cache_bytes / sum(body_sizes())))

    def prepare(self):
        try:
            self.programs = {name: find_program(name) for name in PROGRAMS}
        except BenchError as error:
            raise Skipped(str(error)) from error

    def run(self, allocator, wanted, keep):
        ports = {"backend": free_port(), "cache": free_port()}
        with (tempfile.TemporaryDirectory(prefix="bufpool-varnish-") as folder,
              start_nginx(self.programs["nginx"], folder, "backend", BACKEND,
                          clean_environment(), ports)):
            write_bodies(os.path.join(folder, "files"))
            with self.cache(folder, allocator, ports) as pid, Watch(pid) as watch:
                rate = self.load(folder, ports)
                if not os.path.exists(f"/proc/{pid}"):  # varnish would start another
                    raise BenchError("varnish's child died")
            steady = watch.since(watch.samples[-1][0] - min(STEADY_SECONDS, self.seconds / 3))
        keep("varnish", watch.samples)
        return {"varnish/resident": statistics.median(steady),
                "varnish/peak": max(mib for _, _, mib in watch.samples),
                "varnish/requests": rate}

    @contextlib.contextmanager
    def cache(self, folder, allocator, ports):
        """Starts varnish, and yields the pid of the child that does the work."""
        address = ("127.0.0.1", ports["cache"])
        work = os.path.join(folder, "work")
        command = [self.programs["varnishd"], "-F", "-j", "none", "-n", work, "-T", "none",
                   "-a", f"127.0.0.1:{ports['cache']}", "-b", f"127.0.0.1:{ports['backend']}",
                   "-s", f"malloc,{self.cache_bytes}", "-p", "default_ttl=3600"]
        # Debian's varnish is linked with jemalloc, which would serve it without any preload.
        library = allocator.path or libc_path()
        with server(command, allocator.environment(library), address,
                    os.path.join(folder, "varnish.log")) as master:
            found = children(master.pid)
            if len(found) != 1 or not maps(found[0], library):
                raise BenchError(f"varnish has children {found}, or not with {library}")
            yield found[0]

    def load(self, folder, ports):
        """Returns the requests per second."""
        script = os.path.join(folder, "requests.lua")
        with open(script, "w", encoding="ascii") as file:
            file.write(REQUESTS.format(files=FILES, versions=self.versions))
        result = subprocess.run(
            [self.programs["wrk"], "-t1", f"-c{CONNECTIONS}", f"-d{self.seconds}s",
             "-s", script, f"http://127.0.0.1:{ports['cache']}/"],
            env=clean_environment(), capture_output=True, text=True,
            timeout=self.seconds + LOAD_TIMEOUT,
        )
        return wrk_figures(result.stdout)[1]
