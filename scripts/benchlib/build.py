# SPDX-License-Identifier: MIT
"""Compiles the programs of tests/bench when they are out of date."""

import glob
import os
import subprocess

from benchlib.allocators import BenchError

# These are the flags of tests/bench/CMakeLists.txt. They optimise in every build type, and make
# malloc an ordinary function.
FLAGS = ["-std=c++20", "-O2", "-fno-builtin", "-pthread"]


def compile_program(root, build_folder, name):
    """Returns the path of the program `name`, compiled from tests/bench/NAME.cpp."""
    source = os.path.join(root, "tests", "bench", name + ".cpp")
    headers = glob.glob(os.path.join(root, "tests", "bench", "*.h"))
    program = os.path.join(build_folder, "bench", name)
    newest = max(os.path.getmtime(path) for path in [source, *headers])
    if os.path.exists(program) and os.path.getmtime(program) >= newest:
        return program
    os.makedirs(os.path.dirname(program), exist_ok=True)
    compiler = os.environ.get("CXX", "g++")
    command = [compiler, *FLAGS, f"-I{root}", source, "-o", program + ".new"]
    try:
        subprocess.run(command, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise BenchError(f"cannot compile {source}: {error}") from error
    os.replace(program + ".new", program)
    return program
