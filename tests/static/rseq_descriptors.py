#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""rseq_descriptors.py FILE: prints how many descriptors of restartable sequences an x86-64 file
has, how many abort addresses have the signature in front, and how many starts there are. Fails if a
descriptor does not describe a sequence: its start and abort lie in code, the sequence is short, and
the abort code stands behind the bytes that rseq_abi.h says."""

import re
import struct
import subprocess
import sys

SIGNATURE = bytes((0x0F, 0xB9, 0x3D)) + struct.pack("<I", 0x53053053)
LONGEST = 128  # bytes of a sequence


def readelf(what, path):
    return subprocess.run(["readelf", "-W", what, path], check=True, capture_output=True,
                          text=True).stdout


def sections(path):
    """Maps names to (address, offset, bytes)."""
    row = re.compile(r"^ *\[ *\d+\] (\S+) +\w+ +([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]+) ", re.MULTILINE)
    return {name: tuple(int(word, 16) for word in words)
            for name, *words in row.findall(readelf("-S", path))}


def descriptors(path, data, there):
    """Yields (start, bytes, abort) of each. If the file can be moved, its relocations have the
    addresses."""
    address, offset, size = there["__rseq_cs"]
    moved = {int(at, 16): int(to, 16) for at, to in
             re.findall(r"^([0-9a-f]+) .*R_X86_64_RELATIVE +([0-9a-f]+)$", readelf("-r", path),
                        re.MULTILINE)}
    for at in range(0, size, 32):
        head, start, length, abort = struct.unpack_from("<4Q", data, offset + at)
        yield (head, moved.get(address + at + 8, start), length,
               moved.get(address + at + 24, abort))


def fault_of(head, start, length, abort, data, text):
    address, offset, size = text
    if head != 0:
        return "has flags or a version"
    if not address <= start < start + length <= address + size or not 0 < length <= LONGEST:
        return f"describes {length} bytes at {start:#x}"
    if not address <= abort < address + size:
        return f"aborts to {abort:#x}, which is no code"
    if start <= abort < start + length:
        return "aborts into the sequence"
    before = offset + abort - address - len(SIGNATURE)
    if data[before:before + len(SIGNATURE)] != SIGNATURE:
        return f"aborts to {abort:#x}, which has no signature in front"
    return None


def main():
    path = sys.argv[1]
    with open(path, "rb") as file:
        data = file.read()
    there = sections(path)
    found = list(descriptors(path, data, there))
    faults = [fault for each in found if (fault := fault_of(*each, data, there[".text"]))]
    for fault in faults:
        print(f"a descriptor {fault}", file=sys.stderr)
    starts = {start for _, start, _, _ in found}
    address, offset, size = there[".text"]
    signatures = data[offset:offset + size].count(SIGNATURE)
    print(len(found), signatures, len(starts))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
