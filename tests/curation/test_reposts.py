"""Nothing that somebody else re-uploaded: which copies of a picture stand beside each other."""

from __future__ import annotations

from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.outcomes import Facts, Ruling, SelectRules, rule
from kyodaku.reasons import Outcome, QuarantineReason, RefuseReason
from kyodaku.records import Candidate
from kyodaku.registry_client import EMPTY_SNAPSHOT
from kyodaku.signals.model import LicenceBinding, LicenceEvidence
from tests.curation.fixtures import PUBLIC_DOMAIN, recipe
from tests.curation.test_match import matched
from tests.curation.test_outcomes import annotation, found

DAY = 86400.0
NOW = 1_790_000_000.0
OPEN = recipe(permission={"basis": "not-opted-out"})
OPT_IN = recipe(permission={"basis": "opt-in", "licences": ["by-4.0", "by-sa-4.0", "cc0-1.0"]})
FREE = recipe()


def licence(name: str) -> LicenceEvidence:
    return replace(PUBLIC_DOMAIN, licence=name, licence_url=f"https://creativecommons.org/licenses/{name}")


BY, BY_SA = licence("by-4.0"), licence("by-sa-4.0")
MUSEUM = replace(PUBLIC_DOMAIN, institution="museum.example", binding=LicenceBinding.INSTITUTION_PAGE)
LISTED = recipe(filters={"reposts": {"hosts": ["pinboard.example"]}})
#: As a gate leaves a picture beside which no page states a licence.
SILENT: dict[str, Any] = {
    "gate_verdict": "refuse",
    "gate_reason": RefuseReason.NO_LICENCE_EVIDENCE.value,
    "raw_shard": "",
    "raw_key": "",
}


def at(host: str, *evidence: LicenceEvidence, modified: float | None = None, **changes: Any) -> Candidate:
    """A candidate of its own bytes on `host`, found and fetched now."""
    headers = () if modified is None else (("Last-Modified", formatdate(modified, usegmt=True)),)
    urls = dict.fromkeys(("image_url", "final_url"), f"https://{host}/a.jpg")
    own = {**urls, "page_url": f"https://{host}/", "host": host, "found_at": NOW, "fetched_at": NOW}
    return found(host, evidence=evidence, headers=headers, **{**own, **changes})


def ruled(*copies: Candidate, using: Any = OPEN, near: bool = True) -> list[Ruling]:
    pairs = [("near", a.uid, b.uid, 9.0) for i, a in enumerate(copies) for b in copies[:i] if a.uid != b.uid]
    like = matched(*(pairs if near else ()))
    known = {one.uid: annotation() for one in copies}
    facts = Facts(copies, known, {}, set(known), likeness=like)
    return rule(facts, SelectRules.from_recipe(using), EMPTY_SNAPSHOT)


def aside(*copies: Candidate, using: Any = OPEN) -> list[bool]:
    return [one.reason is QuarantineReason.REPOST for one in ruled(*copies, using=using)]


def reasons(*copies: Candidate, using: Any = FREE) -> list[str]:
    return [one.reason.value for one in ruled(*copies, using=using)]


def same_bytes(one: Candidate, other: Candidate) -> Candidate:
    """`other` with the bytes of `one`."""
    return replace(other, uid=one.uid, sha256=one.sha256)


def linked_by(one: Candidate, host: str, *evidence: LicenceEvidence, path: str = "") -> Candidate:
    """The picture `one` by its own address, as a page of `host` shows it."""
    return replace(
        at(host, *evidence, **({} if evidence else SILENT)),
        candidate_id=f"id-{host}-{path}",
        page_url=f"https://{host}/{path}",
        **{name: getattr(one, name) for name in ("image_url", "final_url", "uid", "sha256", "host")},
    )


def test_without_dates_nobody_knows_whose_it_is() -> None:
    first, second = ruled(at("artist.example"), at("blog.example"))
    assert {first.reason, second.reason} == {QuarantineReason.REPOST}
    assert second.because_of == "id-artist.example"
    assert not first.purged
    assert {one.outcome for one in ruled(at("artist.example"), at("blog.example"), near=False)} == {
        Outcome.RELEASED
    }


@pytest.mark.parametrize("modified", [None, NOW - 10000 * DAY, NOW - 3 * DAY, NOW - 3600.0, NOW + 30 * DAY])
@pytest.mark.parametrize("found_at", [NOW - 90 * DAY, NOW - 3 * DAY, NOW])
def test_no_date_tells_whose_it_is(found_at: float, modified: float | None) -> None:
    """A thief's copy may be found months before the artist's, whose site says today since it was moved."""
    thief = at("thief.example", found_at=found_at, fetched_at=found_at, modified=NOW - 2000 * DAY)
    assert aside(thief, at("artist.example", modified=modified)) == [True, True]


