#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Promise: a page that cannot be read is told from one that may not be read, by a user who is not
root as well."""

import os
import struct
import subprocess

from command import BUFPOOL, LIMIT, PYTHON, Skip, environment, main, said

MAGIC, BYTE_ORDER, MAJOR, READY, HEADER_BYTES = b"BUFPOOL\0", 0x01020304, 2, 1, 512

# Has the bytes that it reads as its page.
HAS_PAGE = """
import mmap, os, sys
page = sys.stdin.buffer.read(512)
file = os.memfd_create("bufpool-stats")
os.truncate(file, 4096)
mapped = mmap.mmap(file, 4096)
mapped[:512] = page
os.write(1, b"r")
os.read(0, 1)
"""


def nobody():
    """The arguments that make a process another user's than root's."""
    if os.geteuid() != 0:
        return {}
    return {"user": 65534, "group": 65534, "extra_groups": []}


def header(major=MAJOR, ready=READY):
    front = MAGIC + struct.pack("HHIIII", major, 0, BYTE_ORDER, HEADER_BYTES, 4096, ready)
    return front.ljust(HEADER_BYTES, b"\0")


def with_page(page, check):
    with subprocess.Popen([PYTHON, "-c", HAS_PAGE], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          bufsize=0, cwd="/", **nobody()) as process:
        try:
            process.stdin.write(page)
            assert process.stdout.read(1) == b"r"
            check(process.pid)
        finally:
            process.kill()


def run_as_nobody(*words):
    try:
        return subprocess.run([BUFPOOL, *map(str, words)], capture_output=True, text=True, cwd="/",
                              timeout=LIMIT, env=environment(), check=False, **nobody())
    except PermissionError as error:
        raise Skip("the command lies where root alone may look") from error


def test_pages_of_other_versions():
    def check(pid):
        done = run_as_nobody("report", pid)
        assert done.returncode == 125, done
        said(done, "it was written by another major version of bufpool")
        done = run_as_nobody("ps")
        assert "with a page of another version, or a damaged one" in done.stderr, done.stderr
    with_page(header(major=MAJOR + 1), check)


def test_pages_that_are_not_ready():
    def check(pid):
        said(run_as_nobody("report", pid), "the process had not finished it")
    with_page(header(ready=0), check)


main(globals())
