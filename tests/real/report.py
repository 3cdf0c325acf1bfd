# SPDX-License-Identifier: MIT
"""Reads exit reports in JSON and says whether they hold what a test expects.

  report.py sound FILE...              parses, and the counters agree with each other
  report.py used FILE...               the same, and at least one buffer was handed out
  report.py mode WORD FILE...          used, and the mode is WORD
  report.py hits RATE SIZE FILE...     used, and the classes from SIZE bytes hit at RATE or better
  report.py none NAME FILE...          used, and the counter NAME of each class is 0
  report.py least NAME NUMBER FILE...  used, and each process's counter NAME is NUMBER or more
"""
import json
import sys


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        sys.exit(f"report.py: {path}: {error}")


def check_sound(path, report):
    for row in report["classes"]:
        label = f"report.py: {path}: class {row['buffer_bytes']}"
        if row["gets"] != row["hits"] + row["misses"]:
            sys.exit(f"{label}: gets {row['gets']} != hits {row['hits']} + misses {row['misses']}")
        held = row["inherited_buffers"] + row["gets"] - row["puts"]
        if row["in_use_buffers"] != held:
            sys.exit(f"{label}: in_use {row['in_use_buffers']} != inherited + gets - puts = {held}")


def total(reports, counter, smallest=0):
    return sum(row[counter] for report in reports for row in report["classes"]
               if row["buffer_bytes"] >= smallest)


def check_used(reports):
    if total(reports, "gets") == 0:
        sys.exit("report.py: no buffer was handed out")


def check_mode(reports, word):
    modes = {report["mode"] for report in reports}
    if modes != {word}:
        sys.exit(f"report.py: the mode is {', '.join(sorted(modes))} and not {word}")


def check_hits(reports, rate, smallest):
    gets = total(reports, "gets", smallest)
    hits = total(reports, "hits", smallest)
    print(f"classes from {smallest} bytes: {hits} hits of {gets} gets"
          f" ({100.0 * hits / max(gets, 1):.3f}%)", file=sys.stderr)
    if gets == 0 or hits < rate * gets:
        sys.exit(f"report.py: the hit rate is below {100.0 * rate:g}%")


def check_none(reports, name):
    if total(reports, name) != 0:
        sys.exit(f"report.py: {name} is {total(reports, name)}, and not 0")


def check_least(reports, name, number):
    for report in reports:
        if report[name] < number:
            sys.exit(f"report.py: {name} is {report[name]}, below {number}")


def main():
    arguments = sys.argv[1:]
    verbs = {"sound": 0, "used": 0, "mode": 1, "hits": 2, "none": 1, "least": 2}
    if not arguments or arguments[0] not in verbs:
        sys.exit(__doc__)
    verb, rest = arguments[0], arguments[1:]
    paths = rest[verbs[verb]:]
    if not paths:
        sys.exit("report.py: no report was written")
    reports = [load(path) for path in paths]
    for path, report in zip(paths, reports):
        check_sound(path, report)
    if verb != "sound":
        check_used(reports)
    if verb == "mode":
        check_mode(reports, rest[0])
    elif verb == "hits":
        check_hits(reports, float(rest[0]), int(rest[1]))
    elif verb == "none":
        check_none(reports, rest[0])
    elif verb == "least":
        check_least(reports, rest[0], int(rest[1]))


main()
