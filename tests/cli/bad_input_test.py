#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Promise: what cannot be read gets one clear line, whatever it is: pages of other versions, cut
short or with wild offsets, files of other kinds, processes of others, and those that just died."""

import os
import random
import shutil
import struct
import subprocess

from command import BUFPOOL, HOLDER, PYTHON, Process, Skip, environment, folder, main, run, said


def page_in(path):
    """A page that a killed process left."""
    if not os.access("/dev/shm", os.W_OK):
        raise Skip("there is no folder in memory")
    with folder("/dev/shm") as pages:
        with Process(BUFPOOL_STATS=str(pages)) as process:
            file, = pages.iterdir()
            page = file.read_bytes()
            process.kill()
    (path / "page").write_bytes(page)
    return bytearray(page)


def read_as_all(name):
    """All that read files do it, or say in a line why not."""
    for verb in (("report",), ("report", "-f", "csv"), ("advise",), ("classes",)):
        done = run(*verb, name, code=(0, 125))
        if done.returncode != 0:
            said(done, "bufpool ", str(name))


def test_pages_cut_short():
    with folder() as path:
        page = page_in(path)
        assert run("report", path / "page").returncode == 0
        for length in (0, 1, 7, 8, 100, 511, 512, 600, 4000, 4096, 5000, 12000, len(page) - 1):
            (path / "cut").write_bytes(page[:length])
            done = run("report", path / "cut", code=125)
            said(done, "cut")


def test_pages_of_other_versions():
    with folder() as path:
        page = page_in(path)
        for offset, form, value, words in ((8, "H", 99, "version"), (12, "I", 0x04030201, "order"),
                                           (24, "I", 0, "finished")):
            other = bytearray(page)
            struct.pack_into(form, other, offset, value)
            (path / "other").write_bytes(other)
            said(run("report", path / "other", code=125), words)


def test_wild_pages():
    chance = random.Random(1)
    with folder() as path:
        page = page_in(path)
        for round_ in range(150):
            wild = bytearray(page)
            for _ in range(chance.randint(1, 3)):
                at = chance.randrange(0, 512 if round_ % 2 else 6000, 4)
                value = chance.choice((0, 1, 0x7fffffff, 0xffffffff, chance.getrandbits(32)))
                struct.pack_into("I", wild, at, value)
            (path / "wild").write_bytes(wild)
            done = run("report", path / "wild", code=(0, 125))
            assert done.returncode == 0 or len(done.stderr.splitlines()) == 1, done.stderr


def test_other_files():
    with folder() as path:
        os.mkfifo(path / "pipe")
        for name, text in (("empty", b""), ("text", b"hello\n"), ("zeros", bytes(100_000)),
                           ("json", b"{}"), ("list", b"[1, 2]"), ("deep", b"[" * 100_000),
                           ("schema", b'{"schema": 7, "classes": []}'),
                           ("types", b'{"schema": 1, "pid": "x", "classes": [1, {"gets": -5}]}'),
                           ("cut", b'{"schema": 1, "pid": 7, "cla')):
            (path / name).write_bytes(text)
            read_as_all(path / name)
        said(run("report", path / "pipe", code=125), "plain file")
        said(run("report", path, code=125), "plain file")
        said(run("report", "/dev/zero", code=125), "plain file")
        said(run("ps", "--folder", path / "text", code=125), "folder")


def test_processes_that_are_not_there():
    with Process() as process:
        process.kill()
    said(run("report", process.pid, code=125), str(process.pid), "bufpool ps")
    for verb in ("report", "stat", "trim", "reset", "config", "top", "doctor"):
        said(run(verb, "4194304", code=125), "4194304")
    said(run("report", "99999999999999999999", code=125), "no process")
    said(run("report", "0", code=125), "no process")
    said(run("report", "no-such-name", code=125), "no-such-name", "bufpool ps")


def test_processes_without_the_library():
    with subprocess.Popen(["sleep", "1000"]) as process:
        try:
            said(run("report", process.pid, code=125), "sleep", "not under the pool", "doctor")
        finally:
            process.kill()


def test_several_of_a_name():
    with Process() as one, Process() as other:
        rows = (line.split() for line in run("ps").stdout.splitlines())
        name = next(row[2] for row in rows if row[0] == str(one.pid))
        said(run("report", name, code=125), str(one.pid), str(other.pid))
        assert run("report", one.pid).stdout.startswith("bufpool[")


def test_processes_of_others():
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        raise Skip("not root, or no setpriv")
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if subprocess.run([*as_nobody, BUFPOOL, "-V"], capture_output=True, check=False).returncode:
        raise Skip("nobody may not run the command from here")
    with Process() as process:
        for verb in ("report", "stat", "trim", "doctor"):
            done = subprocess.run([*as_nobody, BUFPOOL, verb, str(process.pid)], check=False,
                                  capture_output=True, text=True, env=environment())
            assert done.returncode == 125, done
            said(done, str(process.pid), "root", "sudo")
        listed = subprocess.run([*as_nobody, BUFPOOL, "ps"], capture_output=True, text=True,
                                env=environment(), check=True)
        assert "sudo bufpool ps" in listed.stderr and str(process.pid) not in listed.stdout


def test_own_processes_without_rights():
    """Another user than root reads its own processes by their memory."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        raise Skip("not root, or no setpriv")
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    with subprocess.Popen([*as_nobody, BUFPOOL, "run", "--", PYTHON, "-c", HOLDER],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                          env=environment()) as process:
        try:
            if process.stdout.read(1) != b"r":
                raise Skip("nobody may not run the command from here")
            done = subprocess.run([*as_nobody, BUFPOOL, "report", str(process.pid)], check=False,
                                  capture_output=True, text=True, env=environment())
            if "ancestors" in done.stderr or "parents" in done.stderr:
                raise Skip("tracing is restricted here")
            assert done.returncode == 0 and "112K" in done.stdout, done
        finally:
            process.kill()


def code_with(words, **streams):
    return subprocess.run([BUFPOOL, *words], env=environment(), check=False, **streams).returncode


def test_output_that_cannot_be_written():
    if not os.path.exists("/dev/full"):
        raise Skip("there is no /dev/full")
    with open("/dev/full", "w", encoding="utf-8") as full:
        for words in (["ps"], ["classes"], ["config"], ["report", str(os.getpid())], ["--help"],
                      ["ps", "--help"], ["--version"]):
            code = code_with(words, stdout=full, stderr=subprocess.PIPE)
            assert code == 125, (words, code)
            # Neither can the reason be told.
            assert code_with(words, stdout=full, stderr=full) == 125, words
        for words, code in ((["run", "--", "bufpool-no-such-command"], 127),
                            (["no-such-verb"], 125),
                            (["run", "--record", "/dev/null", "--", "sh", "-c", "exit 3"], 3)):
            assert code_with(words, stderr=full) == code, words
            closed = ["sh", "-c", '"$0" "$@" 2>&-', BUFPOOL, *words]
            done = subprocess.run(closed, env=environment(), check=False)
            assert done.returncode == code, (words, done)


def test_dying_processes():
    """They are looked at while they come and go."""
    with subprocess.Popen([BUFPOOL, "run", "--", "sh", "-c",
                           f"while :; do {PYTHON} -c 'x = bytearray(100000)'; done"],
                          env=environment(), start_new_session=True) as busy:
        try:
            for _ in range(30):
                for pid in run("ps", "-q").stdout.split():
                    run("report", pid, code=(0, 125))
        finally:
            os.killpg(busy.pid, 9)


main(globals())