def test_copies_that_only_an_embedding_knows_are_asked_too() -> None:
    copies = at("artist.example"), at("blog.example")
    like = matched(("embedding", copies[0].uid, copies[1].uid, 0.2))
    known = {one.uid: annotation() for one in copies}
    facts = Facts(copies, known, {}, set(known), likeness=like)
    said = rule(facts, SelectRules.from_recipe(OPEN), EMPTY_SNAPSHOT)
    assert {one.reason for one in said} == {QuarantineReason.REPOST}


def test_two_museums_that_say_the_same_stand_beside_each_other() -> None:
    said = ruled(at("one.example", PUBLIC_DOMAIN), at("two.example", licence("cc0-1.0")), using=FREE)
    assert said[0].outcome is Outcome.RELEASED, "both say public domain, though we take only the first"
    both = ruled(at("one.example", PUBLIC_DOMAIN), at("two.example", PUBLIC_DOMAIN), using=FREE)
    assert sorted(one.outcome for one in both) == [Outcome.DUPLICATE, Outcome.RELEASED]


def test_licences_that_differ_disagree_and_the_institution_of_the_recipe_stands() -> None:
    assert aside(at("a.example", BY), at("b.example", BY_SA), using=OPT_IN) == [True, True]
    assert aside(at("a.example", BY), at("b.example", licence("by-3.0")), using=OPEN) == [False, False]
    assert aside(at("a.example", BY), at("b.example"), using=OPEN) == [True, True]
    vouched = at("museum.example", MUSEUM)
    assert aside(vouched, at("b.example", PUBLIC_DOMAIN), using=FREE) == [False, False]


def test_credit_that_differs_disagrees_where_credit_is_owed() -> None:
    def by(host: str, creator: str, item: LicenceEvidence) -> Candidate:
        return at(host, item, schema_creator=creator)

    assert aside(by("a.example", "Emi Sato", BY), by("b.example", "Bob", BY), using=OPT_IN) == [True, True]
    for other in ("SATO, Emi", "", "Ｅmi"):
        copies = by("a.example", "Emi Sato", BY), by("b.example", other, BY)
        assert aside(*copies, using=OPT_IN) == [False, False]
    free = by("a.example", "Hokusai", PUBLIC_DOMAIN), by("b.example", "葛飾北斎", PUBLIC_DOMAIN)
    assert aside(*free, using=FREE) == [False, False]


@pytest.mark.parametrize(
    "other",
    [
        at("images.museum.example"),
        at("cdn.example", page_url="https://www.museum.example/room/1"),
        at("museum.example", page_url="https://blog.example/", image_url="https://museum.example/small.jpg"),
        at("blog.example", image_url="https://museum.example/a.jpg"),
    ],
    ids=["a host of the same site", "the museum's page, another host", "shown elsewhere", "the same address"],
)
def test_one_publisher_is_no_repost(other: Candidate) -> None:
    assert aside(at("museum.example"), other) == [False, False]


def test_hosts_of_one_platform_are_publishers_of_their_own() -> None:
    assert aside(at("emi.github.io"), at("bob.github.io")) == [True, True]
    both = []
    for who in ("emi", "bob"):
        url = f"https://cdn.example/{who}.jpg"
        page = f"https://{who}.example/"
        both.append(at("cdn.example", page_url=page, image_url=url, final_url=url, uid=who, raw_key=who))
    assert aside(*both) == [True, True]


def test_equal_bytes_with_another_publisher_are_a_repost_too() -> None:
    one, two = at("artist.example"), at("blog.example")
    same = replace(two, uid=one.uid, sha256=one.sha256)
    assert {ruling.reason for ruling in ruled(one, same)} == {QuarantineReason.REPOST}


# --------------------------------------------------------------------------- a licence that another one lends

EMI = at("emi.example", **SILENT)


@pytest.mark.parametrize(
    ("using", "item"),
    [(FREE, PUBLIC_DOMAIN), (OPT_IN, BY), (OPT_IN, licence("cc0-1.0"))],
    ids=["public domain", "by", "cc0"],
)
def test_a_licence_of_somebody_else_is_not_the_word_of_who_says_nothing(
    using: Any, item: LicenceEvidence
) -> None:
    """The same bytes, or the same address, with a licence on a stranger's page: neither comes in."""
    for stranger in (same_bytes(EMI, at("thief.example", item)), linked_by(EMI, "thief.example", item)):
        assert reasons(EMI, stranger, using=using) == ["repost", "repost"]
        first, second = ruled(EMI, stranger, using=using)
        assert (first.because_of, second.because_of) == (stranger.candidate_id, EMI.candidate_id)


