#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs one program of tests/programs under the preloaded library, as its head comment says.

The head comment is the block of `//` lines at the top of the source. Directives:

  Promise: sentence            what the program shows; continued by lines indented deeper
  Env: A=B C=D -E              environment (may repeat; -E removes E)
  Args: words                  arguments
  Modes: auto locked           values of BUFPOOL_MODE to run in; this is the default
  Limit: as=4G nofile=64       resource limits
  Closed: 0 1 2                descriptors closed at exec
  Exit: 0 | N | nonzero | signal N
  Stdout: regex                must match somewhere; without it stdout must be empty
  Stderr: regex                must match somewhere; without it stderr must be empty
  Stdout-not: / Stderr-not:    must not match
  Reports: N                   JSON exit reports on stderr, or in the file of `Env: BUFPOOL_REPORT`;
                               sets BUFPOOL_REPORT=stderr and BUFPOOL_REPORT_FORMAT=json
  Class: 64K gets=10 in_use=1  what each report says of the class that serves 64K
  File: name content           a file that must be there: regexes of its name and of its content
  No-file: name                regex of a name that must not be there
  Preload-before: NAME         NAME.so beside the program, preloaded before (after) the library
  Preload-after: NAME
  Needs: root | library        skipped elsewhere
  Run: NAME A=B                a variant; directives below it are of this variant alone

