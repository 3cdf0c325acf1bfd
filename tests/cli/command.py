# SPDX-License-Identifier: MIT
"""What the tests of the command share. A test is called as

  tests/cli/NAME_test.py path/to/bufpool path/to/libbufpool.so

and runs its functions test_*; it ends with 0, 1 or 77 (skipped). No test depends on how fast the
machine is: they wait for what must come, and a limit is for what hangs."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import traceback

LIMIT = 300  # seconds
BUFPOOL = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else ""
PYTHON = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable

# Holds buffers, and does one step for each letter that it reads: s asks for a few new buffers, of a
# size that it had not asked for. It ends without tidying up.
HOLDER = """
import os
held = [bytearray(100_000) for _ in range(20)] + [bytearray(5_000) for _ in range(300)]
size = 200_000
os.write(1, b"r")
while os.read(0, 1) == b"s":
    size += 50_000
    held.append([bytearray(size) for _ in range(4)])
os._exit(0)
"""


class Skip(Exception):
    """The test cannot be done here."""


def environment(**more):
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith("BUFPOOL_") and name != "LD_PRELOAD"}
    return clean | {"BUFPOOL_REPORT": "off", "NO_COLOR": "1"} | more


def run(*words, code=0, env=None, **more):
    """Runs the command. It must end with the code, and is never killed by a signal."""
    done = subprocess.run([BUFPOOL, *map(str, words)], capture_output=True, text=True,
                          timeout=LIMIT, env=env or environment(), check=False, **more)
    codes = code if isinstance(code, tuple) else (code,)
    assert done.returncode in codes, (words, done.returncode, done.stdout[-2000:], done.stderr)
    return done


def said(done, *parts):
    """Errors are one line, which has all parts."""
    for part in parts:
        assert part in done.stderr, (part, done.stderr)
    assert len(done.stderr.splitlines()) == 1, done.stderr


@contextlib.contextmanager
def folder(where=None):
    with tempfile.TemporaryDirectory(prefix="bufpool-cli-", dir=where) as name:
        yield pathlib.Path(name)


class Process:
    """A program under the pool."""

    def __init__(self, program=HOLDER, words=(), **variables):
        self.popen = subprocess.Popen(
            [BUFPOOL, "run", *words, "--", PYTHON, "-c", program], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, bufsize=0, env=environment(**variables))
        self.pid = self.popen.pid
        assert self.popen.stdout.read(1) == b"r", "it comes up"

    def step(self):
        self.popen.stdin.write(b"s")

    def end(self):
        self.popen.stdin.close()
        status = self.popen.wait(timeout=LIMIT)
        self.popen.stdout.close()
        return status

    def kill(self):
        self.popen.kill()
        self.end()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.popen.returncode is None:
            self.kill()


def until(condition):
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def totals(report, name):
    return sum(row[name] for row in report["classes"])


UNITS = ("_buffers", "_bytes", "_requests", "_drains", "_events", "_state")


def plain(report):
    """The report with keys that have no units."""
    def short(key):
        if key in ("buffer_bytes", "cpu_cache_bytes"):
            return key
        return next((key[:-len(unit)] for unit in UNITS if key.endswith(unit)), key)
    return {short(key): [plain(row) for row in value] if key == "classes" else value
            for key, value in report.items()}


def report_of(target, *words):
    return plain(json.loads(run("report", target, "--format", "json", *words).stdout))


def main(names):
    """Runs the test functions among the names."""
    if not BUFPOOL:
        sys.exit(__doc__)
    failed, skipped = 0, 0
    tests = [(name, test) for name, test in names.items() if name.startswith("test_")]
    for name, test in tests:
        try:
            test()
            print(f"{name}: ok", flush=True)
        except Skip as why:
            skipped += 1
            print(f"{name}: skipped: {why}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"{name}: FAILED", flush=True)
            traceback.print_exc()
    sys.exit(1 if failed else 77 if skipped == len(tests) else 0)
