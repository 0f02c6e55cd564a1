"""The hosts that `bench-decisions` asks about: ten kinds in turn, a tenth of the hosts each.

Nothing (404, twice); a few plain rules (twice); 200 rules and a group of AI crawlers; Content-Usage and
Content-Signal; tdmrep.json; ai.txt in Spawning's form; trust.txt; an RSL licence that robots.txt names. Every
text ends in a comment with the number of its host, so that no two are equal.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

from kyodaku.gate import OriginFacts
from kyodaku.netguard import NetPolicy
from kyodaku.permission import Permission
from kyodaku.recipe import parse_recipe
from kyodaku.registry_client import EMPTY_SNAPSHOT
from kyodaku.rules import Rules
from kyodaku.signals.model import Fetched, Hop

AGENT = "BenchCrawler"

_PLAIN = "User-agent: *\nDisallow: /admin/\nDisallow: /*?session=\nAllow: /admin/public/\n"
_LONG = "User-agent: *\n" + "".join(f"Disallow: /closed/{n}/*.php$\n" for n in range(200))
_LONG += "User-agent: GPTBot\nUser-agent: CCBot\nUser-agent: Google-Extended\nDisallow: /gallery/1\n"
_PREFERENCES = _PLAIN + "Content-Usage: /gallery/2 train-ai=n\nContent-Signal: search=yes, ai-train=yes\n"
_TDMREP = '[{"location": "/gallery/3*", "tdm-reservation": 1, "note": "{host}"}]'
_AI_TXT = "# Spawning AI\nUser-Agent: *\nDisallow: *.png\nDisallow: /gallery/4/\nAllow: *.jpg\nAllow: /\n"
_TRUST = "member=https://union.example/\ncontact=https://host.example/\ndatatrainingallowed=no\n"
_RSL = '<rsl xmlns="https://rslstandard.org/rsl"><content url="/gallery/5/"><license>'
_RSL += '<prohibits type="usage">ai-train</prohibits></license></content></rsl><!-- {host} -->'


def permission() -> Permission:
    """The gates of a recipe with every protocol; the caller closes them."""
    recipe = parse_recipe(
        {
            "version": 1,
            "name": "bench",
            "operator": {"crawler": AGENT, "contact": "https://bench.example/bot"},
            "seeds": {"sites": ["https://host0.example/"]},
            "permission": {"basis": "opt-in"},
        },
        "bench",
    )
    return Permission(Rules.from_recipe(recipe, NetPolicy()), EMPTY_SNAPSHOT, time.time)


def urls_of(number: int, count: int) -> Iterator[str]:
    """`count` pictures of one host, in nine galleries."""
    for n in range(count):
        yield f"https://host{number}.example/gallery/{n % 9}/picture-{n}.jpg"


def _host(robots: str, others: dict[str, str], number: int, paths: tuple[str, ...]) -> OriginFacts:
    """The host files of host `number`: `robots` and `others`, every other one of `paths` a 404."""
    origin, mark = f"https://host{number}.example", f"# host {number}\n"
    bodies = {path: text.replace("{host}", str(number)) for path, text in others.items()}
    if robots:
        bodies["/robots.txt"] = robots + mark
    for path in bodies:
        if path.endswith(("/ai.txt", "/trust.txt")):
            bodies[path] += mark
    files = {path: _answer(origin + path, bodies.get(path, "")) for path in paths}
    for path in bodies.keys() - set(paths):  # a document: known by its whole address
        files[origin + path] = _answer(origin + path, bodies[path])
    return OriginFacts(origin, files, 0.0)


def _answer(url: str, text: str) -> Fetched:
    status = 200 if text else 404
    kind = {"json": "application/json", ".xml": "application/rsl+xml"}.get(url[-4:], "text/plain")
    headers = (("Content-Type", kind),)
    return Fetched(url, url, status, headers, text.encode(), True, None, 0.0, (Hop(url, status),))


#: What hosts have -> makes the facts of one from its number and the paths that are asked of every origin.
KINDS: dict[str, Callable[[int, tuple[str, ...]], OriginFacts]] = {
    name: partial(_host, robots, others)
    for name, robots, others in (
        ("no file", "", {}),
        ("three rules", _PLAIN, {}),
        ("200 rules and AI crawlers", _LONG, {}),
        ("Content-Usage and Content-Signal", _PREFERENCES, {}),
        ("tdmrep.json", _PLAIN, {"/.well-known/tdmrep.json": _TDMREP}),
        ("no file, too", "", {}),
        ("ai.txt", _PLAIN, {"/ai.txt": _AI_TXT}),
        ("trust.txt", _PLAIN, {"/.well-known/trust.txt": _TRUST}),
        ("RSL", _PLAIN + "License: /licence.xml\n", {"/licence.xml": _RSL}),
        ("three rules, too", _PLAIN, {}),
    )
}
