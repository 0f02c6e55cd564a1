"""What `explain` tells about a page or a host, whether or not an image was found there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from urllib.parse import urlsplit

from kyodaku.report.data import HostFile, RunFacts, safe_origin
from kyodaku.report.pages import Page, all_pages, pages_named, reasons_given, signals_of
from kyodaku.report.sentences import host_sentence, page_sentence
from kyodaku.report.story import PageStory, SignalLine, Story
from kyodaku.signals.model import Signal


def page_stories(
    facts: RunFacts, names: Collection[str], files: Sequence[HostFile], limit: int
) -> tuple[PageStory, ...]:
    """The pages and sitemaps that `names` names: their walls, raw lines and host files."""
    pages = pages_named(facts.run, names)[:limit]
    said = signals_of(facts.run, pages)
    return tuple(_page_story(page, said.get(page.url, ()), files) for page in pages)


def host_story(facts: RunFacts, what: str, names: Collection[str], files: Sequence[HostFile]) -> Story | None:
    """The story of the host or origin that `what` names, or None when it names none that the run met."""
    origins = {safe_origin(name) for name in names if _is_root(name)}
    hosts = {name.lower() for name in names if "://" not in name}
    own = tuple(file for file in files if file.origin in origins or _host(file.origin) in hosts)
    pages = [page for page in all_pages(facts.run) if _is_of(page, origins, hosts)]
    if not own and not pages:
        return None
    return Story(
        asked=what,
        asked_as="host",
        run=str(facts.run.path),
        sentence=host_sentence(what.strip(), own, pages),
        images=(),
        not_told=0,
        host_files=own,
    )


def signal_line(signal: Signal, chosen: bool) -> SignalLine:
    """A signal as it is told; `chosen` where the decision rests on it."""
    return SignalLine(
        protocol=signal.protocol,
        effect=signal.effect,
        raw=signal.raw,
        parsed=signal.parsed,
        rule=signal.rule,
        binding=signal.binding,
        source_url=signal.source_url,
        fetched_at=signal.fetched_at,
        digest=signal.digest,
        complete=signal.complete,
        decisive=chosen,
    )


def _page_story(page: Page, signals: Sequence[Signal], files: Sequence[HostFile]) -> PageStory:
    origins = {safe_origin(url) for url in (page.url, page.final_url, *(url for url, _ in page.hops)) if url}
    chosen = reasons_given(page, signals) if page.outcome else []
    because = {signal.reason for signal in chosen}
    return PageStory(
        url=page.url,
        kind=page.kind,
        sentence=page_sentence(page, chosen),
        outcome=page.outcome,
        reason=page.reason,
        gate=page.gate,
        final_url=page.final_url,
        hops=page.hops,
        status=page.status,
        fetched_at=page.fetched_at,
        bytes=page.bytes,
        candidates=page.candidates,
        signals=tuple(signal_line(signal, signal.reason in because) for signal in signals),
        host_files=tuple(file for file in files if file.origin in origins),
    )


def _is_of(page: Page, origins: Collection[str], hosts: Collection[str]) -> bool:
    origin = safe_origin(page.url)
    return origin in origins or _host(origin) in hosts


def _is_root(url: str) -> bool:
    try:
        return "://" in safe_origin(url) and urlsplit(url).path in ("", "/")
    except ValueError:
        return False


def _host(origin: str) -> str:
    return (urlsplit(origin).hostname or "") if "://" in origin else ""