{tmp} {pid} {library} {dir} {program} are replaced in Env, Args, File and the regexes; {tmp} is the
working directory, fresh for each run. BUFPOOL_REPORT is off unless the program sets it.
Exit status 77 of the program, and of this script, means skipped. `--library none` runs without
preloading. A promise that glibc makes, too, must hold there.
"""

import argparse
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile

SKIPPED = 77
HUNG = 2
TIMEOUT_SECONDS = 300  # for one that hangs: on a quiet machine the longest takes ten
ONCE = {"Promise", "Args", "Modes", "Exit", "Closed", "Reports", "Needs"}
MANY = {"Env", "Limit", "Stdout", "Stderr", "Stdout-not", "Stderr-not", "Class", "File",
        "No-file", "Preload-before", "Preload-after"}
DEFAULTS = {"Args": "", "Modes": "auto locked", "Exit": "0", "Closed": ""}
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


class BadHead(Exception):
    """Says why the head comment does not tell what to do."""


def head_lines(path):
    with open(path, encoding="utf-8") as source:
        for line in source:
            if not line.startswith("//"):
                return
            if not line.startswith("// SPDX-"):
                yield line[2:].rstrip("\n")


def directives(path):
    """Returns pairs of key and value, with their continuation lines joined. A line that is neither
    is refused: a directive that was wrapped into the line before it would be lost."""
    found = []
    for line in head_lines(path):
        match = re.match(r" ([A-Z][a-z]*(?:-[a-z]+)?):(?: (.*))?$", line)
        if match:
            found.append([match.group(1), (match.group(2) or "").strip()])
        elif re.match(r" {3}", line) and found:
            found[-1][1] += " " + line.strip()
        else:
            raise BadHead(f"neither a directive nor indented as its continuation: '{line.strip()}'")
    for key, _ in found:
        if key not in ONCE | MANY | {"Run"}:
            raise BadHead(f"unknown directive '{key}:'")
    return found


def add(plan, key, value):
    if key in MANY:
        plan[key] = plan.get(key, []) + [value]
    else:
        plan[key] = value


def variants(path):
    """Returns the plans of a program: a list of (name, {directive: value or values})."""
    common, plans, current = dict(DEFAULTS), [], None
    for key, value in directives(path):
        if key == "Run":
            name, _, env = value.partition(" ")
            current = {k: list(v) if isinstance(v, list) else v for k, v in common.items()}
            add(current, "Env", env)
            plans.append((name, current))
        else:
            add(common if current is None else current, key, value)
    if "Promise" not in common:
        raise BadHead("no 'Promise:' line")
    return plans or [("", common)]


def size(text):
    return int(text[:-1]) * UNITS[text[-1]] if text[-1] in UNITS else int(text)


class Run:
    """Executes the program once, in one variant and mode."""

    def __init__(self, arguments, plan, variant, mode, folder):
        self.plan, self.mode = plan, mode
        self.name = " ".join(filter(None, [os.path.basename(arguments.program), variant, mode]))
        self.words = {"tmp": folder, "pid": "", "program": os.path.abspath(arguments.program),
                      "dir": os.path.dirname(os.path.abspath(arguments.program)),
                      "library": arguments.library}
        self.emulator = arguments.emulator.split()
        self.faults, self.hung = [], False

    def many(self, key):
        return self.plan.get(key, [])

    def filled(self, text, quote=str):
        for word, value in self.words.items():
            text = text.replace("{" + word + "}", quote(value))
        return text

    def regex(self, text):
        return re.compile(self.filled(text, re.escape), re.M)

    def command(self):
        """Returns the words. What the program's processor is emulated by has an own environment."""
        words = [self.words["program"]] + self.filled(self.plan["Args"]).split()
        if not self.emulator:
            return words
        changes = [f"{name}={value}" for name, value in self.changes().items()]
        return self.emulator + [word for change in changes for word in ("-E", change)] + words

    def changes(self):
        """Returns what differs from the caller's environment."""
        report = {"BUFPOOL_REPORT": "off"}
        if "Reports" in self.plan:
            report = {"BUFPOOL_REPORT": "stderr", "BUFPOOL_REPORT_FORMAT": "json",
                      "BUFPOOL_REPORT_MIN": "1"}
        changes = {"LD_PRELOAD": self.preloads(), **report}
        if self.mode and self.mode != "auto":
            changes["BUFPOOL_MODE"] = self.mode
        for word in " ".join(self.many("Env")).split():
            name, _, value = self.filled(word).partition("=")
            changes.update({name.lstrip("-"): None if word.startswith("-") else value})
        return {name: value for name, value in changes.items() if value is not None}

    def preloads(self):
        beside = [[os.path.join(self.words["dir"], name + ".so") for name in self.many(key)]
                  for key in ("Preload-before", "Preload-after")]
        library = [] if self.words["library"] == "none" else [self.words["library"]]
        return ":".join(beside[0] + library + beside[1]) or None

    def environment(self):
        kept = {name: value for name, value in os.environ.items()
                if not re.match(r"BUFPOOL_|LD_PRELOAD|MALLOC_", name)}
        return kept if self.emulator else {**kept, **self.changes()}

    def prepare(self):
        """Prepares the child, before exec."""
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for word in " ".join(self.many("Limit")).split():
            name, _, value = word.partition("=")
            resource.setrlimit(getattr(resource, "RLIMIT_" + name.upper()), (size(value),) * 2)
        for descriptor in self.plan["Closed"].split():
            os.close(int(descriptor))

    def execute(self):
        child = subprocess.Popen(
            self.command(), env=self.environment(), cwd=self.words["tmp"], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            errors="backslashreplace", preexec_fn=self.prepare, start_new_session=True)
        self.words["pid"] = str(child.pid)
        try:
            self.stdout, self.stderr = child.communicate(timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            self.stdout, self.stderr = child.communicate()
            self.hung = True
            self.fault("end", f"within {TIMEOUT_SECONDS} s", "still running: killed")
        self.status = child.returncode

    def fault(self, what, expected, found):
        self.faults.append(f"- {what}: {expected}\n+ {what}: {found}")

    def exit_name(self):
        return f"signal {-self.status}" if self.status < 0 else str(self.status)

    def check(self):
        expected = self.plan["Exit"]
        fits = self.status > 0 if expected == "nonzero" else self.exit_name() == expected
        if not fits:
            self.fault("exit", expected, self.exit_name())
        rest = self.check_reports() if "Reports" in self.plan else self.stderr
        self.check_stream("stdout", "Stdout", self.stdout)
        self.check_stream("stderr", "Stderr", rest)
        self.check_files()

    def check_stream(self, what, key, text):
        wanted, unwanted = self.many(key), self.many(key + "-not")
        for pattern in wanted:
            if not self.regex(pattern).search(text):
                self.fault(what, f"matches {self.filled(pattern)}", text.strip() or "(empty)")
        for pattern in unwanted:
            if self.regex(pattern).search(text):
                self.fault(what, f"does not match {self.filled(pattern)}", text.strip())
        if not wanted and not unwanted and text:
            self.fault(what, "(empty)", text.strip())

    def check_files(self):
        names = sorted(os.listdir(self.words["tmp"]))
        for line in self.many("File"):
            pattern, _, content = line.partition(" ")
            fits = [name for name in names if self.regex(pattern).fullmatch(name)]
            if len(fits) != 1:
                self.fault("file", f"one named {self.filled(pattern)}", names or "(none)")
            elif not self.regex(content).search(self.read(fits[0])):
                self.fault(f"file {fits[0]}", f"matches {content}", self.read(fits[0])[:400])
        for pattern in self.many("No-file"):
            for name in filter(self.regex(pattern).fullmatch, names):
                self.fault("file", f"none named {pattern}", name)

    def read(self, name):
        with open(os.path.join(self.words["tmp"], name), encoding="utf-8") as file:
            return file.read()

    def check_reports(self):
        """Checks the JSON reports. Returns what else is on stderr."""
        texts = [self.stderr] + [self.read(name) for name in sorted(os.listdir(self.words["tmp"]))]
        reports, rest = [], ""
        for index, text in enumerate(texts):
            documents, left = split_json(text)
            reports += [classes_of(document) for document in documents]
            rest += left if index == 0 else ""
        if len(reports) != int(self.plan["Reports"]):
            self.fault("reports", self.plan["Reports"], f"{len(reports)} in:\n{self.stderr}")
        for report in reports:
            self.check_report(report)
        return rest

    def check_report(self, classes):
        if not classes:
            self.fault("report", "a list of objects with buffer_bytes", "none")
        for row in classes:
            self.check_balance(row)
        for line in self.many("Class"):
            request, *pairs = line.split()
            row = serving(classes, size(request))
            for name, value in (pair.split("=") for pair in pairs):
                if row.get(name, 0) != size(value):
                    self.fault(f"class of {request}: {name}", value, row)

    def check_balance(self, row):
        value = {key: row.get(key, 0) for key in
                 ("gets", "hits", "misses", "in_use", "inherited", "puts")}
        if value["gets"] != value["hits"] + value["misses"]:
            self.fault("class", "gets = hits + misses", row)
        if value["in_use"] != value["inherited"] + value["gets"] - value["puts"]:
            self.fault("class", "in_use = inherited + gets - puts", row)


def split_json(text):
    """Returns the JSON objects of a text that start a line, and the text without them."""
    documents, rest, decoder = [], "", json.JSONDecoder()
    while text:
        start = re.search(r"^\{", text, re.M)
        if not start:
            return documents, rest + text
        try:
            document, end = decoder.raw_decode(text, start.start())
        except ValueError:
            return documents, rest + text
        documents.append(document)
        rest, text = rest + text[:start.start()], text[end:].lstrip("\n")
    return documents, rest


def classes_of(value):
    """Returns the objects that have a buffer_bytes, wherever in the document they are."""
    if isinstance(value, list):
        return [found for item in value for found in classes_of(item)]
    if not isinstance(value, dict):
        return []
    return [without_units(value)] if "buffer_bytes" in value else classes_of(list(value.values()))


def without_units(row):
    """The figures of a class by their bare names: in_use for in_use_buffers."""
    return {"buffer_bytes": row["buffer_bytes"],
            **{re.sub("_(buffers|bytes|requests)$", "", key): value for key, value in row.items()}}


def serving(classes, request):
    """Returns the class that serves a request, or {} if the report leaves it out as unused."""
    fits = [row for row in classes if request <= row["buffer_bytes"] < 1.27 * request]
    return min(fits, key=lambda row: row["buffer_bytes"], default={})


def unmet_need(plan, library):
    if plan.get("Needs") == "root" and os.geteuid() != 0:
        return "needs root"
    if plan.get("Needs") == "library" and library == "none":
        return "nothing is preloaded"
    return ""


def run_one(arguments, plan, variant, mode):
    """Returns 0, 1, SKIPPED or HUNG. After HUNG the rest would only take as long again."""
    unmet = unmet_need(plan, arguments.library)
    if unmet:
        print(f"skipped: {unmet}")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="promise.") as folder:
        os.chmod(folder, 0o755)
        run = Run(arguments, plan, variant, mode, folder)
        run.execute()
        if run.status == SKIPPED:
            print(f"skipped {run.name}: {run.stderr.strip()}")
            return SKIPPED
        run.check()
    if not run.faults:
        return 0
    tell(run)
    return HUNG if run.hung else 1


