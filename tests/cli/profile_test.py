#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Promise: `bufpool profile` names the calls by which a process holds its buffers, and estimates
what is held from the samples: of a living process, of a recording of one that was killed, and of
the page that one left. Programs for flame graphs and pprof read its forms."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess

from command import (BUFPOOL, HOLDER, LIMIT, Process, Skip, environment, folder, main, run, said,
                     until)

HOLDERS = pathlib.Path(BUFPOOL).parent / "tests" / "cli" / "holders"
# What tests/cli/holders.cpp does.
BYTES, HELD, HELD_LONG, RETURNED, HELD_LONG_MS = 16 << 10, 4000, 1000, 20_000, 50
SAMPLE = "16K"


@contextlib.contextmanager
def holders(program=HOLDERS, words=(), **variables):
    """The program, once it holds what it is to hold. Its number is told as well."""
    env = environment(**{"BUFPOOL_SAMPLE": SAMPLE} | variables)
    with subprocess.Popen([BUFPOOL, "run", *words, "--", program], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
                          bufsize=0) as popen:
        try:
            assert popen.stdout.read(1) == b"r"
            yield popen
        finally:
            popen.kill()


def is_close(value, expected):
    """Of the samples of 1000 buffers, or more, the deviation is 2.4% at most."""
    return abs(value - expected) < 0.25 * expected


def profile_of(target, *words):
    return json.loads(run("profile", target, "-f", "json", *words).stdout)


def stacks_of(profile, name):
    frames = [frame["function"] for frame in profile["frames"]]
    return [stack for stack in profile["stacks"] if name in [frames[n] for n in stack["frames"]]]


def figure(profile, name, key):
    return sum(stack[key] for stack in stacks_of(profile, name))


def check_figures(profile):
    assert profile["every_bytes"] == 16 << 10 and profile["dropped_samples"] == 0, profile
    assert is_close(figure(profile, "holds_for_ever", "held_buffers"), HELD), profile
    assert is_close(figure(profile, "holds_for_ever", "held_bytes"), HELD * BYTES), profile
    assert figure(profile, "holds_for_ever", "returned_samples") == 0, profile
    assert is_close(figure(profile, "returns_quickly", "got_bytes"), RETURNED * BYTES), profile
    assert figure(profile, "returns_quickly", "held_samples") == 0, profile
    assert is_close(figure(profile, "holds_long_then_frees", "got_buffers"), HELD_LONG), profile
    assert figure(profile, "holds_long_then_frees", "longest_ms") >= HELD_LONG_MS, profile
    oldest, longest = (max(stack["oldest_ms"] for stack in stacks_of(profile, "holds_for_ever")),
                       max(stack["longest_ms"] for stack in profile["stacks"]))
    assert oldest >= longest >= HELD_LONG_MS, (oldest, longest)
    sizes = [size for size in profile["sizes"] if size["got_samples"] > 10_000]
    assert [size["buffer_bytes"] for size in sizes] == [BYTES + 64], profile["sizes"]
    assert is_close(sizes[0]["got_buffers"], HELD + HELD_LONG + RETURNED), sizes


def test_living_process():
    with holders() as popen:
        check_figures(profile_of(popen.pid))
        text = run("profile", popen.pid).stdout
        first, *rest = text.split("\n\n")
        assert first.startswith(f"holders {popen.pid}, up ") and "16.0 KiB" in first, text
        names = ["Hold most now", "Not returned since", "Held longest"]
        assert [part.startswith(name) for part, name in zip(rest, names)] == [True] * 3, text
        assert "void* holders::named_by_cpp<unsigned long>(unsigned long)  (holders)" in rest[0]
        assert rest[0].index("named_by_cpp") < rest[0].index("holds_for_ever"), rest[0]
        assert "holds_for_ever" in rest[1] and "returns_quickly" not in rest[1], rest[1]
        assert "holds_long_then_frees" in rest[2], rest[2]
        assert "dropped" not in text and "other stacks" not in text, text
        one = run("profile", popen.pid, "--of", "gets", "--top", "1").stdout
        assert "(1 of " in one and "returns_quickly" in one.split("\n\n")[1], one


def collapsed(target, *words):
    lines = run("profile", target, "-f", "collapsed", *words).stdout.splitlines()
    assert all(re.fullmatch(r"[^;]+(;[^;]+)* [0-9]+", line) for line in lines), lines
    stacks = [line.rsplit(" ", 1) for line in lines]
    return [(names.split(";"), int(value)) for names, value in stacks]


