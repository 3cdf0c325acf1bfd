#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts what traced operations execute inside the library: fast_path.py LIBRARY SIZE=TRACE...

A TRACE is what fast_path_probe printed for SIZE. It prints a table, one row for each operation and
size. Whatever the table says, it fails if a hit (SIZE of 512 and above) has a lock, a call or a
division, or visits a cold function. Instructions are read as objdump prints them.
"""

import os
import re
import subprocess
import sys

LEAST_POOLED = 512
COLUMNS = ("instructions", "loads", "stores", "branches", "taken", "lock", "call", "div")
NEVER_IN_A_HIT = ("lock", "call", "div")

PREFIX = re.compile(r"^(?:(?:lock|repn?z|repn?e|rep|notrack|bnd|data16|cs|ds|es|ss)\s+)+")
UNTOUCHED = re.compile(r"lea|nop|prefetch|endbr")
WRITTEN = re.compile(r"mov|set|vmov|stos")
READ = re.compile(r"cmp[bwlq]?$|test|bt[wlq]?$|i?mul|i?div|bs[fr]|push|v?u?comis|ucomis")
CHANGED = re.compile(r"(add|sub|adc|sbb|inc|dec|and|or|xor|not|neg|sh[lr]|sa[lr]|ro[lr]|bt[src]|"
                     r"xadd|xchg|cmpxchg(8b|16b)?)[bwlq]?$")
TRANSFER = re.compile(r"j|call|ret")


class Code:
    """Has the library's instructions by address, each with its function and the one behind it."""

    def __init__(self, library):
        listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", library],
                                 check=True, capture_output=True, text=True).stdout
        self.text, self.function, self.behind = {}, {}, {}
        function, last = "", None
        for line in listing.splitlines():
            if match := re.match(r"[0-9a-f]+ <(.*)>:$", line):
                function = match.group(1)
            elif match := re.match(r" *([0-9a-f]+):\t(.*)$", line):
                address = int(match.group(1), 16)
                self.text[address] = match.group(2).split("#")[0].split("<")[0].strip()
                self.function[address] = function
                self.behind[last] = last = address


def in_memory(operand):
    return "(" in operand or "s:" in operand


def accesses(mnemonic, operands):
    """Returns loads and stores of an instruction. An unknown one must not be counted wrongly."""
    if UNTOUCHED.match(mnemonic) or mnemonic == "ret":
        return 0, 0
    loads, stores = int(mnemonic.startswith("pop")), int(mnemonic.startswith("push"))
    if not any(map(in_memory, operands)):
        return loads, stores
    if TRANSFER.match(mnemonic) or READ.match(mnemonic) or not in_memory(operands[-1]):
        return loads + 1, stores
    if WRITTEN.match(mnemonic):
        return loads, stores + 1
    if CHANGED.match(mnemonic):
        return loads + 1, stores + 1
    sys.exit(f"fast_path.py: does not know whether '{mnemonic} {','.join(operands)}' loads")


def count_one(text):
    bare = PREFIX.sub("", text)
    mnemonic, _, rest = bare.partition(" ")
    operands = re.findall(r"(?:[^,()]|\([^)]*\))+", rest.strip())
    loads, stores = accesses(mnemonic, operands)
    exchange = mnemonic.startswith("xchg") and any(map(in_memory, operands))
    return {
        "instructions": 1, "loads": loads, "stores": stores,
        "branches": int(mnemonic.startswith("j") and not mnemonic.startswith("jmp")),
        "lock": int("lock" in text[:len(text) - len(bare)].split() or exchange),
        "call": int(mnemonic.startswith("call")),
        "div": int(re.match(r"i?div", mnemonic) is not None),
    }


def count(code, trace):
    """Returns the sums over a trace. `taken` are jumps that did not go on behind themselves."""
    sums = dict.fromkeys(COLUMNS, 0)
    for at, after in zip(trace, [*trace[1:], None]):
        for column, value in count_one(code.text[at]).items():
            sums[column] += value
        sums["taken"] += int(code.text[at].startswith("j") and after != code.behind.get(at))
    return sums


def read_trace(path, library):
    """Maps operations to the addresses that they executed inside the library."""
    traces = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            operation, file, address = line.split()
            if os.path.realpath(file) == os.path.realpath(library):
                traces.setdefault(operation, []).append(int(address, 16))
    return traces


def faults_of_hit(code, trace, sums):
    faults = [f"{sums[column]} {column}" for column in NEVER_IN_A_HIT if sums[column]]
    cold = sorted({code.function[at] for at in trace if ".cold" in code.function[at]})
    return faults + [f"visits {function}" for function in cold]


def main():
    library, code = sys.argv[1], Code(sys.argv[1])
    form = "{:<8} {:>9}" + "".join(f" {{:>{len(column)}}}" for column in COLUMNS)
    print(form.format("what", "bytes", *COLUMNS))
    bad = False
    for size, path in (argument.split("=", 1) for argument in sys.argv[2:]):
        for operation, trace in read_trace(path, library).items():
            sums = count(code, trace)
            print(form.format(operation, size, *sums.values()))
            faults = faults_of_hit(code, trace, sums) if int(size) >= LEAST_POOLED else []
            if faults:
                print(f"{operation}({size}) is no hit: {', '.join(faults)}", file=sys.stderr)
                bad = True
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
