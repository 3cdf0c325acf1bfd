# SPDX-License-Identifier: MIT
"""Knows what is promised, and whether a row keeps it."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

BEST = "best"

# Each is (rows, against whom, the most that ours may take in proportion).
BOUNDS = (
    (("hot/1K", "hot/2K", "hot/4K", "hot/8K", "hot/16K", "hot/32K", "hot/64K", "hot/128K",
      "hot/256K"), BEST, 1.10),
    (("hot/512K", "hot/1M", "hot/4M", "hot/16M"), BEST, 0.60),
    (("hot/256K", "hot/512K", "hot/1M", "hot/4M", "hot/16M"), "mimalloc", 0.05),
    (("map/*",), "glibc", 1.00),
    (("hot2/*", "hot64/*"), BEST, 1.10),
    (("live64/16K", "live64/64K", "live64/256K"), BEST, 0.90),
    (("live64/log1K-64K",), BEST, 1.00),
    (("live64/log1K-1M",), BEST, 0.80),
    (("ring/4K",), BEST, 0.50),
    (("ring/64K",), BEST, 0.90),
    (("small/*",), "mimalloc", 1.12),
    (("start/true",), "mimalloc", 1.35),
    (("realloc/grow",), "glibc", 1.00),
    (("fork/*",), "glibc", 1.15),
    (("burst/*",), BEST, 1.10),
    (("py/bytearrays",), BEST, 1.15),
    (("nginx/*",), "glibc", 0.50),
    (("redis-churn/1K-64K",), "glibc", 1.08),
    (("burst-*/again",), BEST, 1.10),
    (("varnish/resident",), "glibc", 1.00),
    (("python-bytearrays/cpu",), BEST, 1.15),
)

# Each is (rows, the most that ours may take in the row's own unit).
CEILINGS = (
    (("redis-flushall/12s",), 40),
    (("burst-*/3s",), 64 + 32),
    (("burst-*/12s", "threads-*/12s"), 32),
    (("container-128M/budget",), 32),
    (("phases/vmsize-growth", "phases/mappings-growth"), 1.1),
)


@dataclass
class Verdict:
    against: str  # the peer's name; "best(NAME)" where the best one counts
    ratio: float | None  # None: one of the two could not be measured
    limit: float | None  # None: nothing is promised
    lower_is_better: bool = True

    @property
    def word(self):
        if self.limit is None:
            return "-"
        if self.ratio is None:
            return "MISS"
        return "ok" if self.ratio <= self.limit else "MISS"

    def text(self):
        ratio = "?" if self.ratio is None else f"{self.ratio:.2f}"
        if self.limit is None:
            more = "" if self.lower_is_better else " (more is better)"
            return f"{ratio}x {self.against}{more}"
        return f"{ratio}x {self.against} (<= {self.limit:.2f}) {self.word}"

    def plain(self):
        return {"against": self.against, "ratio": self.ratio, "limit": self.limit,
                "word": self.word}


@dataclass
class Ceiling:
    value: float | None  # None: it could not be measured
    limit: float

    @property
    def word(self):
        return "ok" if self.value is not None and self.value <= self.limit else "MISS"

    def text(self):
        return f"(<= {self.limit:g}) {self.word}"

    def plain(self):
        return {"value": self.value, "limit": self.limit, "word": self.word}


def best_of(values, lower_is_better):
    present = {name: value for name, value in values.items() if value is not None}
    if not present:
        return None
    return (min if lower_is_better else max)(present, key=present.get)


def verdicts(row, ours, peers, lower_is_better=True):
    """Returns one verdict per promise about the row. Without a promise it is the plain ratio to the
    best peer.

    A bound against a peer that takes no part is not judged. A bound on a value of ours that could
    not be measured is missed."""
    best = best_of(peers, lower_is_better)
    result = [Ceiling(ours, limit) for rows, limit in CEILINGS if matches(row, rows)]
    for rows, against, limit in BOUNDS:
        name = best if against == BEST else against
        if name not in peers or not matches(row, rows):
            continue
        label = f"best({name})" if against == BEST else name
        result.append(Verdict(label, ratio_of(ours, peers[name]), limit))
    if not result and best is not None:
        result.append(Verdict(f"best({best})", ratio_of(ours, peers[best]), None, lower_is_better))
    return result


def matches(row, patterns):
    return any(fnmatchcase(row, pattern) for pattern in patterns)


def ratio_of(ours, peer):
    return ours / peer if ours is not None and peer else None
