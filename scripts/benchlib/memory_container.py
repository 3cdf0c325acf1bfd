# SPDX-License-Identifier: MIT
"""Measures the budget that ours gives itself in a container of 128 MiB."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time

from benchlib.allocators import BenchError, clean_environment
from benchlib.resident import MIB
from benchlib.scenario import Scenario, Skipped

LIMIT = 128 * MIB
FIELD = "budget_max"
CGROUPS = "/sys/fs/cgroup"
BURST = ("again", str(64 * 1024), str(16 * MIB))
TIMEOUT = 30
# The wrapped command comes as arguments, because the shell itself is not to be preloaded.
JOIN = 'echo $$ > "$0/cgroup.procs" && exec "$@"'
PRETEND = (f'mount --bind "$0/tree" {CGROUPS} && mount --bind "$0/self" /proc/$$/cgroup '
           '&& exec "$@"')


def own_paths():
    """Maps controllers ("" for version 2) to paths, as this process sees them."""
    with open("/proc/self/cgroup", encoding="utf-8") as file:
        fields = [line.rstrip("\n").split(":", 2) for line in file]
    return {controllers: path for _, controllers, path in fields}


def upwards(top, path):
    """Returns the folders from that path up to `top`."""
    here = os.path.join(top, path.lstrip("/")).rstrip("/")
    while here.startswith(top):
        yield here
        here = os.path.dirname(here)


def candidates():
    """Returns pairs of a folder in which a cgroup with a memory limit may be made, and the limit's
    file. They are as near to our own cgroup as can be, so that what limits us limits it too."""
    for controllers, path in own_paths().items():
        if "memory" in controllers.split(","):
            for folder in upwards(os.path.join(CGROUPS, "memory"), path):
                yield folder, "memory.limit_in_bytes"
        if not controllers:
            for folder in upwards(CGROUPS, path):
                # A controller that is off stays off, because switching it on would change other
                # people's cgroups.
                with contextlib.suppress(OSError):
                    with open(os.path.join(folder, "cgroup.subtree_control"),
                              encoding="ascii") as file:
                        if "memory" in file.read().split():
                            yield folder, "memory.max"


def remove(folder):
    """Removes a cgroup. It may be busy for a moment if its last process has just ended."""
    for _ in range(50):
        try:
            os.rmdir(folder)
            return
        except OSError:
            time.sleep(0.02)


def new_cgroup():
    """Returns the folder of a new cgroup, or None if none may be made."""
    for parent, limit in candidates():
        folder = os.path.join(parent, f"bufpool-bench-{os.getpid()}")
        try:
            os.mkdir(folder)
        except OSError:
            continue
        try:
            with open(os.path.join(folder, limit), "w", encoding="ascii") as file:
                file.write(str(LIMIT))
            return folder
        except OSError:
            remove(folder)
    return None


@contextlib.contextmanager
def real_cgroup():
    """Returns the words in front of a command that runs inside, or None if there is no way."""
    folder = new_cgroup()
    try:
        yield folder and ["sh", "-c", JOIN, folder]
    finally:
        if folder:
            remove(folder)


@contextlib.contextmanager
def pretended_cgroup():
    """Returns the same with files of ours in the place of the kernel's, for programs that read
    them."""
    with tempfile.TemporaryDirectory(prefix="bufpool-cgroup-") as folder:
        os.mkdir(os.path.join(folder, "tree"))
        files = {"self": "0::/", "tree/cgroup.controllers": "memory", "tree/memory.max": LIMIT,
                 "tree/memory.high": "max"}
        for name, content in files.items():
            with open(os.path.join(folder, name), "w", encoding="ascii") as file:
                file.write(f"{content}\n")
        user = [] if os.geteuid() == 0 else ["--map-root-user"]
        words = ["unshare", "--mount", *user, "sh", "-c", PRETEND, folder]
        yield words if works(words) else None


def works(words):
    try:
        result = subprocess.run([*words, "true"], env=clean_environment(), capture_output=True,
                                timeout=TIMEOUT)
    except (OSError, subprocess.SubprocessError):
        return False
    return result.returncode == 0


class Container(Scenario):
    name = "container-128M"
    names = [name]
    rows = {f"{name}/budget": "MiB"}
    ours_only = True

    def __init__(self, program, say):
        self.command = [program, *BURST]
        self.say = say

    def run(self, allocator, wanted, keep):
        with real_cgroup() as words:
            if words and works(words):
                return self.budget(allocator, words)
        with pretended_cgroup() as words:
            if words:
                self.say(f"NOTE: {self.name}: no cgroup can be made here; files pretend one")
                return self.budget(allocator, words)
        raise Skipped("neither a cgroup nor a mount namespace can be made here")

    def budget(self, allocator, words):
        with tempfile.TemporaryDirectory(prefix="bufpool-report-") as folder:
            path = os.path.join(folder, "report.json")
            report = {"BUFPOOL_REPORT": path, "BUFPOOL_REPORT_FORMAT": "json",
                      "BUFPOOL_REPORT_MIN": "1"}
            variables = dict(allocator.variables, **report, LD_PRELOAD=allocator.path)
            settings = [f"{name}={value}" for name, value in variables.items()]
            result = subprocess.run(
                [*words, shutil.which("env") or "env", *settings, *self.command],
                env=clean_environment(), capture_output=True, text=True, timeout=TIMEOUT)
            if result.returncode != 0:
                raise BenchError(f"exit {result.returncode} {result.stderr.strip()[-300:]}")
            with open(path, encoding="utf-8") as file:
                document = json.load(file)
        if FIELD not in document:
            raise Skipped(f"the report of {allocator.name} has no {FIELD!r}")
        return {f"{self.name}/budget": document[FIELD] / MIB}
