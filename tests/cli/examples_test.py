#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Promise: each verb's --help has an example, and each example works as it stands. docs/command.md
has a section for each verb."""

import json
import os
import pathlib
import re
import subprocess

from command import BUFPOOL, HOLDER, LIMIT, PYTHON, Process, environment, folder, main, run

# Answers whoever asks it for something, as it never stays quiet for long.
BUSY = HOLDER.replace('while os.read(0, 1) == b"s":', '''import select
while select.select([0], [], [], 0.02)[0] == []:
    held = [bytearray(n) for n in range(600_000, 30_000_000, 5_000_000)]
while os.read(0, 1) == b"s":''')

DOCUMENT = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "command.md"


def verbs():
    text = run("--help").stdout
    return re.findall(r"^  ([a-z]+)  ", text[text.index("Verbs:"):], re.MULTILINE)


def examples_of(verb):
    text = run(verb, "--help").stdout
    return re.findall(r"^  (bufpool .*)$", text[text.index("Examples:"):], re.MULTILINE)


def test_examples():
    path_with_command = f"{os.path.dirname(BUFPOOL)}:{os.environ['PATH']}"
    assert len(verbs()) == 15, verbs()
    with folder() as path, Process(BUSY, BUFPOOL_SAMPLE="64K") as process:
        file = path / "recording"
        run("run", "-s", "SAMPLE=64K", "--record", file, "--", PYTHON, "-c", HOLDER,
            input="s")
        env = environment(PID=str(process.pid), FILE=str(file), PATH=path_with_command)
        for verb in verbs():
            examples = examples_of(verb)
            assert examples, verb
            for example in examples:
                done = subprocess.run(["sh", "-c", example], cwd=path, env=env, text=True,
                                      capture_output=True, timeout=LIMIT, check=False)
                assert done.returncode == 0, (example, done)
                assert done.stdout or " -o " in example or "--record" in example, example
            assert examples[0].startswith(f"bufpool {verb}"), examples


def test_documentation():
    text = DOCUMENT.read_text(encoding="utf-8")
    for verb in verbs():
        assert f"`bufpool {verb}" in text, f"docs/command.md has nothing of {verb}"
        for option in re.findall(r"(--[a-z-]+)", run(verb, "--help").stdout):
            if option != "--help" and not option.startswith("--version"):
                assert option in text, f"docs/command.md: {verb} {option}"


def test_load():
    words = ("load", "-t", "2", "-d", "100ms", "--sizes", "1K-64K,1M", "-f", "json")
    for more in ((), ("--allocator", "libc"), ("--hold", "1ms"), ("--fill", "--memory", "1M")):
        result = json.loads(run(*words, *more).stdout)
        assert result["gets"] > 0 and result["refused"] == 0, result
        for calls in ("malloc_ns", "free_ns"):
            times = result[calls]
            assert times["p50"] <= times["p99"] <= times["max"], times
            assert sum(count for _, _, count in times["histogram"]) == result["gets"], times
            assert all(start < end for start, end, _ in times["histogram"]), times
    for wrong in (("--sizes", "64Q"), ("--sizes", "0"), ("--sizes", "4K-1K"), ("-t", "0"),
                  ("-t", "-1"), ("--from", "/no/such"), ("--allocator", "other")):
        assert len(run("load", "-d", "10ms", *wrong, code=125).stderr.splitlines()) <= 2


def test_load_has_its_name():
    """The command that runs under the pool is called what it is called, also in its report."""
    result = run("load", "-d", "100ms", env=environment(BUFPOOL_REPORT="stderr"))
    assert " bufpool]: bufpool " in result.stderr, result.stderr


def test_no_colour_in_files():
    env = environment()
    del env["NO_COLOR"]
    assert "\x1b" not in run("classes", env=env).stdout
    assert "\x1b" not in run("ps", env=env).stdout


main(globals())
