#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ends PROCESSES at once, ROUNDS times, with JSON reports on one stderr: whole_reports.py LIBRARY
pipe|file|append ROUNDS PROCESSES. Each process is a shell that waits for the end of its stdin."""

import json
import os
import subprocess
import sys
import tempfile
import threading

WORK = 's=; for ((i = 0; i < 300; i++)); do s+=$i$s; s=${s:0:4000}; done; read -r line; exit 0'


class Shared:
    """Is a stderr for many processes, and keeps what came out of it."""

    def __init__(self, kind):
        self.reader, self.parts = None, []
        if kind == "pipe":
            out, self.writer = os.pipe()
            self.reader = threading.Thread(target=self.read, args=(out,))
            self.reader.start()
        else:
            self.file = tempfile.TemporaryFile()
            path = f"/proc/self/fd/{self.file.fileno()}"
            self.writer = os.open(path, os.O_WRONLY | (os.O_APPEND if kind == "append" else 0))

    def read(self, out):
        while part := os.read(out, 65536):
            self.parts.append(part)
        os.close(out)

    def text(self):
        if self.reader is None:
            return self.file.read().decode()
        self.reader.join()
        return b"".join(self.parts).decode()


def end_together(library, kind, processes):
    """Returns the text on a stderr that so many processes shared."""
    shared = Shared(kind)
    environment = {"LD_PRELOAD": library, "BUFPOOL_REPORT_FORMAT": "json",
                   "BUFPOOL_REPORT_MIN": "1"}
    gate, opener = os.pipe()
    children = [subprocess.Popen(["/bin/bash", "-c", WORK], env=environment, stdin=gate,
                                 stderr=shared.writer) for _ in range(processes)]
    for descriptor in (gate, opener, shared.writer):
        os.close(descriptor)
    if any([child.wait() for child in children]):
        sys.exit("a process failed")
    return shared.text()


def documents(text):
    """Returns how many JSON documents a text is. It fails if the text is anything else."""
    decoder, count, position = json.JSONDecoder(), 0, 0
    while position < len(text):
        document, position = decoder.raw_decode(text, position)
        if not document["classes"]:
            sys.exit("a report without classes")
        count += 1
        while position < len(text) and text[position].isspace():
            position += 1
    return count


def main():
    library, kind, rounds, processes = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
    whole = 0
    for _ in range(rounds):
        text = end_together(library, kind, processes)
        try:
            whole += documents(text)
        except ValueError as problem:
            print(text[max(0, problem.pos - 200):problem.pos + 200])
            sys.exit(f"not whole: {problem}")
    # A reader that is kept from running for long loses whole reports. Most processes must tell.
    if whole < rounds * processes * 9 // 10:
        sys.exit(f"{whole} reports of {rounds * processes} processes")
    print(f"{kind}: {whole} reports of {rounds * processes} processes, each whole")


if __name__ == "__main__":
    main()