def value_of(stacks, name):
    return sum(value for names, value in stacks if name in names)


def test_flame_graph():
    with holders() as popen:
        held = collapsed(popen.pid)
        assert is_close(value_of(held, "holds_for_ever"), HELD * BYTES), held
        assert value_of(held, "returns_quickly") == 0, held
        names = next(names for names, _ in held if "holds_for_ever" in names)
        assert names.index("main") < names.index("holds_for_ever") < names.index("gets_for_ever")
        assert len({tuple(names) for names, _ in held}) == len(held), "each stack is there once"
        gets = collapsed(popen.pid, "--of", "gets")
        assert is_close(value_of(gets, "returns_quickly"), RETURNED * BYTES), gets
        time = collapsed(popen.pid, "--of", "time")
        least = HELD_LONG * BYTES * HELD_LONG_MS / 1000
        assert value_of(time, "holds_long_then_frees") > least * 0.75, time
        assert value_of(time, "holds_for_ever") > value_of(time, "holds_long_then_frees"), time


def pprof(profile, *words):
    program = shutil.which("google-pprof")
    if program is None:
        raise Skip("google-pprof is not installed (google-perftools)")
    with folder() as path:
        done = subprocess.run([program, "--text", "--show_bytes", *words, HOLDERS, profile],
                              capture_output=True, text=True, timeout=LIMIT, check=True,
                              env=environment(HOME=str(path), PPROF_TMPDIR=str(path)))
    rows = [line.split() for line in done.stdout.splitlines() if "%" in line]
    return {row[5]: (int(row[0]), int(row[3])) for row in rows if len(row) > 5}


def test_pprof():
    with folder() as path, holders() as popen:
        file = path / "heap"
        run("profile", popen.pid, "-f", "pprof", "-o", file)
        text = file.read_text()
        head = re.match(r"heap profile: (\d+): (\d+) \[(\d+): (\d+)\] @ heap_v2/1\n", text)
        assert head, text[:200]
        held, held_bytes, got, got_bytes = map(int, head.groups())
        assert is_close(held_bytes, held * BYTES) and is_close(held, HELD), text[:200]
        assert is_close(got_bytes, got * BYTES), text[:200]
        assert is_close(got, HELD + HELD_LONG + RETURNED), text[:200]
        assert "\nMAPPED_LIBRARIES:\n" in text and str(HOLDERS) in text, text
        rows = pprof(file)
        assert is_close(rows["holds_for_ever"][1], HELD * BYTES), rows
        assert "returns_quickly" not in rows, rows
        rows = pprof(file, "--alloc_space")
        assert is_close(rows["returns_quickly"][1], RETURNED * BYTES), rows


def recorded(path, **variables):
    """A recording of a process that was killed."""
    file = path / "recording"
    with holders(words=("--record", file, "--interval", "10ms"), **variables) as popen:
        child = None

        def is_recorded():
            lines = [json.loads(line) for line in file.read_text().split("\n")[:-1]]
            nonlocal child
            child = next((line["report"]["pid"] for line in lines if "report" in line), None)
            return len(lines) > 3
        until(is_recorded)
        popen.stdin.write(b"s")
        assert popen.stdout.read(1) == b"s"
        os.kill(child, 9)
        popen.wait(timeout=LIMIT)
    return file


def test_recording_of_a_killed_process():
    with folder() as path:
        file = recorded(path)
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        profiles = [line["profile"] for line in lines if "profile" in line]
        assert 2 <= len(profiles) < len(lines) - 2, "the first, the last, and one a minute"
        last = profile_of(file)
        assert last == profiles[-1], (last, profiles[-1])
        assert is_close(figure(last, "holds_for_ever", "held_buffers"), HELD), last
        assert is_close(figure(last, "returns_quickly", "got_buffers"), 2 * RETURNED), last
        assert str(HOLDERS) in "".join(last["maps"]), last["maps"]
        assert value_of(collapsed(file), "holds_for_ever") > 0
        assert "holds_for_ever" in run("profile", file).stdout
        assert "/holders\n" in run("profile", file, "-f", "pprof").stdout
        assert "profile" not in json.loads(run("report", file, "-f", "json").stdout)


