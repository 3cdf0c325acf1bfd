#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Promise: `ps`, `top` and `export` show all processes under the pool, a thousand as well."""

import collections
import json
import os
import pathlib
import pty
import signal
import struct
import subprocess

from command import BUFPOOL, LIMIT, Process, Skip, environment, folder, main, run, until

PID_AT, PAGE_BYTES_AT, SHARDS_AT = 92, 20, 64


def small_page(page):
    """The same page with one shard."""
    at, _, stride = struct.unpack_from("III", page, SHARDS_AT)
    small = bytearray(page[:at + stride])
    struct.pack_into("I", small, SHARDS_AT + 4, 1)
    struct.pack_into("I", small, PAGE_BYTES_AT, len(small))
    return small


def shared_memory():
    if not os.access("/dev/shm", os.W_OK):
        raise Skip("there is no folder in memory")
    return "/dev/shm"


def test_living_processes():
    with Process() as one, Process() as other:
        rows = run("ps").stdout.splitlines()
        assert rows[0].split()[:3] == ["pid", "unit", "command"], rows[0]
        found = {row.split()[0]: row.split() for row in rows[1:]}
        for process in (one, other):
            row = found[str(process.pid)]
            assert row[2].startswith("python3") and row[-1][0].isdigit(), row
        pids = run("ps", "-q").stdout.split()
        assert {str(one.pid), str(other.pid)} <= set(pids), pids
        one.kill()
        assert str(one.pid) not in run("ps", "-q").stdout.split()


SHIFTED = ("unshare", "-T", "--boottime", "1000000")  # seconds, more than any test takes


def test_uptime_in_another_time_namespace():
    if subprocess.run([*SHIFTED, "true"], capture_output=True, check=False).returncode != 0:
        raise Skip("no time namespace may be made here")
    report = ("report", "--format", "json")
    with Process() as process:
        done = subprocess.run([*SHIFTED, "--", BUFPOOL, *report, str(process.pid)],
                              env=environment(), capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["uptime_ms"] < 500_000_000, done.stdout
    with Process(words=("--", *SHIFTED)) as process:
        until(lambda: json.loads(run(*report, process.pid).stdout)["uptime_ms"] > 0)


def test_thousand_pages():
    with folder(shared_memory()) as path:
        with Process(BUFPOOL_STATS=str(path)) as process:
            file, = path.iterdir()
            page = small_page(file.read_bytes())
            row, = run("ps", "--folder", path).stdout.splitlines()[1:]
            assert "(living)" in row and str(process.pid) in row, row
            process.kill()
        assert "(killed)" in run("ps", "--folder", path).stdout
        assert run("report", file).stdout.startswith(f"bufpool[{process.pid} ")
        with folder() as many:
            for pid in range(1000):
                struct.pack_into("I", page, PID_AT, pid + 1)
                (many / f"{pid + 1}.{pid:x}").write_bytes(page)
            (many / "1.bad").write_bytes(page[:5000])
            done = run("ps", "--folder", many)
    pids = [int(row.split()[0]) for row in done.stdout.splitlines()[1:]]
    assert sorted(pids) == list(range(1, 1001))
    assert ": 1 files" in done.stderr, done.stderr


def samples_of(text):
    """The samples by name and labels; each family has one HELP and one TYPE in front of it."""
    samples, heads = {}, collections.Counter()
    for line in text.splitlines():
        if line.startswith("#"):
            heads[" ".join(line.split()[1:3])] += 1
            continue
        name, value = line.rsplit(" ", 1)
        assert name not in samples, f"{name} twice"
        samples[name] = float(value)
        family = name.split("{", 1)[0]
        assert heads[f"HELP {family}"] == heads[f"TYPE {family}"] == 1, line
    return samples


def test_export():
    with folder() as path, Process() as one, Process() as other:
        name = path / "bufpool.prom"
        own = (one.pid, other.pid)
        run("export", "--group-by", "pid", "-o", name)
        each = samples_of(name.read_text())
        run("export", "-o", name)
        groups = samples_of(name.read_text())
        assert not any("pid=" in sample for sample in groups)
        assert {entry.name for entry in path.iterdir()} == {"bufpool.prom", "bufpool.prom.counts"}
        assert name.stat().st_mode & 0o777 == 0o644
        family = "bufpool_class_in_use_buffers{"
        sums = collections.Counter()
        for sample, value in each.items():
            if sample.startswith(family) and any(f'pid="{pid}"' in sample for pid in own):
                sums["class_bytes" + sample.split("class_bytes", 1)[1]] += value
        in_groups = collections.Counter()
        for sample, value in groups.items():
            if sample.startswith(family):
                in_groups["class_bytes" + sample.split("class_bytes", 1)[1]] += value
        # Other processes of the machine are in the groups, too, and come and go.
        assert sums and all(in_groups[row] >= value for row, value in sums.items())
        assert f'pid="{one.pid}"' in str(each) and f'pid="{other.pid}"' in str(each)
        units = samples_of(run("export", "--group-by", "unit").stdout)
        assert not any("comm=" in sample for sample in units)
        assert sum(value for sample, value in units.items()
                   if sample.startswith("bufpool_processes{")) >= 2


def test_export_to_a_full_disk():
    if not pathlib.Path("/dev/full").exists():
        raise Skip("there is no /dev/full")
    run("export", "-o", "/dev/full", code=125)
    run("export", "-o", "/no/such/folder/x", code=125)


def test_top_in_batch():
    with Process() as process:
        lines = run("top").stdout.splitlines()
        assert any(line.split()[0] == str(process.pid) for line in lines[2:]), lines
        done = run("top", process.pid, "-n", "2", "-d", "10ms", "--sort", "idle")
        assert done.stdout.count("class") == 2 and "112K" in done.stdout


def read_until(master, seen, *parts):
    """Reads the screen until all parts were drawn."""
    def has_all():
        seen.extend(os.read(master, 65536))
        return all(part.encode() in seen for part in parts)
    until(has_all)


def press_until(master, seen, keys, part):
    """Presses the keys until the part is drawn. The process that was chosen may end just then."""
    def has_part():
        os.write(master, keys)
        seen.extend(os.read(master, 65536))
        return part.encode() in seen
    until(has_part)


def use_keys(master, pid, top):
    seen = bytearray()
    read_until(master, seen, "processes", str(pid), "q quit")
    press_until(master, seen, b"\n", "classes of")
    os.write(master, b"\x7fijkx")
    seen.clear()
    read_until(master, seen, "processes")
    os.write(master, b"q")
    while top.poll() is None:
        try:
            os.read(master, 65536)
        except OSError:
            break
    assert top.wait() == 0


def test_top_on_a_terminal():
    with Process() as process:
        master, slave = pty.openpty()
        env = environment(TERM="xterm", LINES="30", COLUMNS="120")
        with subprocess.Popen([BUFPOOL, "top", "--sort", "pid", "-d", "20ms"], stdin=slave,
                              stdout=slave, stderr=slave, env=env) as top:
            os.close(slave)
            try:
                use_keys(master, process.pid, top)
            finally:
                top.kill()
        os.close(master)


def test_top_whose_terminal_goes():
    def stay():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with Process():
        master, slave = pty.openpty()
        env = environment(TERM="xterm", LINES="30", COLUMNS="120")
        with subprocess.Popen([BUFPOOL, "top", "-d", "100s"], stdin=slave, stdout=slave,
                              stderr=slave, env=env, preexec_fn=stay) as top:
            os.close(slave)
            os.read(master, 1)
            os.close(master)
            try:
                top.wait(timeout=LIMIT)
            finally:
                top.kill()


main(globals())
