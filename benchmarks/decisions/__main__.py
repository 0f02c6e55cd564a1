"""make bench-decisions: G1 over cached host files beside bare Protego, on one list, in one run.

    python -m benchmarks.decisions [--urls 1000000] [--hosts 10000]

Host files in turn, by host: none (404), plain rules, 200 rules with AI groups, Content-Usage with
Content-Signal, a tdmrep.json beside plain rules. URLs of one host follow each other. Protego parses each
robots.txt once and is asked `can_fetch`; ours is `Permission.g1` with every protocol, first parse included.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator
from contextlib import closing

from protego import Protego

from benchmarks.machine import describe
from kyodaku.gate import OriginFacts
from kyodaku.netguard import NetPolicy
from kyodaku.permission import Permission
from kyodaku.recipe import parse_recipe
from kyodaku.registry_client import EMPTY_SNAPSHOT
from kyodaku.rules import Rules
from kyodaku.signals.model import Fetched, Hop

PLAIN = b"User-agent: *\nDisallow: /admin/\nDisallow: /*?session=\nAllow: /admin/public/\n"
BIG = b"User-agent: *\n" + b"".join(b"Disallow: /closed/%d/*.php$\n" % n for n in range(200))
BIG += b"User-agent: GPTBot\nUser-agent: CCBot\nUser-agent: Google-Extended\nDisallow: /gallery/1\n"
PREFERENCES = PLAIN + b"Content-Usage: /gallery/2 train-ai=n\nContent-Signal: search=yes, ai-train=yes\n"
TDMREP = b'[{"location": "/gallery/3*", "tdm-reservation": 1}]'
ROBOTS = (b"", PLAIN, BIG, PREFERENCES, PLAIN)


def _answer(url: str, body: bytes) -> Fetched:
    status = 200 if body else 404
    kind = "application/json" if url.endswith(".json") else "text/plain"
    return Fetched(url, url, status, (("Content-Type", kind),), body, True, None, 0.0, (Hop(url, status),))


def _facts(permission: Permission, number: int) -> OriginFacts:
    origin = f"https://host{number}.example"
    bodies = {"/robots.txt": ROBOTS[number % 5]}
    if number % 5 == 4:
        bodies["/.well-known/tdmrep.json"] = TDMREP
    paths = permission.host_file_paths
    return OriginFacts(origin, {p: _answer(origin + p, bodies.get(p, b"")) for p in paths}, 0.0)


def _urls(number: int, count: int) -> Iterator[str]:
    for n in range(count):
        yield f"https://host{number}.example/gallery/{n % 9}/picture-{n}.jpg"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--urls", type=int, default=1_000_000)
    parser.add_argument("--hosts", type=int, default=10_000)
    asked = parser.parse_args()
    each = asked.urls // asked.hosts
    recipe = parse_recipe(
        {
            "version": 1,
            "name": "bench",
            "operator": {"crawler": "BenchCrawler", "contact": "https://bench.example/bot"},
            "seeds": {"sites": ["https://host0.example/"]},
            "permission": {"basis": "opt-in"},
        },
        "bench",
    )
    with closing(Permission(Rules.from_recipe(recipe, NetPolicy()), EMPTY_SNAPSHOT, time.time)) as permission:
        seconds = {"protego": 0.0, "kyodaku": 0.0}
        verdicts: dict[str, int] = {}
        for number in range(asked.hosts):
            facts, urls = _facts(permission, number), list(_urls(number, each))
            began = time.perf_counter()
            robots = Protego.parse(ROBOTS[number % 5].decode())
            for url in urls:
                robots.can_fetch(url, "BenchCrawler")
            between = time.perf_counter()
            results = [permission.g1(url, facts) for url in urls]
            seconds["protego"] += between - began
            seconds["kyodaku"] += time.perf_counter() - between
            for result in results:
                said = f"{result.verdict.value} {result.reason}".strip()
                verdicts[said] = verdicts.get(said, 0) + 1
    print(describe())
    for name, spent in seconds.items():
        ratio = seconds["protego"] / spent
        print(f"{name}: {each * asked.hosts / spent:,.0f} decisions/s, {ratio:.3f} x Protego")
    print(f"peak RSS {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB; verdicts {verdicts}")


if __name__ == "__main__":
    main()
