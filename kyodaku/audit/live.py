"""What a running site adds to its files: how they are answered, and what its page and images say."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from kyodaku.audit.asking import LICENCE_FILE, SiteAnswers
from kyodaku.audit.contradictions import audit_files, contradiction, findings_of, once
from kyodaku.audit.findings import Finding
from kyodaku.gate import OriginFacts
from kyodaku.hostfiles import is_barred
from kyodaku.permission import Permission
from kyodaku.signals.model import Binding, Effect, Fetched, FetchError, Signal
from kyodaku.signals.policy_files import fetch_outcome, is_web_page
from kyodaku.signals.protocols import all_protocols
from kyodaku.signals.protocols.robots import PATH as ROBOTS
from kyodaku.signals.protocols.robots import PROTOCOL as ROBOTS_PROTOCOL
from kyodaku.signals.protocols.robots import fetch_outcome as robots_outcome
from kyodaku.urls import origin_of

#: Kinds of findings that say, or may hide, what somebody wants.
_SAYING = frozenset({"says-no", "says-yes", "unreadable", "file-error", "file-barred", "image-unread"})
_FORBIDDEN = frozenset({401, 403, 451})


@dataclass(frozen=True)
class Audited:
    """A site or its folder: its origin, the findings, its files by path; and of a live site those that could
    not be had, with their state, and what is said about its page and each image, by URL."""

    origin: str
    findings: list[Finding]
    bodies: dict[str, bytes]
    unknown: list[tuple[str, str]] = field(default_factory=list)
    images: dict[str, tuple[Signal, ...]] = field(default_factory=dict)


def audit_site(answers: SiteAnswers, own: Permission, now: float) -> list[Finding]:
    """All findings about a site. `own` reads for the auditor's own name."""
    home = origin_of(answers.url)
    found: list[Finding] = []
    for origin, facts in answers.origins.items():
        transport = _transport(facts, own)
        texts = audit_files(origin, facts.files, now) if origin in _own_origins(answers) else []
        found += [f if origin == home else replace(f, where=_at(origin, f.where)) for f in transport + texts]
    found += _page(answers, own) + _images(answers)
    explained = {
        _near(url, home)
        for origin, facts in answers.origins.items()
        for path, _ in unknown_files(facts)
        if path in facts.files
        for url in (origin + path, facts.files[path].final_url)
    }
    if answers.images and not any(f.kind in _SAYING for f in found):
        found.append(Finding("nothing-said", "", _near(answers.page_url, home)))
    return [f for f in once(found) if f.kind != "unreadable" or f.where not in explained]


def bodies(facts: OriginFacts) -> dict[str, bytes]:
    """The files of an origin that are there, by path, for an advice to build on."""
    return {
        key.removeprefix(facts.origin): file.body
        for key, file in facts.files.items()
        if _served(file) and not is_web_page(file.body) and key.removeprefix(facts.origin).startswith("/")
    }


def unknown_files(facts: OriginFacts) -> list[tuple[str, str]]:
    """Path and state of every host file that could not be had and may say something, or by that does; and of
    a licence file that may be there."""
    found = [
        (path, said)
        for path in dict.fromkeys(path for protocol in all_protocols() for path in protocol.host_files)
        if path in facts.files
        for effect, said in [_outcome(path, facts.files[path])]
        if effect is not Effect.SILENT
    ]
    licence = facts.files.get(LICENCE_FILE)
    if licence is None:
        found.append((LICENCE_FILE, "not asked for"))
    elif not _served(licence) and (licence.error is not None or licence.status not in (404, 410)):
        said = licence.error.value if licence.error is not None else f"HTTP {licence.status}"
        found.append((LICENCE_FILE, said))
    return found


def _own_origins(answers: SiteAnswers) -> set[str]:
    """The origin that was named and the one whose page was read, which may be another after a redirect."""
    pages = {origin_of(answers.page_url)} if answers.page_url else set()
    return {origin_of(answers.url)} | pages


