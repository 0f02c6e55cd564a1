"""TDMRep beside the vectors: what no text does to the reader, and what a grant takes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.carriers.html import parse_html
from kyodaku.signals.model import Binding, Declared, Effect, Fetched, FetchError, Signal, Where
from kyodaku.signals.protocols.tdmrep import PATH, PROTOCOL
from tests.core.strategies import IMAGE, reading

ORIGIN = "https://example.com"
PAGE = ORIGIN + "/gallery/1.html"


def file(body: bytes | str | Any, *, complete: bool = True) -> Fetched:
    if not isinstance(body, bytes):
        body = (body if isinstance(body, str) else json.dumps(body)).encode()
    url = ORIGIN + PATH
    error = None if complete else FetchError.RESET
    return Fetched(url, url, 200, (), body, complete, error, 1.0)


def said(body: Any, mode: Any = "policy", url: str = IMAGE) -> list[Signal]:
    return PROTOCOL.read_host_file(PATH, file(body), url, reading(mode))


def effects(signals: list[Signal]) -> set[Effect]:
    return {signal.effect for signal in signals}


def entry(location: Any, value: Any) -> dict[str, Any]:
    return {"location": location, "tdm-reservation": value}


# --------------------------------------------------------------------------- the file


def test_a_signal_names_the_entry_that_decided_and_where_it_stood() -> None:
    (signal,) = said([entry("/x/", 0), {**entry("/art/", 1), "tdm-policy": "https://a.example/p"}])
    assert (signal.effect, signal.where, signal.binding) == (Effect.RESERVED, Where.FILE, Binding.PATH)
    assert (signal.reason, signal.rule) == ("tdmrep", "tdmrep:file")
    assert signal.source_url == ORIGIN + PATH
    assert signal.raw == '{"location": "/art/", "tdm-reservation": 1}'
    assert "https://a.example/p" in signal.parsed


def test_an_error_names_its_reason() -> None:
    (signal,) = said("tdm-reservation: 1")
    assert (signal.effect, signal.reason) == (Effect.ERROR, "policy_file_unreadable")


def test_other_paths_are_not_its_own() -> None:
    assert PROTOCOL.read_host_file("/robots.txt", file([entry("/", 1)]), IMAGE, reading()) == []


def test_an_address_longer_than_any_is_not_compared() -> None:
    assert effects(said([entry("/", 0)], url=ORIGIN + "/" + "a" * 20_000)) == {Effect.ERROR}


@pytest.mark.parametrize("count", [10_000, 10_001])
def test_entries_are_counted(count: int) -> None:
    expected = Effect.RESERVED if count == 10_000 else Effect.ERROR
    assert effects(said([*[entry("/x", 0)] * (count - 1), entry("/", 1)])) == {expected}


@pytest.mark.parametrize("depth", [10, 300, 900, 5000, 100_000])
@pytest.mark.parametrize("where", ["location", "tdm-reservation", "more"])
def test_nesting_never_breaks_the_reader(depth: int, where: str) -> None:
    nested = "[" * depth + "]" * depth
    body = f'[{{"location":"/","tdm-reservation":1,"{where}":{nested}}}]'
    for mode in ("spec", "policy"):
        assert Effect.PERMITTED not in effects(said(body, mode))
    assert effects(said(body)) <= {Effect.RESERVED, Effect.ERROR}
    assert said(body) != []


@given(
    st.lists(
        st.one_of(
            st.dictionaries(
                st.sampled_from(["location", "tdm-reservation", "tdm-policy", "TDM_Reservation"]),
                st.one_of(
                    st.sampled_from([0, 1, "0", "1", True, False, None, "/", "/art/", "*", 1.0, 2, []]),
                    st.text(max_size=5),
                ),
            ),
            st.none(),
            st.integers(),
        ),
        max_size=5,
    )
)
def test_a_grant_stands_in_an_exact_entry_before_any_other_that_matches(entries: list[Any]) -> None:
    """The law told once more, simply: by policy, the first entry that is not plainly about another path."""
    found = effects(said(entries))
    if Effect.PERMITTED not in found:
        return
    for item in entries:
        location, value = item.get("location"), item.get("tdm-reservation")
        if location in ("/", "/art/", "*") and type(value) is int and value == 0:
            return
        assert value not in (1, "1", True, 1.0) or (
            isinstance(location, str) and location[:1] in ("/", "*") and location not in ("/", "/art/", "*")
        )
    raise AssertionError("granted by no entry")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_a_grant(body: bytes) -> None:
    for mode in ("spec", "policy"):
        signals = PROTOCOL.read_host_file(PATH, file(body), IMAGE, reading(mode))
        assert Effect.PERMITTED not in effects(signals)
        PROTOCOL.host_documents({PATH: file(body)}, ORIGIN, reading(mode))


@given(
    st.lists(st.tuples(st.sampled_from(["/", "/art/", "/x/", "*.jpg$"]), st.sampled_from([0, 1, 2, "1"]))),
    st.sampled_from(["/art/cat.jpg", "/x/a.png", "/art/../x/a.jpg"]),
)
def test_policy_is_never_more_open_than_the_letter(rows: list[tuple[str, Any]], path: str) -> None:
    rank = {Effect.PERMITTED: 0, Effect.SILENT: 1, Effect.ERROR: 2, Effect.RESERVED: 3}
    entries = [entry(location, value) for location, value in rows]
    found = {}
    for mode in ("spec", "policy"):
        found[mode] = PROTOCOL.resolve(said(entries, mode, ORIGIN + path))
    assert rank[found["policy"]] >= rank[found["spec"]]


@given(st.integers(0, 60))
def test_a_file_that_broke_off_grants_nothing(at: int) -> None:
    body = json.dumps([entry("/", 0), entry("/", 0)]).encode()[:at]
    signals = PROTOCOL.read_host_file(PATH, file(body, complete=False), IMAGE, reading())
    assert effects(signals) == {Effect.ERROR}


# --------------------------------------------------------------------------- headers, markup, precedence


def head(*headers: tuple[str, str], url: str = IMAGE) -> ResponseHead:
    return ResponseHead(url, 200, headers, 1.0)


@given(st.lists(st.tuples(st.sampled_from(["tdm-reservation", "TDM-Reservation"]), st.text("01, \t;xé"))))
def test_only_zeros_grant_in_a_header(headers: list[tuple[str, str]]) -> None:
    for mode in ("spec", "policy"):
        found = effects(PROTOCOL.read_image_head(head(*headers), reading(mode)))
        if Effect.PERMITTED in found:
            assert {part.strip(" \t") for _, value in headers for part in value.split(",")} == {"0"}
        assert Effect.PERMITTED not in effects(PROTOCOL.read_page_head(head(*headers), reading(mode)))


def test_a_page_head_reserves_by_policy_only() -> None:
    tdm = head(("tdm-reservation", "1"), url=PAGE)
    assert effects(PROTOCOL.read_page_head(tdm, reading("policy"))) == {Effect.RESERVED}
    assert PROTOCOL.read_page_head(tdm, reading("spec")) == []


@pytest.mark.parametrize("mode", ["spec", "policy"])
def test_meta_tags_never_grant_images(mode: Any) -> None:
    page = parse_html(b'<meta name="tdm-reservation" content="0"><img src="/art/cat.jpg">', "text/html", PAGE)
    assert PROTOCOL.read_page(page, IMAGE, reading(mode)) == []
    assert PROTOCOL.read_page(page, None, reading(mode)) == []
    assert effects(PROTOCOL.read_page(page, PAGE, reading(mode))) == {Effect.PERMITTED}


def test_by_the_letter_what_stands_nearer_supersedes_and_by_policy_nothing_lifts_a_no() -> None:
    for mode, expected in (("spec", Effect.PERMITTED), ("policy", Effect.RESERVED)):
        signals = said([entry("/", 1)], mode)
        signals += PROTOCOL.read_image_head(head(("tdm-reservation", "0")), reading(mode))  # type: ignore[arg-type]
        assert PROTOCOL.resolve(signals) is expected
    assert PROTOCOL.resolve([]) is Effect.SILENT


def test_an_error_beside_a_grant_stays_an_error_by_the_letter_too() -> None:
    signals = said("[tdm-reservation", "spec")
    signals += PROTOCOL.read_image_head(head(("tdm-reservation", "0")), reading("spec"))
    assert PROTOCOL.resolve(signals) is Effect.ERROR


# --------------------------------------------------------------------------- policies


def test_policies_are_evidence_from_every_channel_that_names_them() -> None:
    policy = {**entry("/", 1), "tdm-policy": "/p.json#part"}
    (of_file,) = PROTOCOL.host_documents({PATH: file([policy])}, ORIGIN, reading())
    page = parse_html(b'<meta name="tdm-policy" content="p.json">', "text/html", PAGE)
    page_head = head(("tdm-policy", "https://a.example/p.json"), url=PAGE)
    of_head, of_meta = PROTOCOL.page_documents(page_head, page, reading())
    (of_image,) = PROTOCOL.image_documents(head(("tdm-policy", "p.json")), reading())
    assert [declared.url for declared in (of_file, of_head, of_meta, of_image)] == [
        ORIGIN + "/p.json",
        "https://a.example/p.json",
        ORIGIN + "/gallery/p.json",
        ORIGIN + "/art/p.json",
    ]
    assert not any(declared.needed for declared in (of_file, of_head, of_meta, of_image))


@pytest.mark.parametrize("policy", ["", "javascript:1", "http://", "http://[", "mailto:a@b.example", 5, None])
def test_a_policy_that_cannot_be_asked_for_names_nothing(policy: Any) -> None:
    named = {**entry("/", 1), "tdm-policy": policy}
    assert PROTOCOL.host_documents({PATH: file([named])}, ORIGIN, reading()) == ()
    assert effects(said([named])) == {Effect.RESERVED}


def test_policies_are_few() -> None:
    named = [{**entry("/", 1), "tdm-policy": f"/{number}.json"} for number in range(100)]
    assert len(PROTOCOL.host_documents({PATH: file(named)}, ORIGIN, reading())) == 8


@pytest.mark.parametrize("status", [200, 404, 500])
def test_a_policy_changes_nothing(status: int) -> None:
    declared = Declared("tdmrep", ORIGIN + "/p", Where.FILE, Binding.PATH, "", ORIGIN, needed=False)
    offer = Fetched(ORIGIN + "/p", ORIGIN + "/p", status, (), b'{"@type": "Offer"}', True, None, 1.0)
    assert effects(PROTOCOL.read_document(offer, declared, IMAGE, reading())) <= {Effect.SILENT}
