#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Promise: the manual page bufpool(1) and the completion of bash know every verb, every option and
every word that an option takes, as `bufpool VERB --help` has them. groff has no warning about the
page."""

import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess

from command import BUFPOOL, LIMIT, Process, Skip, environment, folder, main, run

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = TOP / "docs" / "man" / "bufpool.1"
COMPLETION = TOP / "cli" / "completion" / "bufpool"
README = TOP / "README.md"


def verbs():
    text = run("--help").stdout
    return re.findall(r"^  ([a-z]+)  ", text[text.index("Verbs:"):], re.MULTILINE)


def options_of(verb):
    """Maps the long options to their short ones, or to an empty text, and the words they take."""
    text = run(verb, "--help").stdout
    text = text[text.index("Options:"):text.index("Examples:")]
    rows = re.findall(r"^  (?:(-\w),)?(--[\w-]+)(?: ([a-z_]+(?:\|[a-z_]+)+))?", text, re.MULTILINE)
    assert rows, verb
    return {option: (short, words.split("|") if words else []) for short, option, words in rows}


def variables():
    """Maps the names of the variables to the words that they take, if those are all."""
    rows = re.findall(r"^\| `BUFPOOL_(\w+)` \| [^|]* \| ([^|]*) \|", README.read_text("utf-8"),
                      re.MULTILINE)
    assert len(rows) > 20
    plain = re.compile(r"(`[a-z0-9]+`(, | or )?)+")
    return {name: re.findall(r"`(\w+)`", allowed) if plain.fullmatch(allowed) else None
            for name, allowed in rows}


def completed(*words):
    """Returns what completes the last of the words. They are split as readline splits them."""
    program = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _bufpool; ' \
              'printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", program, "bash", COMPLETION, BUFPOOL, *words],
                          capture_output=True, text=True, timeout=LIMIT, env=environment(),
                          check=False)
    assert done.returncode == 0 and not done.stderr, (words, done)
    return done.stdout.split()


def page_text():
    if shutil.which("groff") is None:
        raise Skip("groff is not installed")
    done = subprocess.run(["groff", "-man", "-ww", "-Tascii", "-P-cbou", "-rLL=400n", PAGE],
                          capture_output=True, text=True, check=True, timeout=LIMIT)
    assert not done.stderr, done.stderr
    return done.stdout


def test_manual_page():
    text = page_text()
    found = re.split(r"^   bufpool ([a-z]+)$", text, flags=re.MULTILINE)
    parts = dict(zip(found[1::2], found[2::2]))
    parts["trim"] += parts["reset"]  # described together
    assert set(parts) == set(verbs()), set(parts) ^ set(verbs())
    for verb in verbs():
        assert re.search(rf"^ +bufpool .*\b{verb}\b", text, re.MULTILINE), f"SYNOPSIS: {verb}"
        for option, (short, words) in options_of(verb).items():
            if option == "--help":
                continue
            assert re.search(rf"{short + ', ' if short else ''}{option}\b", parts[verb]), \
                f"bufpool.1: {verb} {option}"
            for word in words:
                assert re.search(rf"\b{word}\b", parts[verb]), f"bufpool.1: {verb} {option} {word}"


def test_manual_page_has_no_more():
    known = {option for verb in verbs() for option in options_of(verb)} | {"--version"}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", page_text())) == known


def test_verbs_and_options():
    assert set(completed("")) == set(verbs())
    assert completed("rep") == ["report"]
    assert set(completed("--")) == {"--help", "--version"}
    for verb in verbs():
        options = options_of(verb)
        assert set(completed(verb, "--")) == set(options), verb
        for option, (short, words) in options.items():
            for way in filter(None, (option, short)):
                if words:
                    assert set(completed(verb, way, "")) == set(words), (verb, way)
            if words:
                assert set(completed(verb, option, "=")) == set(words), (verb, option)
                assert completed(verb, option, "=", words[0][:-1])[0].startswith(words[0][:-1])


def test_variables():
    known = variables()
    names = {line.split()[0] for line in run("config").stdout.splitlines()[1:]}
    names = {name.removeprefix("BUFPOOL_") for name in names}
    assert names & set(known) == set(known), names ^ set(known)
    for words in (("-s", ""), ("--set", ""), ("--set", "="), ("-s", "MODE", "=", "rseq", "-s", "")):
        assert set(completed("run", *words)) == {f"{name}=" for name in known}, words
    for name, allowed in known.items():
        found = completed("run", "-s", name, "=")
        if allowed is not None:
            assert set(found) == set(allowed), (name, found)
            assert set(completed("run", "--set", "=", name, "=", allowed[0])) >= {allowed[0]}
    assert completed("run", "-s", "RETAIN_M") == ["RETAIN_MAX="]


def test_processes_and_files():
    with folder() as path, Process() as process:
        (path / "recording").write_text("")
        for verb in ("top", "report", "stat", "diff", "advise", "classes", "config", "trim",
                     "reset", "doctor"):
            assert str(process.pid) in completed(verb, str(process.pid)[:2]), verb
        for verb in ("report", "advise", "diff", "classes"):
            assert completed(verb, f"{path}/rec") == [f"{path}/recording"], verb
        for words in (("run", "--record"), ("export", "-o"), ("load", "--from")):
            assert completed(*words, f"{path}/rec") == [f"{path}/recording"], words
        assert completed("ps", "--folder", f"{path}"[:-1]), path


def test_commands():
    for words in ((), ("--",), ("-s", "MODE", "=", "rseq"), ("--record", "file", "--"),
                  ("--set", "=", "MODE", "=", "rseq", "--no-inherit")):
        found = completed("run", *words, "bas")
        assert "bash" in found and len(found) == len(set(found)), (words, found)
    assert "/etc/passwd" in completed("run", "cat", "/etc/pass")
    assert completed("run", "cat", "--") == []
    assert "bash" in completed("doctor", "bas")


def test_in_a_shell():
    """What a user types, with tabulators. Then the line is printed instead of executed."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(environment(PS1="$ ", TERM="dumb", INPUTRC="/dev/null"))
        os.execvp("bash", ["bash", "--norc", "--noprofile"])
    seen = b""
    try:
        os.write(terminal, f"source {COMPLETION}\n".encode())
        os.write(terminal, b"bufpool repor\t--for\thtm\t\x01echo \x05\n")
        while b"\nbufpool report --format html\r" not in seen:
            assert select.select([terminal], [], [], LIMIT)[0], seen
            seen += os.read(terminal, 4096)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)


main(globals())