def _transport(facts: OriginFacts, own: Permission) -> list[Finding]:
    """How the host files of an origin were answered. What a document they name lacks, its signals tell."""
    found = []
    names = {path: protocol.name for protocol in reversed(all_protocols()) for path in protocol.host_files}
    names[ROBOTS] = ROBOTS_PROTOCOL.name
    robots = facts.files.get(ROBOTS)
    # Where robots.txt bars all of the site, it has said no already.
    closed = robots is not None and all(
        is_barred(own, facts.origin + path, robots) for path in ("/", "/image.jpg")
    )
    for path, name in names.items():
        file = facts.files.get(path)
        if file is None:
            continue
        effect, said = _outcome(path, file)
        if file.error is FetchError.BARRED:
            if not closed:
                rule = _barring(facts.origin + path, robots, own) if robots else ""
                found.append(Finding("file-barred", name, path, 0, rule or said))
        elif effect is Effect.ERROR:
            found.append(Finding("file-error", name, path, 0, said))
        elif file.error is FetchError.REDIRECTS or file.status in _FORBIDDEN:
            found.append(Finding("file-forbidden", name, path, 0, said))
        elif path != ROBOTS and _served(file) and is_web_page(file.body):
            found.append(Finding("soft-404", name, path, 0, _first_line(file)))
        if path == ROBOTS and origin_of(file.final_url or file.url) != facts.origin:
            found.append(Finding("robots-elsewhere", name, path, 0, file.final_url))
    return found


def _outcome(path: str, file: Fetched) -> tuple[Effect, str]:
    """What the answer alone says, in crawls, and in which words: silence where there is a file to read."""
    if path == ROBOTS:
        robots = robots_outcome(file, "policy")
        return (robots[0], robots[2]) if robots is not None else (Effect.SILENT, "")
    answer = fetch_outcome(file)
    return (answer.effect, answer.said) if answer is not None else (Effect.SILENT, "")


def _served(file: Fetched) -> bool:
    return file.error is None and file.complete and file.status in (200, 203, 204)


def _first_line(file: Fetched) -> str:
    lines = file.body[:2000].decode("utf-8", "replace").strip().splitlines()
    return lines[0][:120] if lines else ""


def _barring(url: str, robots: Fetched, own: Permission) -> str:
    """The line of robots.txt that bars `url` to the auditor; "" for none."""
    signals = ROBOTS_PROTOCOL.read_host_file(ROBOTS, robots, url, own.reading())
    barring = (signal.raw for signal in signals if signal.effect is Effect.RESERVED)
    return next((f"{raw} (robots.txt)" for raw in barring), "")


def _page(answers: SiteAnswers, own: Permission) -> list[Finding]:
    """Whether the page could be read, and what it says."""
    home = origin_of(answers.url)
    if not answers.page_url:
        facts = answers.origins.get(home)
        robots = facts.files.get(ROBOTS) if facts else None
        rule = _barring(answers.url, robots, own) if robots is not None and _served(robots) else ""
        if rule:
            return [Finding("barred", "robots", ROBOTS, 0, rule)]
    found = findings_of(answers.signals, home, {})
    if answers.shut is not None:
        found.append(
            Finding("page-unread", "", _near(answers.page_url or answers.url, home), 0, answers.shut.reason)
        )
    elif not answers.images:
        found.append(Finding("no-images", "", _near(answers.page_url, home)))
    return found


def _images(answers: SiteAnswers) -> list[Finding]:
    home = origin_of(answers.url)
    files = {f"{o} {key}": file for o, facts in answers.origins.items() for key, file in facts.files.items()}
    found: list[Finding] = []
    alone: set[str] = set()
    for image in answers.images:
        everything = list(dict.fromkeys((*image.page, *image.address)))
        found += findings_of(everything, home, files)
        found += contradiction(_near(image.url, home), everything, home, files)
        no = [s for s in image.page if s.binding is Binding.PAGE and s.effect is Effect.RESERVED]
        heard = any(s.effect in (Effect.RESERVED, Effect.ERROR) for s in image.address)
        host = urlsplit(image.url).netloc
        if no and image.answered and not heard and host not in alone:
            alone.add(host)
            found.append(Finding("only-on-page", no[0].protocol, _near(image.url, home), 0, no[0].raw))
        if not image.answered and not heard:
            found.append(Finding("image-unread", "", _near(image.url, home)))
    return found


def _near(url: str, home: str) -> str:
    """A URL of the origin `home` as its path."""
    return url.removeprefix(home) if url.startswith(f"{home}/") else url


def _at(origin: str, where: str) -> str:
    return origin + where if where.startswith("/") else where
