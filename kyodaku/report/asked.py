"""What a run asked for, by what it was for: what asking for permission costs is told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from kyodaku.report.data import HostFile, safe_origin

ROBOTS, FILES, DOCUMENTS, PAGES, IMAGES = "robots", "files", "documents", "pages", "images"
#: What a request can be for, in the order of a crawl.
PURPOSES = (ROBOTS, FILES, DOCUMENTS, PAGES, IMAGES)


def purpose_of(path: str) -> str:
    """What was asked for: robots.txt, another host file, or, under its absolute address, a document."""
    if path == "/robots.txt":
        return ROBOTS
    return FILES if path.startswith("/") else DOCUMENTS


def asking_for_permission(files: Iterable[HostFile]) -> Counter[tuple[str, str]]:
    """(origin that was asked, purpose) -> requests, redirects included.

    An answer that several rows rest on counts once: one record in the evidence stands for the copies that
    bridge an outage, and for a document that many hosts name, with the way to it.
    """
    counts: Counter[tuple[str, str]] = Counter()
    seen: set[tuple[object, ...]] = set()
    for number, file in enumerate(files):
        record = (file.warc_file, file.warc_offset, file.fetched_at)
        own = file.path.startswith("/") and file.verdict != ""
        for step, (url, _) in enumerate(file.hops):
            request: tuple[object, ...] = (url, *record)
            if own:
                request += (file.origin, file.path, step, -1 if file.warc_file else number)
            if request not in seen:
                counts[safe_origin(url), purpose_of(file.path)] += 1
            seen.add(request)
    return counts


def addresses(files: Iterable[HostFile]) -> Counter[str]:
    """Purpose -> addresses, redirects included, each once however often it was asked for. A crawl that was
    killed and taken up again asks more often, but for the same: a release counts these."""
    return Counter(purpose for purpose, _ in {(purpose_of(f.path), url) for f in files for url, _ in f.hops})
