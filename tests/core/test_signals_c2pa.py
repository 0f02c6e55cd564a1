"""The C2PA protocol over stores of any shape: it never raises, never grants too much, and ends in time."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyodaku.errors import CarrierError
from kyodaku.signals.carriers.c2pa import (
    Assertion,
    Manifest,
    ManifestStore,
    holds_jumbf,
    parse_manifest_store,
)
from kyodaku.signals.carriers.embedded import EmbeddedMetadata, read_embedded
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.model import Effect, Signal, Use
from kyodaku.signals.protocols.c2pa import LABELS, PROTOCOL
from tests.core.strategies import reading, webp, xmp_packet
from tests.credentials import mining
from tests.tools import cpu_seconds

IMAGE = read_embedded(webp((b"VP8X", bytes(10))), url="https://example.com/a.webp")
YES = mining(ai_generative_training="allowed")
NO = mining(ai_generative_training="notAllowed")
REMOTE = "https://example.com/a.c2pa"


def image(store: ManifestStore | None, **changes: Any) -> EmbeddedMetadata:
    return replace(IMAGE, **{"c2pa": store, "complete": True, "problems": (), "unreadable": (), **changes})


def store(*assertions: dict[str, Any], state: str = "Valid", ingredients: int = 0) -> ManifestStore:
    made = tuple(Assertion(a["label"], a.get("data")) for a in assertions)
    others = tuple(Manifest(f"i{n}", False, made) for n in range(ingredients))
    return ManifestStore(state, (Manifest("a", True, made), *others))


def said(metadata: EmbeddedMetadata, mode: str = "policy") -> list[Signal]:
    return PROTOCOL.read_image(metadata, reading(mode))  # type: ignore[arg-type]


def effects(metadata: EmbeddedMetadata, mode: str = "policy") -> set[Effect]:
    return {signal.effect for signal in said(metadata, mode)} - {Effect.SILENT}


def test_a_grant_needs_a_whole_file() -> None:
    assert effects(image(store(YES))) == {Effect.PERMITTED}
    assert effects(image(store(YES), complete=False)) == set()
    assert effects(image(store(NO), complete=False)) == {Effect.RESERVED}
    assert effects(image(store(YES), unreadable=("C2PA: broken",))) == {Effect.ERROR}


def test_a_refusal_says_where_it_stands() -> None:
    first = said(image(store(NO)))[0]
    assert first.rule == "c2pa:active:cawg.training-mining"
    assert (first.reason, first.parsed) == ("c2pa", "ai_generative_training: notAllowed (active)")
    assert first.raw == 'cawg.ai_generative_training: {"use": "notAllowed"}'
    ingredient = ManifestStore("Valid", (Manifest("a", True, ()), *store(NO, ingredients=1).manifests[1:]))
    assert said(image(ingredient))[0].rule == "c2pa:ingredient:cawg.training-mining"


def test_inference_is_a_use_of_its_own() -> None:
    found = said(image(store(mining(ai_inference="notAllowed", ai_generative_training="allowed"))))
    assert [(s.use, s.effect) for s in found[:-1]] == [(Use.INFERENCE, Effect.RESERVED)]
    allowed = said(image(store(mining(ai_inference="allowed"))))
    assert {s.effect for s in allowed} == {Effect.SILENT}


def test_inference_is_not_crowded_out() -> None:
    """However many refusals of training come first."""
    crowd = [NO | {"data": {"entries": {f"x{n}.data_mining": {"use": "no"} for n in range(900)}}}]
    found = said(image(store(*crowd, mining(ai_inference="notAllowed"))))
    assert len(found) < 100
    assert {s.use for s in found if s.effect is Effect.RESERVED} == set(Use)


@pytest.mark.parametrize(
    ("link", "found"),
    [
        (f'<{REMOTE}>; rel="c2pa-manifest"', [REMOTE]),
        (f"<{REMOTE}>; rel=c2pa-manifest", [REMOTE]),
        (f'</x.css>; rel=preload, <{REMOTE}>; type="a"; rel="x c2pa-manifest"', [REMOTE]),
        (f'<{REMOTE}>; rel="license"', []),
        ("", []),
    ],
)
def test_a_link_header_is_a_fact(link: str, found: list[str]) -> None:
    head = ResponseHead("https://example.com/a.jpg", 200, (("Link", link),), 0.0)
    signals = PROTOCOL.read_image_head(head, reading())
    assert [signal.raw for signal in signals] == found
    assert {signal.effect for signal in signals} <= {Effect.SILENT}


def test_a_provenance_in_xmp_is_a_fact() -> None:
    def packet(value: str) -> bytes:
        return xmp_packet(f'xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="{value}"')

    found = said(read_embedded(webp((b"XMP ", packet(REMOTE)))))
    assert [(s.effect, s.rule, s.raw) for s in found] == [(Effect.SILENT, "c2pa:remote", REMOTE)]
    assert said(read_embedded(webp((b"XMP ", packet("self#jumbf=c2pa"))))) == []


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"....jumb....jumd", True),
        (b"x\x21\xff\x0bC2PA_GIF\x01\x00\x00", True),
        (b"uuid\xd8\xfe\xc3\xd6\x1b\x0e\x48\x3c\x92\x97\x58\x28\x87\x7e\xc4\x81", True),
        (b"<svg><metadata><c2pa:manifest>AAAA", True),
        (b"\xff\xd8\xff\xe0 C2PA_GIF", True),  # in a picture of another kind it is odd, and so held
        (b"\xff\xd8\xff\xe0 jumb jumd", True),
        (b"jumb", False),
        (b"jumd", False),
        (b"", False),
    ],
)
def test_what_gives_a_store_away(body: bytes, found: bool) -> None:
    assert holds_jumbf(body) is found


# --- stores of any shape

WORDS = (
    st.sampled_from(["allowed", "notAllowed", "constrained", "Allowed", "prohibited", "maybe", ""])
    | st.text()
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(
    [
        prefix + name
        for prefix in ("cawg.", "c2pa.", "", "x.")
        for name in ("ai_generative_training", "ai_training", "data_mining", "ai_inference", "other")
    ]
)
ENTRIES = st.dictionaries(
    KEYS, JSON | st.fixed_dictionaries({"use": WORDS | JSON}, optional={"constraint_info": JSON}), max_size=4
)
DATA = JSON | ENTRIES | st.fixed_dictionaries({"entries": ENTRIES})
ASSERTIONS = st.builds(
    lambda label, data: {"label": label, "data": data}, st.sampled_from(sorted(LABELS)) | st.text(), DATA
)
STORES = st.builds(
    lambda active, rest, state, named: {
        "active_manifest": named,
        "manifests": {"a": {"assertions": active}, "b": {"assertions": rest}},
        "validation_state": state,
    },
    st.lists(ASSERTIONS, max_size=4),
    st.lists(ASSERTIONS, max_size=2),
    st.sampled_from(["Valid", "Trusted", "Invalid", None, 1]),
    st.sampled_from(["a", "b", "c", None, []]),
)


@given(STORES, st.sampled_from(["spec", "policy"]), st.booleans())
def test_any_store_is_read_and_a_grant_is_never_more_than_a_plain_yes(
    raw: dict[str, Any], mode: str, complete: bool
) -> None:
    try:
        parsed = parse_manifest_store(json.dumps(raw))
    except CarrierError:
        return
    found = said(image(parsed, complete=complete), mode)
    if Effect.PERMITTED in {signal.effect for signal in found}:
        assert complete
        assert raw["validation_state"] in ("Valid", "Trusted")
        assert "notAllowed" not in json.dumps([signal.raw for signal in found])
        active = raw["manifests"][raw["active_manifest"]]["assertions"]
        assert any(
            entry == "allowed"
            for assertion in active
            for key, value in assertion["data"]["entries"].items()
            if key in ("cawg.ai_generative_training", "c2pa.ai_generative_training")
            for entry in [value["use"]]
        )
        assert not any(signal.effect in (Effect.RESERVED, Effect.ERROR) for signal in found)


@given(st.text() | JSON.map(json.dumps))
def test_any_text_is_a_store_or_a_carrier_error(text: str) -> None:
    with suppress(CarrierError):
        parse_manifest_store(text)


@given(STORES)
def test_whatever_else_is_said_a_plain_no_refuses(raw: dict[str, Any]) -> None:
    """Beside any other assertions, in the active manifest or in an ingredient."""
    raw["active_manifest"] = "a"
    for name in ("a", "b"):
        with_no = json.loads(json.dumps(raw))
        with_no["manifests"][name]["assertions"].append(NO)
        assert Effect.RESERVED in effects(image(parse_manifest_store(json.dumps(with_no))))


def holding(*assertions: dict[str, Any]) -> dict[str, Any]:
    return {"manifests": {"a": {"assertions": assertions}}}


CROWD = {f"{n}.ai_training": {"use": "no"} for n in range(30_000)}
HOSTILE = {
    "many entries": holding({"label": "cawg.training-mining", "data": {"entries": CROWD}}),
    "many assertions": holding(*[NO] * 9_000),
    "too many assertions": holding(*[NO] * 11_000),
    "many manifests": {"manifests": {str(n): {"assertions": [NO] * 10} for n in range(999)}},
    "too many manifests": {"manifests": {str(n): {} for n in range(20_000)}},
    "a long word": holding(mining(ai_training="n" * 900_000)),
    "a long label": holding({"label": "cawg.training-mining" + "__1" * 300_000}),
    "a long key": holding(mining(prefix="x." * 400_000, ai_training="no")),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_megabyte_of_it_ends_in_time(name: str) -> None:
    text = json.dumps(HOSTILE[name] | {"validation_state": "Valid"})

    def work() -> None:
        with suppress(CarrierError):
            said(image(parse_manifest_store(text)))

    assert cpu_seconds(work, 1.0) < 1.0


def test_deep_nesting_is_a_carrier_error() -> None:
    with pytest.raises(CarrierError):
        parse_manifest_store('{"manifests":' * 100_000)


def test_a_long_link_header_ends_in_time() -> None:
    for link in (
        "<" * 100_000,
        "<a>;" * 30_000,
        '<a>; rel="' + " c2pa" * 20_000,
        "<a>" + "; rel = " * 10_000,
    ):
        head = ResponseHead("https://example.com/a.jpg", 200, (("Link", link),), 0.0)
        assert cpu_seconds(lambda h=head: PROTOCOL.read_image_head(h, reading()), 0.5) < 0.5  # type: ignore[misc]
