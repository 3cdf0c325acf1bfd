# SPDX-License-Identifier: MIT
"""Has what the checks share: the files of the tree, and C++ text without comments and strings.
Run as a program it prints the files with the endings given, or all files if none is given."""

import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
PRODUCT = ("interpose", "pool", "report", "cli")

_NOISE = re.compile(
    r"""//[^\n]*|/\*.*?\*/
    |(?<![A-Za-z0-9_])(?:u8|[uUL])?R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)"
    |"(?:\\.|[^"\\\n])*"
    |(?<![0-9A-Za-z])'(?:\\.|[^'\\\n])+'""",
    re.DOTALL | re.VERBOSE,
)


def files(*endings, folders=None):
    """Returns tracked files, and new ones that are not ignored, by their paths from the top."""
    try:
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=TOP, check=True, capture_output=True).stdout.decode()
        names = set(filter(None, listing.split("\0")))
    except (OSError, subprocess.CalledProcessError):  # a source archive
        names = {str(p.relative_to(TOP)) for p in TOP.rglob("*")
                 if not re.match(r"(build|\.git)", p.relative_to(TOP).parts[0])}
    return [name for name in sorted(names)
            if (not endings or name.endswith(endings))
            and (folders is None or name.split("/")[0] in folders)
            and (TOP / name).is_file()]


def read(name):
    return (TOP / name).read_text(encoding="utf-8", errors="replace")


def without_noise(text):
    """Returns the text without comments, and with empty strings. Lines stay where they are."""
    def blank(match):
        found = match.group(0)
        edge = '""' if found.endswith('"') else "''" if found.endswith("'") else ""
        return edge + "\n" * found.count("\n")
    return _NOISE.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


if __name__ == "__main__":
    print("\n".join(files(*sys.argv[1:])))