@pytest.mark.parametrize("using", [LISTED, recipe(filters={"reposts": {"hosts": ["pinboard.example"],
                                                                       "quarantine": False}})])  # fmt: skip
def test_a_listed_host_lends_nobody_a_licence(using: Any) -> None:
    for pin in (
        same_bytes(EMI, at("pinboard.example", PUBLIC_DOMAIN)),
        linked_by(EMI, "pinboard.example", PUBLIC_DOMAIN),
    ):
        first, second = ruled(EMI, pin, using=using)
        assert {first.reason, second.reason} == {QuarantineReason.REPOST_HOST}
        assert first.because_of == pin.candidate_id
    museum = at("museum.example", PUBLIC_DOMAIN)
    second_page = linked_by(museum, "museum.example", path="2")
    pin = same_bytes(museum, at("pinboard.example", PUBLIC_DOMAIN))
    said = [one.reason for one in ruled(museum, second_page, pin, using=using)]
    assert QuarantineReason.REPOST_HOST not in said[:2], "the museum says so as well"
    assert said[2] is QuarantineReason.REPOST_HOST


def test_whoever_lends_must_stand() -> None:
    """The one page that states a licence shows the picture at an address of its own that leads to Emi's:
    who only leads there is not at home there."""
    thief = replace(
        linked_by(EMI, "thief.example", PUBLIC_DOMAIN), image_url="https://thief.example/hers.jpg"
    )
    assert reasons(EMI, thief) == ["repost", "repost"]
    lender = replace(thief, uid="00" * 16, sha256="00" * 32)
    assert reasons(EMI, lender) == ["repost", "repost"], "its server made other bytes of the same address"
    unseen = replace(EMI, uid="", sha256="", gate="g3", bytes=0)
    assert reasons(unseen, linked_by(EMI, "thief.example", PUBLIC_DOMAIN))[1] == "repost"


def test_only_an_address_is_no_page_that_says_nothing() -> None:
    """A row of a list that names no page contradicts nobody who shows what lies there."""
    museum = at(
        "museum.example",
        PUBLIC_DOMAIN,
        **dict.fromkeys(("image_url", "final_url"), "https://cdn.example/1.jpg"),
    )
    row = replace(museum, candidate_id="id-row", page_url="", evidence=(), **SILENT)
    assert sorted(reasons(museum, row)) == ["public_domain", "same_bytes"]


def on(host: str, page: str, *evidence: LicenceEvidence) -> Candidate:
    """A picture on `host` that a page elsewhere shows."""
    address = dict.fromkeys(("image_url", "final_url"), f"https://{host}/1.jpg")
    return replace(at(host, *evidence, **({} if evidence else SILENT)), page_url=page, **address)


def test_what_one_publisher_shows_twice_is_still_its_own() -> None:
    alone = on("cdn.example", "https://museum.example/room/1", PUBLIC_DOMAIN)
    assert reasons(alone) == ["public_domain"], "its images lie elsewhere, and nobody else shows them"
    wiki = on("upload.wiki.example", "https://commons.wiki.example/File:1", PUBLIC_DOMAIN)
    article = replace(wiki, candidate_id="id-article", page_url="https://en.wiki.example/1", evidence=())
    article = replace(article, **SILENT)
    assert sorted(reasons(wiki, article)) == ["public_domain", "same_bytes"]
    museum = at("museum.example", PUBLIC_DOMAIN)
    bare = linked_by(museum, "museum.example", path="search")
    large = same_bytes(museum, at("museum.example", image_url="https://museum.example/large.jpg", **SILENT))
    assert sorted(reasons(museum, bare, replace(large, candidate_id="id-large"))) == [
        "public_domain",
        "same_bytes",
        "same_bytes",
    ]


def test_who_only_shows_what_lies_elsewhere_puts_nobody_out() -> None:
    """A page without a licence that links to a museum's picture is no other publisher of it; one with a
    licence of its own is, and the museum stands."""
    museum = at("museum.example", PUBLIC_DOMAIN)
    assert reasons(museum, linked_by(museum, "blog.example")) == ["public_domain", "same_bytes"]
    other = linked_by(at("emi.example", BY), "thief.example", BY_SA)
    emi, thief = ruled(at("emi.example", BY), other, using=OPT_IN)
    assert (emi.outcome, thief.reason) == (Outcome.RELEASED, QuarantineReason.REPOST)
    silent, claimed = ruled(at("emi.example"), linked_by(at("emi.example"), "thief.example", PUBLIC_DOMAIN))
    assert (silent.outcome, claimed.reason) == (Outcome.RELEASED, QuarantineReason.REPOST)


