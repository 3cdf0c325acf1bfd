# SPDX-License-Identifier: MIT
"""Runs server processes that are certain to be gone afterwards."""

import contextlib
import os
import signal
import socket
import subprocess
import time

from benchlib.allocators import BenchError

START_TIMEOUT = 10
STOP_TIMEOUT = 5


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(address):
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as probe:
        probe.settimeout(1)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True


@contextlib.contextmanager
def server(command, variables, address, log):
    """Runs `command` until the block ends. `address` is a (host, port) or a socket's path."""
    with open(log, "w+", encoding="utf-8", errors="replace") as output:
        process = subprocess.Popen(
            command, env=variables, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True,
        )
        try:
            wait_until_up(process, address, output)
            yield process
        finally:
            stop(process)


def wait_until_up(process, address, output):
    deadline = time.monotonic() + START_TIMEOUT
    while not accepts(address):
        if process.poll() is not None or time.monotonic() > deadline:
            output.seek(0)
            raise BenchError(f"{process.args[0]} does not come up: {output.read()[-500:]}")
        time.sleep(0.02)


def stop(process):
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    # It has a session of its own, so that workers are found even if their master crashed.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def maps(pid, library):
    """Tells whether the process has the file mapped. The loader only warns of a preload that
    fails."""
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as file:
        return os.path.realpath(library) in file.read()


def cpu_seconds(pid):
    """Returns user and system time of the process, of all its threads."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
