#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Promise: `export` has the figures of all processes by group, as `report` has them. The counts of
a group do not fall when its processes end. promtool finds no fault with the text."""

import fcntl
import os
import re
import resource
import shutil
import signal
import stat
import subprocess
import threading

import command
from command import (BUFPOOL, LIMIT, PYTHON, Process, Skip, environment, folder, main, report_of,
                     run, said, totals)

GETS = "bufpool_class_gets_total"
ENDED_AFTER_RUNS = 4


class Servers:
    """Processes with a command that no other process of the machine has."""

    def __init__(self, path):
        self.program = path / f"holder-{os.getpid()}"
        self.program.symlink_to(PYTHON)
        self.label = f'comm="{self.program.name}"'

    def start(self):
        usual, command.PYTHON = command.PYTHON, str(self.program)
        try:
            return Process()
        finally:
            command.PYTHON = usual


def series(text, name, *parts):
    """The values of the metric's series that have all parts in their labels."""
    rows = re.findall(rf"^{name}\{{(.*)\}} (\S+)$", text, re.MULTILINE)
    return [float(value) for labels, value in rows if all(part in labels for part in parts)]


def export_to(path, *words):
    run("export", "-o", path, *words)
    return path.read_text()


def counters(text, *parts):
    names = re.findall(r"^# TYPE (\S+) counter$", text, re.MULTILINE)
    rows = [(row.rsplit(" ", 1)[0], float(row.rsplit(" ", 1)[1])) for row in text.splitlines()
            if row.startswith(tuple(f"{name}{{" for name in names))]
    return {row: value for row, value in rows if all(part in row for part in parts)}


def test_figures_are_those_of_report():
    with folder() as path:
        servers = Servers(path)
        with servers.start() as process:
            report = report_of(process.pid)
            for words in ((), ("--group-by", "pid"), ("--state", path / "counts")):
                text = run("export", *words).stdout
                assert sum(series(text, GETS, servers.label)) == totals(report, "gets")
                assert series(text, "bufpool_processes", servers.label) == [1], text
                held = sum(row["in_use"] * row["buffer_bytes"] for row in report["classes"])
                assert series(text, "bufpool_in_use_bytes", servers.label) == [held]


def test_pid_is_there_if_asked_for():
    with folder() as path, Servers(path).start() as process:
        label = f'pid="{process.pid}"'
        assert "pid=" not in run("export").stdout
        assert "comm=" not in run("export", "--group-by", "unit").stdout
        assert series(run("export", "--group-by", "pid").stdout, GETS, label)


def test_counts_never_fall():
    with folder() as path:
        servers, file = Servers(path), path / "bufpool.prom"
        with servers.start() as one, servers.start():
            both = counters(export_to(file), servers.label)
            expected = totals(report_of(one.pid), "gets") * 2
            one.kill()
            after_one = counters(export_to(file), servers.label)
        after_both = counters(export_to(file), servers.label)
        assert sum(value for row, value in both.items() if row.startswith(GETS)) == expected
        for before, after in ((both, after_one), (after_one, after_both)):
            assert before.keys() == after.keys(), (before.keys() ^ after.keys())
            assert all(after[row] >= before[row] for row in before), (before, after)
        with servers.start() as third:
            again = counters(export_to(file), servers.label)
            gets = totals(report_of(third.pid), "gets")
        found = sum(value for row, value in again.items() if row.startswith(GETS))
        assert found == expected + gets, (found, expected, gets)


def test_gauges_end_with_the_processes():
    with folder() as path:
        servers, file = Servers(path), path / "bufpool.prom"
        with servers.start():
            assert sum(series(export_to(file), "bufpool_class_in_use_buffers", servers.label)) > 0
        for _ in range(ENDED_AFTER_RUNS):
            text = export_to(file)
            assert sum(series(text, "bufpool_class_in_use_buffers", servers.label)) == 0
            assert series(text, "bufpool_processes", servers.label) == [0]
            assert not series(text, "bufpool_process_info", servers.label)
        assert series(text, "bufpool_ended_processes_total", servers.label) == [1], text


def test_counts_have_the_mode_of_the_text():
    """Whatever the mask of whoever runs it first. A file that is there keeps its mode."""
    with folder() as path:
        text, counts = path / "bufpool.prom", path / "bufpool.prom.counts"
        run("export", "-o", text, umask=0o077)
        assert [stat.S_IMODE(file.stat().st_mode) for file in (text, counts)] == [0o644] * 2
        counts.chmod(0o600)
        run("export", "-o", text)
        assert stat.S_IMODE(counts.stat().st_mode) == 0o600


def limit_files():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def test_a_failed_run_leaves_nothing():
    with folder() as path:
        counts = path / "counts"
        said(run("export", "--state", counts, code=125, preexec_fn=limit_files), str(counts))
        assert list(path.iterdir()) == []
        counts.touch()
        said(run("export", "--state", counts, code=125, preexec_fn=limit_files), str(counts))
        assert list(path.iterdir()) == [counts], "it was there before"


def test_two_at_a_time():
    with folder() as path:
        servers, file = Servers(path), path / "bufpool.prom"
        with servers.start() as process:
            threads = [threading.Thread(target=export_to, args=(file,)) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            gets = totals(report_of(process.pid), "gets")
        assert sum(series(file.read_text(), GETS, servers.label)) == gets
        assert sorted(entry.name for entry in path.iterdir()) == sorted(
            [file.name, f"{file.name}.counts", servers.program.name]), "no other file is left"


def test_a_folder_that_its_caller_locked():
    with folder() as path:
        lock = os.open(path, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        export_to(path / "bufpool.prom")
        os.close(lock)


def test_new_files_of_runs_that_were_killed():
    """In a container each run may have the number of the one before."""
    with folder() as path:
        file = path / "bufpool.prom"
        for pid in range(1, 40):
            (path / f"{file.name}.{pid}.new").touch()
        done = subprocess.run(["unshare", "-pf", "--mount-proc", BUFPOOL, "export", "-o", file],
                              env=environment(), capture_output=True, text=True, check=False)
        if "unshare" in done.stderr:
            raise Skip("no namespace may be made here")
        assert done.returncode == 0 and file.exists(), done


def test_counts_that_cannot_be_kept():
    with folder() as path:
        file = path / "bufpool.prom"
        state = path / "none" / "counts"
        said(run("export", "-o", file, "--state", state, code=125), str(state))
        assert not file.exists()
        (path / "counts").write_bytes(b"\0garbage\nclass 1\ngroup\n")
        run("export", "-o", file, "--state", path / "counts")
        said(run("export", "-o", file, "--state", path, code=125), str(path))


def test_promtool_finds_no_fault():
    if not shutil.which("promtool"):
        raise Skip("promtool is not installed")
    with folder() as path, Servers(path).start():
        for words in ((), ("--group-by", "pid"), ("--state", path / "counts")):
            text = run("export", *words).stdout
            done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                                  capture_output=True, timeout=LIMIT, check=False)
            assert done.returncode == 0 and not done.stdout + done.stderr, done


main(globals())