def test_an_institution_of_the_recipe_stands_beside_those_who_say_nothing() -> None:
    museum = at("museum.example", MUSEUM)
    blog = same_bytes(museum, at("blog.example", **SILENT))
    said = ruled(museum, blog, using=FREE)
    assert [one.reason.value for one in said] == ["public_domain", "repost"]
    assert not any(one.purged for one in said)


def test_where_nobody_is_at_home_two_words_are_two_publishers() -> None:
    """Her page and a stranger's show one address of a third site, which belongs to neither."""
    emi = on("cdn.example", "https://emi.example/")
    thief = linked_by(emi, "thief.example", PUBLIC_DOMAIN)
    assert reasons(emi, thief) == ["repost", "repost"]
    both = linked_by(emi, "blog.example", PUBLIC_DOMAIN)
    assert sorted(reasons(thief, both)) == ["public_domain", "same_bytes"], "they say the same"


SITES = ("emi.example", "museum.example", "thief.example", "pinboard.example")


@st.composite
def worlds(draw: st.DrawFn) -> list[Candidate]:
    """One picture on up to six pages; each shows it at some site and states a licence or none."""
    places = draw(
        st.lists(
            st.tuples(st.sampled_from(SITES), st.sampled_from(SITES), st.booleans()),
            min_size=1,
            max_size=6,
            unique=True,
        )
    )
    shown = []
    for number, (page, host, states) in enumerate(places):
        one = on(host, f"https://{page}/{number}", *((PUBLIC_DOMAIN,) if states else ()))
        shown.append(replace(same_bytes(EMI, one), candidate_id=f"{number:03d}"))
    return shown


@settings(max_examples=300, deadline=None)
@given(worlds(), st.randoms(use_true_random=False))
def test_nothing_is_released_that_nobody_may_speak_for(world: list[Candidate], random: Any) -> None:
    """Somebody states a licence, is on no listed host, and everybody who states none is of the same site or
    only shows what lies there."""

    def site(url: str) -> str:
        return url.split("/")[2]

    said = ruled(*world, using=LISTED)
    silent = [(site(one.page_url), site(one.image_url)) for one in world if not one.evidence]
    speaks = any(
        one.evidence
        and "pinboard.example" not in (site(one.page_url), site(one.image_url))
        and all(site(one.page_url) in other for other in silent)
        for one in world
    )
    assert any(one.outcome is Outcome.RELEASED for one in said) == speaks
    shuffled = list(world)
    random.shuffle(shuffled)
    before = {one.candidate_id: ruling for one, ruling in zip(world, said, strict=True)}
    for one, ruling in zip(shuffled, ruled(*shuffled, using=LISTED), strict=True):
        assert ruling == before[one.candidate_id]


def test_a_recipe_may_not_ask_and_may_name_hosts() -> None:
    quiet = recipe(permission={"basis": "not-opted-out"}, filters={"reposts": {"quarantine": False}})
    assert aside(at("artist.example"), at("blog.example"), using=quiet) == [False, False]
    named = recipe(permission={"basis": "not-opted-out"}, filters={"reposts": {"hosts": ["pins.example"]}})
    for candidate in (
        at("i.pins.example"),
        at("pins.example"),
        at("cdn.example", page_url="https://pins.example/1"),
    ):
        (ruling,) = ruled(candidate, using=named)
        assert (ruling.outcome, ruling.reason) == (Outcome.QUARANTINED, QuarantineReason.REPOST_HOST)
    assert ruled(at("notpins.example"), using=named)[0].outcome is Outcome.RELEASED


def test_many_pages_of_many_sites_do_not_take_long() -> None:
    same = at("a.example")
    pages = [
        replace(same, candidate_id=f"{n:05d}", page_url=f"https://s{n % 9}.example/{n}", found_at=NOW + n,
                image_url=f"https://s{n % 9}.example/a.jpg", final_url=f"https://s{n % 9}.example/a.jpg")
        for n in range(4000)
    ]  # fmt: skip
    assert {ruling.reason for ruling in ruled(*pages)} <= {
        QuarantineReason.REPOST,
        QuarantineReason.DECOY_HOST,
    }
