"""What is found once an origin changes no signal: every protocol asked for every URL says the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kyodaku import hostreading
from kyodaku.gate import OriginFacts
from kyodaku.hostreading import HostReading
from kyodaku.signals.model import Fetched, FetchError, Letter, Reading, Signal
from kyodaku.signals.protocols import all_protocols
from tests.core.strategies import NOW, ROBOTS_TEXT, reading

ORIGIN = "https://example.com"
RSL = b'<rsl xmlns="https://rslstandard.org/rsl"><content url="/art/"><license><prohibits type="usage">all'
RSL += b"</prohibits></license></content></rsl>"
BODIES = (
    b"",
    b"User-agent: *\nDisallow: /art/\n",
    b"User-agent: GPTBot\nDisallow: /\nContent-Usage: /art train-ai=n\nLicense: /l.xml\n",
    b"License: /l.xml\nUser-agent: *\nContent-Signal: ai-train=no\nDisallowAITraining: /art\n",
    b"Content Signal: ai-train=no\nUser-agent: *\nContent-Usage : train-ai=n\n",
    b'[{"location": "/art/*", "tdm-reservation": 1}]',
    b"datatrainingallowed=no\n",
    b"datatrainingallowed=yes\n",
    b"User-Agent: *\nDisallow: *.jpg\nAllow: /\n",
    b"We do not allow AI training.",
    b"<html>none</html>",
    RSL,
)
URLS = ("/", "/robots.txt", "/art/cat.jpg", "/art/../a%2fb?c=d", "/ART/1.PNG", "/" + "x" * 20_000)
LETTER = Letter("example.com", ("/art",), "0" * 64, NOW)


@st.composite
def facts(draw: st.DrawFn) -> OriginFacts:
    paths = {path for protocol in all_protocols() for path in protocol.host_files}
    files = {}
    for path in sorted(paths | {ORIGIN + "/l.xml"}):
        robots = ROBOTS_TEXT if path == "/robots.txt" else st.nothing()
        body = draw(st.sampled_from(BODIES) | st.binary(max_size=40) | robots)
        body = body if isinstance(body, bytes) else str(body).encode("utf-8", "surrogatepass")
        error = draw(st.sampled_from((None,) * 12 + (FetchError.BARRED, FetchError.DNS)))
        status = None if error else draw(st.sampled_from((200, 200, 200, 404, 402, 403, 503)))
        complete = draw(st.sampled_from((True, True, True, False)))
        if draw(st.integers(0, 9)):
            url = path if "://" in path else ORIGIN + path
            files[path] = Fetched(url, url, status, (), body, complete, error, 1.0)
    return OriginFacts(ORIGIN, files, 0.0)


def plainly(url: str, facts: OriginFacts, how: Reading) -> tuple[list[Signal], bool]:
    signals: list[Signal] = []
    missing = False
    for protocol in all_protocols():
        for path in protocol.host_files:
            if path in facts.files:
                signals += protocol.read_host_file(path, facts.files[path], url, how)
            else:
                missing = missing or protocol.wants(path, facts.files, how)
        for declared in protocol.host_documents(facts.files, facts.origin, how):
            document = facts.files.get(declared.url)
            if document is not None:
                signals += protocol.read_document(document, declared, url, how)
            else:
                missing = missing or declared.needed
    return signals, missing


@settings(max_examples=200, deadline=None)
@given(facts(), facts(), st.sampled_from(("spec", "policy")))
def test_the_same_signals_for_every_url_and_moment(
    first: OriginFacts, second: OriginFacts, mode: Literal["spec", "policy"]
) -> None:
    kept = HostReading(all_protocols())
    before = replace(reading(mode), letters=(LETTER,))
    for found in (first, second):
        for how in (before, replace(before, now=NOW + timedelta(days=1)), reading(mode)):
            for path in URLS:
                url = ORIGIN + path
                assert kept.signals(url, found, how) == plainly(url, found, how)


def test_a_file_that_changes_within_the_same_facts_is_read() -> None:
    kept = HostReading(all_protocols())
    url = ORIGIN + "/robots.txt"
    found = OriginFacts(ORIGIN, {"/robots.txt": Fetched(url, url, 404, (), b"", True, None, 1.0)}, 0.0)
    assert not kept.signals(ORIGIN + "/a", found, reading())[0]
    found.files["/robots.txt"] = replace(
        found.files["/robots.txt"], status=200, body=b"User-agent: *\nDisallow: /"
    )
    assert kept.signals(ORIGIN + "/a", found, reading())[0]


def test_large_files_of_many_origins_are_not_all_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostreading, "_MEMORY_BYTES", 3000)
    kept = HostReading(all_protocols())
    for number in range(50):
        origin = f"https://{number}.example"
        body = b"User-agent: *\nDisallow: /b\n# " + b"x" * 1000
        answer = Fetched(origin + "/robots.txt", origin + "/robots.txt", 200, (), body, True, None, 1.0)
        found = OriginFacts(origin, {"/robots.txt": answer}, 0.0)
        for _ in range(2):
            assert not kept.signals(origin + "/a", found, reading())[0]
            assert kept.signals(origin + "/b", found, reading())[0]
        assert len(kept._origins) <= 2
