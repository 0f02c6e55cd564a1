"""User intents of ATProto, tags of the fediverse and silent declarations, beside the vectors: none grants."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyodaku.signals.carriers.embedded import read_embedded
from kyodaku.signals.carriers.html import parse_html
from kyodaku.signals.model import Effect, Fetched, FetchError, Signal
from kyodaku.signals.protocols.atproto_user_intents import PROTOCOL as ATPROTO
from kyodaku.signals.protocols.declarations import PROTOCOL as DECLARATIONS
from kyodaku.signals.protocols.platform_conventions import PROTOCOL as PLATFORMS
from tests.core.strategies import IMAGE, reading, webp, xmp_packet

PDS = "https://pds.example.com"
BLOB = PDS + "/xrpc/com.atproto.sync.getBlob?did=did:plc:abc234&cid=bafy"
RECORD = (
    PDS
    + "/xrpc/com.atproto.repo.getRecord?repo=did:plc:abc234&collection=org.user-intents.declaration&rkey=self"
)
PAGE = "https://social.example/@painter"
TYPE = "org.user-intents.declaration"


# --------------------------------------------------------------------------- ATProto


@pytest.mark.parametrize(
    ("url", "named"),
    [
        (BLOB, [RECORD]),
        (BLOB.replace("did:plc", "did%3Aplc"), [RECORD]),
        (BLOB.replace("getBlob?", "getBlob/?"), [RECORD]),
        (BLOB + "&x=" * 30, [RECORD]),
        (BLOB + "&did=did:plc:abc234", [RECORD]),
        (BLOB + "&did=did:web:a.example", [RECORD, RECORD.replace("plc:abc234", "web:a.example")]),
        (BLOB.replace("did:plc:abc234", "nobody"), []),
        (BLOB.replace("getBlob", "getRepo"), []),
        (BLOB.replace("https:", "ftp:"), []),
        (IMAGE, []),
        ("https://[", []),
    ],
)
def test_the_address_of_a_blob_names_the_record_of_its_author(url: str, named: list[str]) -> None:
    found = ATPROTO.url_documents(url, reading())
    assert [item.url for item in found] == named
    assert all(item.needed for item in found)


def record(
    body: bytes | Any = b"", status: int = 200, *, error: FetchError | None = None, complete: bool = True
) -> Fetched:
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Fetched(RECORD, RECORD, None if error else status, (), body, complete, error, 1.0)


def intents(document: Fetched, mode: Any = "policy") -> list[Signal]:
    (declared,) = ATPROTO.url_documents(BLOB, reading())
    return ATPROTO.read_document(document, declared, BLOB, reading(mode))


@pytest.mark.parametrize("status", range(200, 600, 7))
def test_no_answer_but_none_or_a_record_is_silent(status: int) -> None:
    found = {signal.effect for signal in intents(record(status=status))}
    assert found == (set() if status == 404 else {Effect.ERROR})


def test_a_server_says_in_two_ways_that_there_is_no_record() -> None:
    assert intents(record(status=404)) == []
    assert intents(record({"error": "RecordNotFound"}, 400)) == []
    (signal,) = intents(record({"error": "RepoNotFound"}, 400))
    assert (signal.effect, signal.reason) == (Effect.ERROR, "policy_file_unreachable")


@pytest.mark.parametrize("error", FetchError)
def test_a_record_that_cannot_be_had_leaves_it_open(error: FetchError) -> None:
    (signal,) = intents(record(error=error, complete=False))
    barred = error is FetchError.BARRED
    assert signal.effect is Effect.ERROR
    assert signal.reason == ("policy_file_barred" if barred else "policy_file_unreachable")


def test_a_no_tells_which_intent_said_it() -> None:
    (signal,) = intents(record({"$type": TYPE, "bulkDataset": {"allow": False}}))
    assert (signal.reason, signal.rule) == ("user_intent", "atproto-user-intents:bulkDataset")
    assert signal.source_url == RECORD


_VALUES = st.recursive(
    st.sampled_from([True, False, None, 0, 1, "no", "yes", TYPE]),
    lambda inner: st.dictionaries(
        st.sampled_from(["$type", "value", "allow", "bulkDataset", "syntheticContentGeneration", "x"]), inner
    ),
    max_leaves=10,
)


@given(_VALUES)
def test_no_record_is_ever_a_grant_and_no_refusal_is_lost(value: Any) -> None:
    for mode in ("spec", "policy"):
        assert Effect.PERMITTED not in {signal.effect for signal in intents(record(value), mode)}
    if isinstance(value, dict):
        refusing = {**value, "$type": TYPE, "bulkDataset": {"allow": False}}
        assert Effect.RESERVED in {signal.effect for signal in intents(record(refusing))}


@given(st.binary(max_size=200))
def test_bytes_that_are_no_record_leave_it_open(body: bytes) -> None:
    assert {signal.effect for signal in intents(record(body))} == {Effect.ERROR}


def test_a_record_longer_than_any_leaves_it_open() -> None:
    body = json.dumps({"$type": TYPE, "x": "a" * 70_000}).encode()
    assert {signal.effect for signal in intents(record(body))} == {Effect.ERROR}


# --------------------------------------------------------------------------- the fediverse


def tags(html: str, mode: Any = "policy", image: str | None = None) -> list[Signal]:
    return PLATFORMS.read_page(parse_html(html.encode(), "text/html", PAGE), image, reading(mode))


MASTODON = '<meta name="generator" content="Mastodon v4.3.1">'


def test_a_tag_is_the_authors_no_for_all_the_page_shows() -> None:
    (signal,) = tags(MASTODON + "<p>I paint. #NoBot</p>")
    assert (signal.effect, signal.reason, signal.parsed) == (Effect.RESERVED, "platform", "#NoBot")
    assert signal.rule == "platform-conventions:text"
    assert "I paint" in signal.raw
    assert tags(MASTODON + "<p>#NoBot</p>", image=IMAGE) == []  # said once, for all of them
    assert tags(MASTODON + "<p>#NoBot</p>", "spec") == []


@pytest.mark.parametrize(
    "kind",
    [
        "application/activity+json",
        "application/activity+json; charset=utf-8",
        'application/ld+json; profile="https://www.w3.org/ns/activitystreams"',
    ],
)
def test_software_is_known_by_its_other_form_too(kind: str) -> None:
    link = f"<link rel=alternate type='{kind}' href=/a>"
    assert len(tags(link + "<p>#NoAI</p>")) == 1
    assert tags("<link rel=alternate type=application/json href=/a><p>#NoAI</p>") == []


@given(st.text(max_size=60))
def test_words_of_a_profile_never_grant(text: str) -> None:
    assert {signal.effect for signal in tags(MASTODON + "<p>" + text)} <= {Effect.RESERVED}


# --------------------------------------------------------------------------- declarations

ISCC = "ISCC:KECYCMZIOY36XXGZ7S6QJQ2AEEXPOVEHZYPK6GMSFLU3WF54UPZMTPY"


def test_declarations_are_recorded_and_silent() -> None:
    html = (
        f'<meta name="iscc" content="{ISCC}">'
        '<link rel="originator-profile" href="/.well-known/op-document" type="application/ops+json">'
    )
    page = parse_html(html.encode(), "text/html", PAGE)
    found = DECLARATIONS.read_page(page, None, reading())
    assert {signal.parsed for signal in found} == {"iscc", "originator-profile"}
    image = webp((b"VP8X", b"\x04" + bytes(9)), (b"XMP ", xmp_packet(f'cc:morePermissions="{ISCC}"')))
    found += DECLARATIONS.read_image(read_embedded(image, url=IMAGE, complete=True), reading())
    assert found[-1].raw == ISCC
    assert {signal.effect for signal in found} == {Effect.SILENT}
    assert DECLARATIONS.read_page(page, IMAGE, reading()) == []
