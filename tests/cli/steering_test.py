#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Promise: `trim` and `reset` steer a living process, and `doctor` says why the pool is not
active: a static program, set-uid, a relative path, a filter, a variable, another allocator."""

import os
import shutil
import subprocess
import time

from command import (BUFPOOL, HOLDER, LIMIT, PYTHON, Process, Skip, environment, folder, main,
                     report_of, run, said, totals)

# Frees most of what it holds before it waits.
FREES = HOLDER.replace('os.write(1, b"r")', 'del held[:]\nos.write(1, b"r")')


def ask(process, *words, code=0):
    """The process answers at its next slow path, so it is made to take some."""
    with subprocess.Popen([BUFPOOL, words[0], str(process.pid), *words[1:]], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=environment()) as asked:
        end = time.monotonic() + LIMIT
        while asked.poll() is None and time.monotonic() < end:
            process.step()
            time.sleep(0.05)
        text = asked.stdout.read()
        assert asked.wait(timeout=LIMIT) == code, text
        return text


def test_trim():
    with Process(FREES, BUFPOOL_RETAIN_TIME="1440m", BUFPOOL_TRIMMER="off") as process:
        before = report_of(process.pid)
        assert totals(before, "idle") > 1_000_000, before
        assert ": done; idle " in ask(process, "trim", "--wait", "100s")
        after = report_of(process.pid)
        assert totals(after, "purged") > totals(before, "purged"), after
        assert after["trims"] > before["trims"], after


def test_reset():
    with Process(FREES) as process:
        def peak(report):
            return {row["size"]: row["in_use_peak"] for row in report["classes"]}["112K"]
        assert peak(report_of(process.pid)) >= 20
        ask(process, "reset", "--wait", "100s")
        assert peak(report_of(process.pid)) < 20


def test_report_to_its_own_file():
    with folder() as path:
        file = path / "reports"
        with Process(BUFPOOL_REPORT=str(file), BUFPOOL_TRIMMER="on") as process:
            for count in range(1, 4):
                done = run("report", process.pid, "--append", "--wait", "100s")
                assert "has appended a report" in done.stdout, done
                assert file.read_text().count("mode ") == count, file.read_text()


def test_report_without_a_thread_yet():
    with folder() as path:
        file = path / "reports"
        with Process(BUFPOOL_REPORT=str(file)) as process:
            assert "appended" in ask(process, "report", "--append", "--wait", "100s")
            assert str(process.pid) in file.read_text()


def test_report_that_cannot_be():
    with folder() as path:
        said_no = []
        for variables in ({"BUFPOOL_REPORT": "stderr"},
                          {"BUFPOOL_REPORT": str(path / "none" / "file"), "BUFPOOL_TRIMMER": "on"},
                          {"BUFPOOL_REPORT": str(path / "file"), "BUFPOOL_TRIMMER": "off"}):
            with Process(**variables) as process:
                said_no.append(ask(process, "report", "--append", "--wait", "100s", code=1))
        assert all("cannot append a report" in said for said in said_no), said_no
        assert not list(path.iterdir()), list(path.iterdir())
        (path / "file").touch()
        said(run("report", path / "file", "--append", code=125), "is a file")


def test_no_answer():
    with Process(BUFPOOL_TRIMMER="off") as process:
        done = run("trim", process.pid, "--wait", "20ms", code=1)
        said(done, "not answered", str(process.pid))


def test_doctor_of_living_processes():
    with Process() as process:
        done = run("doctor", process.pid)
        assert "the pool is active" in done.stdout, done
        assert f"try: bufpool report {process.pid}" in done.stdout, done
    with Process(BUFPOOL_DISABLE="1") as process:
        assert "BUFPOOL_DISABLE=1" in run("doctor", process.pid, code=1).stdout
    with Process(BUFPOOL_STATS="off") as process:
        assert "BUFPOOL_STATS=off" in run("doctor", process.pid, code=1).stdout
    with Process(BUFPOOL_STATS="/nowhere/at/all") as process:
        assert "names a folder" in run("doctor", process.pid, code=1).stdout
    with Process(BUFPOOL_DISABLE="no", BUFPOOL_STATS="OFF") as process:
        found = run("doctor", process.pid, code=1).stdout
        assert "BUFPOOL_STATS=off" in found and "DISABLE" not in found, found


def test_doctor_of_commands_that_are_left_out():
    name = os.path.basename(PYTHON)
    for variables in ({"BUFPOOL_ONLY": "redis-*"}, {"BUFPOOL_SKIP": "py*"}):
        (variable, value), = variables.items()
        with Process(**variables) as process:
            found = run("doctor", process.pid, code=1).stdout
            assert f"{variable}={value}" in found and name in found, found
            assert "try again later" not in found, found
        found = run("doctor", PYTHON, code=1, env=environment(**variables)).stdout
        assert f"{variable}={value}" in found and "DISABLE" not in found, found
    # The trial is made for the command, and for what a script is for.
    env = environment(BUFPOOL_ONLY=name)
    assert "comes up here" in run("doctor", PYTHON, env=env).stdout
    with folder() as path:
        script = path / "script"
        script.write_text(f"#!{PYTHON}\n")
        script.chmod(0o755)
        assert "comes up here" in run("doctor", script, env=env).stdout
    found = run("doctor", env=environment(BUFPOOL_ONLY="redis-*"), code=1).stdout
    assert "BUFPOOL_ONLY=redis-*" in found and "DISABLE" not in found, found
    assert "comes up here" in run("doctor", env=environment(BUFPOOL_DISABLE="off")).stdout


def test_forked_children_without_a_page():
    forks = HOLDER.replace("os._exit(0)", "pass").replace(
        'os.write(1, b"r")', 'child = os.fork()\nos.write(1, b"r")\nif child: os.wait()')
    with Process(forks) as process:
        path = f"/proc/{process.pid}/task/{process.pid}/children"
        with open(path, encoding="utf-8") as children:
            child = children.read().split()[0]
        said(run("report", child, code=125), child, "128th miss")
        found = run("doctor", child).stdout
        assert "128th miss" in found, found


def doctor_of(words, env, **more):
    with subprocess.Popen(words, env=env, stderr=subprocess.DEVNULL, **more) as process:
        try:
            # It is the program once its name is.
            while b"sleep" not in open(f"/proc/{process.pid}/cmdline", "rb").read():
                time.sleep(0.01)
            return run("doctor", process.pid, code=1).stdout
        finally:
            process.kill()


def test_doctor_of_processes_without_it():
    said_so = doctor_of(["sleep", "1000"], environment())
    assert "LD_PRELOAD did not have the library" in said_so, said_so
    with folder() as path:
        os.mkdir(path / "lib")
        env = environment(LD_PRELOAD="lib/libbufpool.so")
        assert "a relative path" in doctor_of(["sleep", "1000"], env, cwd=path)
        env = environment(LD_PRELOAD=f"{path}/libbufpool.so")
        assert "not there" in doctor_of(["sleep", "1000"], env)


def test_doctor_of_commands():
    assert "try: bufpool run -- ls" in run("doctor", "ls").stdout
    said(run("doctor", "bufpool-no-such-command", code=127), "no such command")
    assert "no program" in run("doctor", "/etc/passwd", code=1).stdout
    with folder() as path:
        script = path / "script"
        script.write_text("#!/usr/bin/env python3\n")
        script.chmod(0o755)
        assert "is a script for" in run("doctor", script, code=(0, 1)).stdout
        set_uid = path / "set-uid"
        shutil.copy("/bin/true", set_uid)
        set_uid.chmod(0o4755)
        assert "set-uid" in run("doctor", set_uid, code=1).stdout
        newer = path / "python3.12"
        shutil.copy("/bin/true", newer)
        assert "TRIMMER=off" in run("doctor", newer).stdout


def test_doctor_of_a_static_program():
    if shutil.which("gcc") is None:
        raise Skip("there is no gcc")
    with folder() as path:
        (path / "own.c").write_text("void *malloc(unsigned long n) { return (void *)n; }\n"
                                    "int main(void) { return malloc(0) != 0; }\n")
        made = subprocess.run(["gcc", "-static", "-o", path / "static", path / "own.c"],
                              capture_output=True, check=False)
        if made.returncode == 0:
            assert "statically" in run("doctor", path / "static", code=1).stdout
        subprocess.run(["gcc", "-fno-builtin", "-rdynamic", "-o", path / "own", path / "own.c"],
                       check=True)
        assert "defines malloc itself" in run("doctor", path / "own", code=1).stdout


def test_doctor_says_what_is_wrong_here():
    done = run("doctor", env=environment(BUFPOOL_REPROT="off"))
    assert "BUFPOOL_REPROT" in done.stdout, done
    done = run("doctor", env=environment(BUFPOOL_DISABLE="1"), code=1)
    assert "BUFPOOL_DISABLE" in done.stdout, done
    done = run("config", env=environment(BUFPOOL_REPROT="off"), code=1)
    assert "BUFPOOL_REPROT" in done.stderr, done


def test_doctor_of_damaged_programs():
    with folder() as path:
        whole = bytearray(open("/bin/true", "rb").read())
        program = path / "program"
        for length in (0, 3, 4, 60, 64, 100, 1000, len(whole) // 2):
            program.write_bytes(whole[:length])
            run("doctor", program, code=(0, 1))
        for at in range(16, 0x400, 4):
            wild = bytearray(whole)
            wild[at:at + 4] = b"\xff\xff\xff\x7f"
            program.write_bytes(wild)
            if at % 32 == 0:
                run("doctor", program, code=(0, 1))


main(globals())