def test_recording_without_samples():
    with folder() as path:
        file = recorded(path, BUFPOOL_SAMPLE="off")
        assert '"profile"' not in file.read_text()
        said(run("profile", file, code=1), str(file), "BUFPOOL_SAMPLE=512K")


def test_page_of_a_killed_process():
    """Its code is not there any more, so there are addresses."""
    with folder("/dev/shm") as path:
        path.chmod(0o700)
        with holders(BUFPOOL_STATS=str(path)) as popen:
            page = next(path.iterdir())
            popen.kill()
            popen.wait(timeout=LIMIT)
        profile = profile_of(page)
        assert is_close(sum(stack["held_bytes"] for stack in profile["stacks"]), HELD * BYTES)
        assert {frame["function"] for frame in profile["frames"]} == {""}, profile["frames"]
        assert re.search(r"^      0x[0-9a-f]+$", run("profile", page).stdout, re.MULTILINE)
        assert run("profile", page, "-f", "collapsed").stdout.startswith("0x")


def test_stripped_program():
    strip = shutil.which("strip")
    if strip is None:
        raise Skip("strip is not installed (binutils)")
    with folder() as path:
        program = path / "without"
        subprocess.run([strip, "-o", program, HOLDERS], check=True)
        with holders(program=program) as popen:
            profile = profile_of(popen.pid)
            assert stacks_of(profile, "holds_for_ever") == [], profile
            assert stacks_of(profile, "__libc_start_main"), profile
            assert "without+0x" in run("profile", popen.pid).stdout
            assert any("main" not in names and any(name.startswith("without+0x") for name in names)
                       for names, _ in collapsed(popen.pid))


def test_replaced_program():
    """What the process runs is named, and not what lies in its place by now."""
    with folder() as path:
        program = path / "replaced"
        shutil.copy(HOLDERS, program)
        with holders(program=program) as popen:
            for replace in (lambda: shutil.copy("/bin/sh", program),
                            lambda: program.write_bytes(HOLDERS.read_bytes()[:4096]),
                            lambda: os.mkfifo(program)):
                program.unlink()
                replace()
                assert stacks_of(profile_of(popen.pid), "holds_for_ever")
            program.unlink()
            assert "gets_for_ever" in run("profile", popen.pid).stdout


def test_other_stacks_and_dropped_samples():
    """What there was no room for is told."""
    report = {"schema": 2, "pid": 7, "command": "x", "version": "1", "mode": "rseq",
              "uptime_ms": 1000, "classes": []}
    counts = {f"{name}_{unit}": 100 for name in ("got", "held", "returned", "old")
              for unit in ("samples", "sampled_bytes")}
    profile = {"profile": 1, "every_bytes": 1, "dropped_samples": 5, "life_ms": 1000,
               "stacks": [counts, counts | {"frames": [0, 9, -1, "x"]}, 7, {"frames": 3}],
               "frames": [{"address": 5, "function": "a;b\x1b[31m", "module": 3}],
               "sizes": [3], "maps": [{}]}
    with folder() as path:
        file = path / "recording"
        file.write_text(json.dumps({"time_ms": 1, "report": report, "profile": profile}) + "\n")
        text = run("profile", file).stdout
        assert "dropped: 5 samples" in text and "other stacks: 158 B held of 158 B" in text, text
        assert "a;b?[31m" in text and "\x1b" not in text, text
        lines = run("profile", file, "-f", "collapsed").stdout.splitlines()
        assert lines == ["[other stacks] 158", "a,b?[31m 158"], lines
        for form in ("pprof", "json"):
            run("profile", file, "-f", form)
        for wrong in ([], 7, {}, {"profile": 2}):
            file.write_text(json.dumps({"time_ms": 1, "report": report, "profile": wrong}) + "\n")
            run("profile", file, code=1)


def test_no_samples():
    with Process(HOLDER) as process:
        said(run("profile", process.pid, code=1), str(process.pid), "BUFPOOL_SAMPLE=512K",
             "bufpool run -s SAMPLE=512K")
    said(run("profile", "/no/such", code=125), "/no/such")
    said(run("profile", os.getpid(), code=125), str(os.getpid()))
    for wrong in (("--of", "x"), ("-f", "html"), ("--top", "-1")):
        run("profile", os.getpid(), *wrong, code=125)


main(globals())
