"""trust.txt beside the vectors."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyodaku.signals.model import Binding, Effect, Fetched, FetchError
from kyodaku.signals.protocols.trust_txt import PROTOCOL, ROOT, WELL_KNOWN
from tests.core.strategies import IMAGE, reading


def file(body: bytes, status: int = 200, error: FetchError | None = None, complete: bool = True) -> Fetched:
    url = "https://example.com" + WELL_KNOWN
    return Fetched(url, url, None if error else status, (), body, complete, error, 1.0)


def said(body: bytes, mode: Any = "policy", **more: Any) -> list[Effect]:
    signals = PROTOCOL.read_host_file(WELL_KNOWN, file(body, **more), IMAGE, reading(mode))
    return [signal.effect for signal in signals]


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "datatrainingallowed=yes",
                "datatrainingallowed=no",
                " DataTrainingAllowed = YES ",
                "datatrainingallowed=perhaps",
                "datatrainingallowed=yes # x",
                "#datatrainingallowed=yes",
                "member=https://a.example/",
            ]
        ),
        st.text(max_size=20),
    ),
    max_size=5,
)


@given(LINES, st.sampled_from(["\n", "\r\n", "\r"]))
def test_a_grant_takes_a_line_that_says_yes_and_none_that_says_otherwise(lines: list[str], end: str) -> None:
    body = end.join(lines)
    for mode in ("spec", "policy"):
        found = said(body.encode("utf-8", "replace"), mode)
        if found == [Effect.PERMITTED]:
            pairs = [line.partition("#")[0].partition("=") for line in body.replace("\r", "\n").split("\n")]
            values = {
                v.strip().lower() for key, _, v in pairs if key.strip().lower() == "datatrainingallowed"
            }
            assert values == {"yes"}


@given(LINES, st.integers(0, 5))
def test_a_no_counts_wherever_it_stands(lines: list[str], at: int) -> None:
    clean = [line.replace("\x00", "") for line in lines]
    body = "\n".join(["member=x", *clean[:at], "datatrainingallowed=no", *clean[at:]])
    assert said(body.encode("utf-8", "replace")) == [Effect.RESERVED]


@given(st.binary(max_size=200))
def test_any_bytes_are_read(body: bytes) -> None:
    for mode in ("spec", "policy"):
        assert len(said(body, mode)) <= 1
    assert said(body, complete=False) == [Effect.ERROR]


def test_a_signal_speaks_about_the_whole_host() -> None:
    body = b"member=x\n  datatrainingallowed = no  \n"
    (signal,) = PROTOCOL.read_host_file(WELL_KNOWN, file(body), IMAGE, reading())
    assert (signal.binding, signal.reason, signal.raw) == (
        Binding.HOST,
        "trust_txt",
        "datatrainingallowed = no",
    )
    assert PROTOCOL.read_host_file("/robots.txt", file(body), IMAGE, reading()) == []


@pytest.mark.parametrize(
    ("first", "wanted"),
    [
        (None, True),
        (file(b"", 404), True),
        (file(b"<html>"), True),
        (file(b"", 451), True),
        (file(b"", error=FetchError.REDIRECTS), True),
        (file(b"x=y"), False),
        (file(b"", 500), False),
        (file(b"", 402), False),
        (file(b"", error=FetchError.BARRED), False),
        (file(b"", error=FetchError.DNS), False),
    ],
)
def test_the_root_has_a_say_where_the_well_known_place_has_no_file(
    first: Fetched | None, wanted: bool
) -> None:
    files = {} if first is None else {WELL_KNOWN: first}
    assert PROTOCOL.wants(ROOT, files, reading()) is wanted
    assert PROTOCOL.wants(WELL_KNOWN, files, reading())
