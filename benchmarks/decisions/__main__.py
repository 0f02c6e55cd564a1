"""make bench-decisions: G1 over cached host files beside bare Protego, on one list, in one run.

    python -m benchmarks.decisions [--urls 1000000] [--hosts 10000] [--json FILE]

What hosts have, in turn, is in `benchmarks/decisions/hosts.py`; no two files are equal. All host files are
there before the list is asked about; URLs of one host follow each other. Protego parses each robots.txt once
and is asked `can_fetch`; ours is `Permission.g1` with every protocol. Both take turns host by host; the first
reading counts.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from protego import Protego

from benchmarks.decisions.hosts import AGENT, KINDS, permission, urls_of
from benchmarks.machine import describe
from kyodaku.permission import Permission


@dataclass
class Measured:
    """Seconds over the whole list, resident megabytes, and what we answered."""

    machine: str
    urls: int
    hosts: int
    protego_s: dict[str, float]  # by kind of host
    kyodaku_s: dict[str, float]
    files_mb: float
    decided_mb: float
    verdicts: dict[str, int]

    @property
    def ratio(self) -> float:
        """Our decisions in the time of one of Protego's."""
        return sum(self.protego_s.values()) / sum(self.kyodaku_s.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--urls", type=int, default=1_000_000)
    parser.add_argument("--hosts", type=int, default=10_000)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    asked = parser.parse_args()
    with closing(permission()) as gates:
        measured = measure(gates, asked.hosts, asked.urls // asked.hosts)
    print(measured.machine)
    count = measured.urls
    print(f"Protego: {count / sum(measured.protego_s.values()):,.0f} decisions/s")
    print(f"kyodaku: {count / sum(measured.kyodaku_s.values()):,.0f} decisions/s", end=", ")
    print(f"{measured.ratio:.3f} x Protego")
    for kind, seconds in measured.kyodaku_s.items():
        each = [1e6 * spent * len(KINDS) / count for spent in (measured.protego_s[kind], seconds)]
        print(f"  {kind:<34} Protego {each[0]:6.1f}, kyodaku {each[1]:6.1f} microseconds")
    print(f"{measured.hosts:,} hosts' files take {measured.files_mb:.0f} MB; peak grew by", end=" ")
    print(f"{measured.decided_mb:.0f} MB while deciding")
    for said, number in sorted(measured.verdicts.items(), key=lambda item: -item[1]):
        print(f"  {number:>9,} {said}")
    if asked.json is not None:
        asked.json.write_text(json.dumps({**asdict(measured), "ratio": measured.ratio}, indent=1) + "\n")


def measure(gates: Permission, hosts: int, each: int) -> Measured:
    """Ask both about `each` URLs of each of `hosts` hosts."""
    before = _resident_mb()
    names = list(KINDS)
    cached = [KINDS[names[n % len(names)]](n, gates.host_file_paths) for n in range(hosts)]
    files_mb, before = _resident_mb() - before, _peak_mb()
    protego_s, kyodaku_s = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    verdicts: dict[str, int] = {}
    for number, facts in enumerate(cached):
        urls, kind = list(urls_of(number, each)), names[number % len(names)]
        began = time.perf_counter()
        robots = Protego.parse(facts.files["/robots.txt"].body.decode())
        for url in urls:
            robots.can_fetch(url, AGENT)
        between = time.perf_counter()
        results = [gates.g1(url, facts) for url in urls]
        protego_s[kind] += between - began
        kyodaku_s[kind] += time.perf_counter() - between
        for result in results:
            said = f"{result.verdict.value} {result.reason}".strip()
            verdicts[said] = verdicts.get(said, 0) + 1
    decided_mb = _peak_mb() - before
    return Measured(describe(), hosts * each, hosts, protego_s, kyodaku_s, files_mb, decided_mb, verdicts)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    main()
