#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Promise: what `report`, `stat`, `classes` and `config` say of a quiet process is what it says
itself at its exit, to the last digit, but for what the page is promised to know later."""

import csv
import io
import json
import subprocess

from command import (BUFPOOL, LIMIT, Process, environment, folder, main, plain, report_of, run,
                     totals)

# Told late, or by the process itself only: see docs/statistics-page.md.
LATE = {"uptime_ms", "passed_below", "resident", "resident_peak", "cpu_time", "advice", "classes"}
LATE_IN_CLASS = {"retained"}
TOLD_AT_ONCE = 1024


def own_report(process, path):
    assert process.end() == 0
    return plain(json.loads((path / f"{process.pid}.json").read_text()))


def same_keys(one, other, late):
    assert one.keys() == other.keys(), (one.keys(), other.keys())
    for name in one.keys() - late:
        assert one[name] == other[name], (name, one, other)


def check_report(**variables):
    with folder() as path:
        settings = {"BUFPOOL_REPORT": f"{path}/%p.json", "BUFPOOL_REPORT_FORMAT": "json",
                    "BUFPOOL_REPORT_MIN": "0", "PYTHONMALLOC": "malloc"} | variables
        with Process(**settings) as process:
            from_outside = report_of(process.pid)
            by_name = plain(json.loads(run("report", process.pid, "-f", "jsonl").stdout))
            own = own_report(process, path)
    same_keys(from_outside, own, LATE)
    same_keys(from_outside, by_name, LATE)
    assert len(own["classes"]) == len(from_outside["classes"]) >= 5
    for one, other in zip(from_outside["classes"], own["classes"]):
        same_keys(one, other, LATE_IN_CLASS)
        assert one["retained"] >= other["retained"], (one, other)
    assert 0 <= own["passed_below"] - from_outside["passed_below"] < TOLD_AT_ONCE, (
        own["passed_below"], from_outside["passed_below"])
    assert own["passed_below"] > 10 * TOLD_AT_ONCE, "there is something to be late with"


def test_report_is_that_of_the_exit():
    check_report()


def test_report_with_locks():
    check_report(BUFPOOL_MODE="locked")


def test_forms_agree():
    with Process() as process:
        report = report_of(process.pid)
        text = run("report", process.pid).stdout
        assert f" {totals(report, 'gets')} " in text and "what to change" in text, text
        metrics = run("report", process.pid, "--format", "prometheus").stdout
        rows = list(csv.DictReader(io.StringIO(run("report", process.pid, "-f", "csv").stdout)))
    gets = sum(int(line.split()[-1]) for line in metrics.splitlines()
               if line.startswith("bufpool_class_gets_total{"))
    assert gets == totals(report, "gets")
    assert sum(int(row["gets"]) for row in rows) == gets
    assert {row["command"] for row in rows} == {report["command"]}


def test_output_file_is_read_again():
    with folder() as path, Process() as process:
        name = path / "x.json"
        run("report", process.pid, "-f", "json", "-o", name)
        assert totals(plain(json.loads(name.read_text())), "gets") > 300
        assert [entry.name for entry in path.iterdir()] == ["x.json"], "no other file is left"
        again = json.loads(run("report", name, "-f", "json").stdout)
        assert again == json.loads(name.read_text())
        assert "nothing to change" in run("advise", name).stdout
        diff = run("diff", name, name).stdout.splitlines()
        assert all(line.endswith("=") for line in diff[4:19]), diff


def test_stat_has_rows():
    with Process() as process:
        lines = run("stat", process.pid, "10ms", "25", "-t").stdout.splitlines()
        assert len([line for line in lines if "gets/s" in line]) == 2, "a heading each 20 rows"
        assert len(lines) == 27
        assert len(run("stat", process.pid).stdout.splitlines()) == 2
        rows = run("stat", process.pid, "10ms", "2").stdout.splitlines()
    assert int(rows[2].split()[0]) == 0, "a quiet process asks for nothing"


def test_stat_ends_with_the_process():
    with Process() as process:
        with subprocess.Popen([BUFPOOL, "stat", str(process.pid), "10ms"], env=environment(),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as stat:
            for _ in range(3):
                assert stat.stdout.readline()
            process.kill()
            _, errors = stat.communicate(timeout=LIMIT)
            assert stat.returncode == 0 and "has ended" in errors, errors


def test_classes_are_without_gaps():
    rows = [line.split() for line in run("classes").stdout.splitlines()[1:]]
    assert rows[0][:3] == ["512", "512", "576"] and rows[-1][0] == "1G", rows
    assert rows[-1][2] == str((1 << 30) + 64)
    for before, row in zip(rows, rows[1:]):
        assert int(row[1]) == int(before[2]) + 1, row
        assert float(row[3]) < 21, row
    names = {row[0]: row[2] for row in rows}
    with Process() as process:
        for row in run("classes", process.pid).stdout.splitlines()[1:]:
            assert names[row.split()[0]] == row.split()[1], row


def test_config_of_a_process():
    with Process(words=("-s", "retain_max=16M")) as process:
        own = run("config", process.pid).stdout
    here = run("config").stdout
    row = next(line for line in own.splitlines() if "RETAIN_MAX " in line)
    assert row.split() == ["BUFPOOL_RETAIN_MAX", "16M", "environment"], row
    assert [line.split()[0] for line in own.splitlines()] == [
        line.split()[0] for line in here.splitlines()]


main(globals())
