# SPDX-License-Identifier: MIT
"""Knows the allocators that take part: what Debian ships, and builds of ours."""

import os
import subprocess
from dataclasses import dataclass, field

# Maps a name to the soname of the peer. None is no preload at all.
PEERS = {
    "glibc": None,
    "mimalloc": "libmimalloc.so.2.0",
    "jemalloc": "libjemalloc.so.2",
    "gperftools": "libtcmalloc_minimal.so.4",
    "tbb": "libtbbmalloc_proxy.so.2",
}
# Maps a peer to its Debian package, for the message that says what is missing.
PACKAGES = {
    "mimalloc": "libmimalloc2.0",
    "jemalloc": "libjemalloc2",
    "gperftools": "libtcmalloc-minimal4",
    "tbb": "libtbbmalloc2",
}
LIBRARY_FOLDERS = (
    f"/usr/lib/{os.uname().machine}-linux-gnu",
    f"/lib/{os.uname().machine}-linux-gnu",
    "/usr/local/lib",
    "/usr/lib64",
    "/usr/lib",
)
# The user may have tuned an allocator by these for something else.
FOREIGN_PREFIXES = ("BUFPOOL_", "MIMALLOC_", "MALLOC_", "TCMALLOC_", "TBB_", "JEMALLOC_")
FOREIGN_NAMES = ("LD_PRELOAD", "GLIBC_TUNABLES", "PYTHONMALLOC")


class BenchError(Exception):
    """Is a reason to stop that the caller has to mend."""


@dataclass
class Allocator:
    name: str
    path: str | None
    ours: bool = False
    variables: dict = field(default_factory=dict)

    def environment(self, preload=None):
        """Returns the environment of a process under this allocator. `preload` replaces its
        library."""
        variables = dict(clean_environment(), **self.variables)
        library = preload or self.path
        if library:
            variables["LD_PRELOAD"] = library
        return variables


def clean_environment():
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(FOREIGN_PREFIXES) and name not in FOREIGN_NAMES
    }


def loader_cache():
    """Maps sonames to paths, as the loader sees them. It is empty if there is no ldconfig."""
    for program in ("/sbin/ldconfig", "ldconfig"):
        try:
            result = subprocess.run([program, "-p"], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        lines = [line.split(" => ") for line in result.stdout.splitlines() if " => " in line]
        wanted = [(left, path) for left, path in lines if "x86-64" in left or "AArch64" in left]
        return {left.split()[0]: path for left, path in reversed(wanted)}
    return {}


def find_library(soname, cache):
    folders = [os.path.join(folder, soname) for folder in LIBRARY_FOLDERS]
    for path in [cache.get(soname)] + folders:
        if path and os.path.exists(path):
            return path
    return None


def find_peers(names, say):
    """Returns the peers of these names that are installed, and says which are not."""
    cache = loader_cache()
    found = []
    for name in names:
        if name not in PEERS:
            raise BenchError(f"unknown peer {name!r}; there are: {', '.join(PEERS)}")
        path = PEERS[name] and find_library(PEERS[name], cache)
        if PEERS[name] and not path:
            say(f"MISSING PEER: {name} ({PEERS[name]}, Debian package {PACKAGES[name]}); "
                "'best peer' is the best of the others")
            continue
        found.append(Allocator(name, path))
    return found


def named_peers(specifications):
    """Returns the peers of `specifications`, which are NAME=PATH."""
    found = []
    for text in specifications:
        name, separator, path = text.partition("=")
        if not separator or name in PEERS or name in ("best", "ours"):
            raise BenchError(f"--peer {text}: it wants NAME=PATH, with a name of its own")
        if not os.path.isfile(path):
            raise BenchError(f"no library at {path}")
        found.append(Allocator(name, os.path.abspath(path)))
    return found


def our_libraries(specifications, extra_variables):
    """Returns the builds of ours of `specifications`, which are PATH or NAME=PATH."""
    found = []
    for text in specifications:
        name, separator, path = text.partition("=")
        if not separator:
            name, path = "ours", text
        if not os.path.isfile(path):
            raise BenchError(
                f"no library at {path}: build it, or say --library PATH or --peers-only"
            )
        if name in PEERS or name == "best" or name in [other.name for other in found]:
            raise BenchError(f"two allocators are called {name}; use --library NAME=PATH")
        variables = dict({"BUFPOOL_REPORT": "off"}, **extra_variables)
        found.append(Allocator(name, os.path.abspath(path), True, variables))
    return found


def libc_path():
    """Returns glibc's path, to preload it before an allocator that a program is linked against."""
    path = find_library("libc.so.6", loader_cache())
    if not path:
        raise BenchError("libc.so.6 not found")
    return path


def check_loaded(allocator, rows_program):
    """Checks that the library is loaded. The loader only warns of a preload that fails, and the
    row would measure glibc."""
    result = subprocess.run(
        [rows_program, "WHO"], env=allocator.environment(), capture_output=True, text=True
    )
    path = result.stdout.strip()
    owner = os.path.basename(os.path.realpath(path)) if path else None
    wanted = os.path.basename(os.path.realpath(allocator.path)) if allocator.path else "libc.so.6"
    if result.returncode != 0 or owner != wanted:
        raise BenchError(
            f"{allocator.name}: malloc comes from {owner or 'nowhere'}, not {wanted} "
            f"(exit {result.returncode}) {result.stderr.strip()}"
        )
