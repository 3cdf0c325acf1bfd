#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Promise: `run` changes nothing about a command but its allocator: pid, signals, status. With
--record it leaves the last figures however the command ends."""

import json
import os
import pathlib
import shutil
import signal
import subprocess

from command import (BUFPOOL, HOLDER, LIMIT, PYTHON, Process, Skip, environment, folder, main,
                     plain, report_of, run, said, totals, until)

KILLS_ITSELF = HOLDER.replace("os._exit(0)", "os.kill(os.getpid(), 9)")


def record_folders():
    return {str(path) for path in pathlib.Path("/dev/shm").glob("bufpool-record.*")}


def test_status_is_kept():
    for words in ((), ("--record", "/dev/null")):
        assert run("run", *words, "--", "sh", "-c", "exit 3", code=3).stdout == ""
        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV):
            run("run", *words, "--", "sh", "-c", f"kill -{int(number)} $$", code=-number)
        assert run("run", *words, "--", "echo", "-n", "--help").stdout == "--help"


def test_status_is_kept_where_children_are_ignored():
    def ignore():
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for words in ((), ("--record", "/dev/null")):
        run("run", *words, "--", "sh", "-c", "exit 3", code=3, preexec_fn=ignore)
        done = run("run", *words, "--", "grep", "SigIgn", "/proc/self/status", preexec_fn=ignore)
        assert int(done.stdout.split()[1], 16) >> (signal.SIGCHLD - 1) & 1, done.stdout


def test_own_failures():
    said(run("run", "--", "bufpool-no-such-command", code=127), "no such command", "doctor")
    said(run("run", "--record", "/dev/null", "--", "bufpool-no-such-command", code=127))
    said(run("run", "--", "/etc/passwd", code=126), "/etc/passwd")
    said(run("run", "-s", "NO_SUCH=1", "--", "true", code=125), "BUFPOOL_NO_SUCH")
    said(run("run", "-s", "MODE", "--", "true", code=125), "KEY=VALUE")
    said(run("run", "--record", "/no/such/folder/x", "--", "true", code=125), "/no/such/folder/x")
    run("run", code=125)
    run("no-such-verb", code=125)
    run("run", "--interval", "soon", "--", "true", code=125)


def test_pid_is_kept():
    with subprocess.Popen([BUFPOOL, "run", "--", "sh", "-c", "echo $$"], stdout=subprocess.PIPE,
                          text=True, env=environment()) as process:
        assert int(process.stdout.read()) == process.pid


def test_preloads_are_kept():
    env = environment(LD_PRELOAD="/x/libbufpool.so:/y/libother.so")
    done = run("run", "--", "sh", "-c", "echo $LD_PRELOAD", env=env)
    parts = done.stdout.strip().split(":")
    assert len(parts) == 2 and parts[1] == "/y/libother.so", parts
    assert os.path.samefile(parts[0], os.path.join(os.path.dirname(BUFPOOL), "libbufpool.so"))


def test_variables_are_set():
    done = run("run", "-s", "retain_max=16M", "-s", "BUFPOOL_MODE=locked", "--", "sh", "-c",
               "echo $BUFPOOL_RETAIN_MAX $BUFPOOL_MODE")
    assert done.stdout == "16M locked\n"


def test_record_of_a_killed_process():
    before = record_folders()
    with folder() as path:
        name = path / "recording"
        done = run("run", "--record", name, "--interval", "1h", "--", PYTHON, "-c", KILLS_ITSELF,
                   code=-9, input="ssx")
        assert f"bufpool report {name}" in done.stderr, done.stderr
        report = report_of(name)
        held = {row["size"]: row["in_use"] for row in report["classes"]}
        assert held["112K"] >= 20 and held["5K"] >= 300, held
        last = json.loads(name.read_text().splitlines()[-1])
        assert last["signal"] == 9
        assert run("report", name).stdout.startswith(f"bufpool[{report['pid']} ")
        with open(name, "a", encoding="utf-8") as file:
            file.write('{"time_ms": 1, "report": {"schema": 1, "pid"')
        assert report_of(name) == report, "a line that was cut short is left out"
    assert record_folders() <= before, "no folder is left"


def test_record_of_several():
    with folder() as path:
        name = path / "recording"
        script = f"{PYTHON} -c '{KILLS_ITSELF}' <&3; exit 5"
        with open("/dev/null", encoding="utf-8") as nothing:
            run("run", "--record", name, "--", "sh", "-c", f"exec 3<&0; {script}", code=5,
                stdin=nothing)
        samples = [json.loads(line) for line in name.read_text().splitlines()]
        pids = {sample["report"]["pid"] for sample in samples if "report" in sample}
        assert len(pids) >= 1 and samples[-1]["exit_code"] == 5
        report = report_of(name)
        assert totals(report, "gets") > 300, "the busiest is reported"
        assert report_of(name, "--pid", report["pid"]) == report
        run("report", name, "--pid", "1", code=125)
        rows = run("report", name, "-f", "csv").stdout.splitlines()
        assert len(rows) > len(report["classes"])


def test_record_in_a_namespace_of_its_own():
    """The process calls itself 1 there. What process 1 of the machine uses is not recorded."""
    enter = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
    if shutil.which("unshare") is None or subprocess.run([*enter, "true"], capture_output=True,
                                                         check=False).returncode != 0:
        raise Skip("no namespaces can be made here")
    with folder() as path:
        name = path / "recording"

        def samples():
            lines = [json.loads(line) for line in name.read_text().split("\n")[:-1]]
            reports = [plain(line["report"]) for line in lines if "report" in line]
            return [report for report in reports if report["pid"] == 1]
        with subprocess.Popen([BUFPOOL, "run", "--record", name, "--interval", "10ms", "--", *enter,
                               PYTHON, "-c", KILLS_ITSELF], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, env=environment()) as process:
            assert process.stdout.read(1) == b"r"
            until(lambda: len(samples()) >= 3)
            process.stdin.close()
            process.wait(timeout=LIMIT)
        for report in samples():
            assert report["resident"] == report["cpu_time_ms"] == 0, report


def test_signals_are_passed_on():
    ends = "import signal,os\nsignal.signal(15, lambda *_: os._exit(7))\n" + HOLDER
    with folder() as path:
        with Process(ends, words=("--record", str(path / "recording"))) as process:
            process.popen.terminate()
            assert process.popen.wait(timeout=LIMIT) == 7


def test_all_signals_are_passed_on():
    wanted = (signal.SIGWINCH, signal.SIGALRM, signal.SIGABRT, signal.SIGPWR, signal.SIGCONT,
              signal.SIGRTMIN + 3)
    shows = ("import signal,os\nfor number in %s:\n signal.signal(number, lambda got, _: "
             "os.write(1, bytes([got])))\n" % str([int(number) for number in wanted])) + HOLDER
    with Process(shows, words=("--record", "/dev/null")) as process:
        for number in wanted:
            process.popen.send_signal(number)
            assert process.popen.stdout.read(1)[0] == number, number
        assert process.end() == 0


def test_recording_that_nobody_takes():
    """The command goes on where the recording cannot be written any more."""
    run("run", "--record", "/dev/full", "--", "true", code=125)
    with folder() as path:
        pipe = path / "pipe"
        os.mkfifo(pipe)
        with subprocess.Popen([BUFPOOL, "run", "--record", pipe, "--interval", "10ms", "--",
                               PYTHON, "-c", HOLDER.replace("_exit(0)", "_exit(3)")],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                              stderr=subprocess.PIPE, env=environment()) as process:
            with open(pipe, encoding="utf-8") as reader:
                assert reader.readline().startswith('{"recording"')
            assert process.stdout.read(1) == b"r"
            assert b"the recording ends here" in process.stderr.readline()
            process.stdin.close()
            assert process.wait(timeout=LIMIT) == 3


def test_samples_come_in_between():
    with folder() as path:
        name = path / "recording"
        with Process(words=("--record", str(name), "--interval", "10ms")) as process:
            while len(name.read_text().splitlines()) < 4:
                pass
            assert process.end() == 0
        samples = [json.loads(line) for line in name.read_text().splitlines()]
        times = [sample["time_ms"] for sample in samples if "report" in sample]
        assert times == sorted(times) and len(times) >= 3


main(globals())