def tell(run):
    settings = " ".join(f"{name}={value}" for name, value in run.changes().items())
    print(f"BROKEN {run.name}\n  promise: {run.plan['Promise']}")
    print(f"  command: {settings} {' '.join(run.command())}")
    for fault in run.faults:
        print("  " + fault.replace("\n", "\n  "))
    if run.stderr and not any("stderr" in fault for fault in run.faults):
        print("  stderr was:\n    " + run.stderr.strip()[:4000].replace("\n", "\n    "))


def parsed():
    parser = argparse.ArgumentParser(description="Run one test program under the library.")
    parser.add_argument("--library", required=True, help="path of the library, or none")
    parser.add_argument("--program", required=True)
    parser.add_argument("--source", required=True)
    parser.add_argument("--variant", help="run this one only")
    parser.add_argument("--mode", help="run in this value of BUFPOOL_MODE only")
    parser.add_argument("--emulator", default="", help="qemu's user mode, with its arguments")
    arguments = parser.parse_args()
    if arguments.library != "none":
        arguments.library = os.path.abspath(arguments.library)
    return arguments


def main():
    arguments = parsed()
    try:
        plans = variants(arguments.source)
    except BadHead as problem:
        sys.exit(f"{arguments.source}: {problem}")
    wanted = [plan for plan in plans if arguments.variant in (None, plan[0])]
    if not wanted:
        sys.exit(f"{arguments.source}: no variant '{arguments.variant}'")
    results = []
    for name, plan, mode in ((n, p, m) for n, p in wanted for m in p["Modes"].split()):
        if arguments.mode not in (None, mode):
            continue
        results.append(run_one(arguments, plan, name, mode))
        if results[-1] == HUNG:
            return 1
    if 1 in results:
        return 1
    return SKIPPED if all(result == SKIPPED for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
