"""What is asked of an origin beside its robots.txt, in which order, and what a refusal to ask counts for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pytest

from kyodaku.gate import GateVerdict, OriginFacts
from kyodaku.hostfiles import HOST_FILE_HOPS, MAX_DOCUMENTS
from kyodaku.permission import Permission
from kyodaku.reasons import HoldReason, RefuseReason
from kyodaku.registry_client import EMPTY_SNAPSHOT
from kyodaku.signals.model import Binding, Declared, Fetched, FetchError, Reading, Where
from kyodaku.signals.protocols import all_protocols
from kyodaku.signals.protocols.base import Protocol
from tests.core.test_permission import NOW, Web, answer, broken, permission, rules

ORIGIN = "https://cdn.example.org"
IMAGE = ORIGIN + "/a.jpg"
ROBOTS = ORIGIN + "/robots.txt"
TDMREP = ORIGIN + "/.well-known/tdmrep.json"
TRUST = ORIGIN + "/.well-known/trust.txt"
ROOT_TRUST = ORIGIN + "/trust.txt"
LICENCE = ORIGIN + "/license.xml"
ELSEWHERE = "https://licences.example.net"
RESERVED = b'[{"location": "/", "tdm-reservation": 1}]'
OPEN = b'[{"location": "/", "tdm-reservation": 0}]'
RSL = (
    b'<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license>'
    b'<prohibits type="usage">ai-train</prohibits></license></content></rsl>'
)


def asked(web: Web, gates: Permission | None = None, previous: OriginFacts | None = None) -> OriginFacts:
    facts: OriginFacts = web.drive((gates or permission()).host_files(ORIGIN, previous))
    return facts


def licences(*urls: str) -> Fetched:
    return answer(200, "".join(f"License: {url}\n" for url in urls).encode())


@dataclass
class Naming(Protocol):
    """A protocol that names documents for every origin."""

    urls: tuple[str, ...] = ()
    needed: bool = True

    name = "naming"
    title = "for this test"

    def host_documents(
        self, files: Mapping[str, Fetched], origin: str, reading: Reading
    ) -> Sequence[Declared]:
        return [
            Declared(self.name, url, Where.FILE, Binding.HOST, url, origin, self.needed) for url in self.urls
        ]


def naming(*protocols: Naming) -> Permission:
    return Permission(rules(), EMPTY_SNAPSHOT, lambda: NOW, (*all_protocols(), *protocols))


# --------------------------------------------------------------------------- the files themselves


def test_robots_comes_first_and_every_other_file_once() -> None:
    web = Web()
    facts = asked(web)
    assert web.asked[0] == ROBOTS
    assert len(web.asked) == len(set(web.asked)) == len(facts.files) == 7
    assert permission().g1(IMAGE, facts).open


@pytest.mark.parametrize(
    "robots",
    [answer(500), answer(401), answer(402), answer(429), answer(451), broken(FetchError.TLS), answer(302)],
)
def test_an_origin_whose_robots_cannot_be_had_is_asked_for_nothing_else(robots: Fetched) -> None:
    web = Web({ROBOTS: robots})
    facts = asked(web)
    assert web.asked == [ROBOTS]
    assert list(facts.files) == ["/robots.txt"]
    assert not permission().g1(IMAGE, facts).open


def test_a_file_that_robots_bars_is_never_asked_for_and_holds() -> None:
    web = Web(
        {ROBOTS: answer(200, b"User-agent: *\nDisallow: /.well-known/tdmrep.json"), TDMREP: answer(200, OPEN)}
    )
    facts = asked(web)
    assert TDMREP not in web.asked
    assert facts.files["/.well-known/tdmrep.json"].error is FetchError.BARRED
    result = permission().g1(IMAGE, facts)
    assert (result.verdict, result.reason) == (GateVerdict.HOLD, HoldReason.POLICY_FILE_BARRED.value)


@pytest.mark.parametrize("path", permission().host_file_paths[1:])
def test_every_barred_file_holds_and_is_recorded(path: str) -> None:
    web = Web({ROBOTS: answer(200, f"User-agent: *\nDisallow: {path}$".encode())})
    facts = asked(web)
    assert ORIGIN + path not in web.asked
    if path == "/trust.txt":  # still wanted: the well-known place had none
        assert TRUST in web.asked
    result = permission().g1(IMAGE, facts)
    assert (result.verdict, result.reason) == (GateVerdict.HOLD, HoldReason.POLICY_FILE_BARRED.value)
    (signal,) = [s for s in result.signals if s.reason == HoldReason.POLICY_FILE_BARRED.value]
    assert signal.source_url == ORIGIN + path


def test_where_everything_is_barred_only_robots_is_asked() -> None:
    web = Web({ROBOTS: answer(200, b"User-agent: *\nDisallow: /")})
    facts = asked(web)
    assert web.asked == [ROBOTS]
    assert permission().g1(IMAGE, facts).reason == RefuseReason.ROBOTS_DISALLOW.value


def test_groups_of_training_crawlers_bar_policy_files_too() -> None:
    web = Web({ROBOTS: answer(200, b"User-agent: GPTBot\nDisallow: /.well-known/")})
    facts = asked(web)
    assert not [url for url in web.asked if "/.well-known/" in url]
    assert permission().g1(IMAGE, facts).reason == HoldReason.POLICY_FILE_BARRED.value


@pytest.mark.parametrize(
    ("first", "root_is_asked"),
    [
        (answer(404), True),
        (answer(410), True),
        (answer(403), True),
        (answer(200, b"<!doctype html><title>x</title>"), True),
        (answer(200, b"member=https://a.example.org/\n"), False),
        (answer(200, b"datatrainingallowed=yes\n"), False),
        (answer(200, b""), False),
        (answer(402), False),
        (answer(503), False),
        (broken(FetchError.TIMEOUT), False),
    ],
)
def test_the_root_is_asked_for_trust_only_where_the_well_known_place_has_none(
    first: Fetched, root_is_asked: bool
) -> None:
    web = Web({TRUST: first, ROOT_TRUST: answer(200, b"datatrainingallowed=no\n")})
    facts = asked(web)
    assert (ROOT_TRUST in web.asked) is root_is_asked
    result = permission().g1(IMAGE, facts)
    assert result.reason != HoldReason.NOT_FINISHED.value
    if root_is_asked:
        assert result.reason == RefuseReason.TRUST_TXT.value


def test_facts_without_a_file_that_has_a_say_hold() -> None:
    facts = asked(Web())
    for path in facts.files:
        if path == "/trust.txt":
            continue
        partial = replace(facts, files={key: file for key, file in facts.files.items() if key != path})
        assert permission().g1(IMAGE, partial).verdict is GateVerdict.HOLD, path


# --------------------------------------------------------------------------- redirects and bridges


@pytest.mark.parametrize(("hops", "reads"), [(1, True), (HOST_FILE_HOPS, True), (HOST_FILE_HOPS + 1, False)])
def test_redirects_of_a_policy_file_are_followed_five_times(hops: int, reads: bool) -> None:
    web, url = Web(), TDMREP
    for number in range(hops):
        web.answers[url] = answer(302, Location=f"https://h{number}.example.net/t.json")
        url = f"https://h{number}.example.net/t.json"
    web.answers[url] = answer(200, RESERVED)
    facts = asked(web)
    file = facts.files["/.well-known/tdmrep.json"]
    assert file.url == TDMREP
    assert len(file.hops) == hops
    result = permission().g1(IMAGE, facts)
    assert result.open is not reads  # a redirect too many is no file
    assert [s.reason for s in result.signals if s.protocol == "tdmrep"] == ["tdmrep"] * reads


def test_a_hop_to_a_private_address_is_not_asked_and_holds() -> None:
    web = Web({TDMREP: answer(301, Location="http://127.0.0.1/tdmrep.json")})
    facts = asked(web)
    assert "http://127.0.0.1/tdmrep.json" not in web.asked
    assert facts.files["/.well-known/tdmrep.json"].error is FetchError.BLOCKED
    assert permission().g1(IMAGE, facts).reason == HoldReason.POLICY_FILE_UNREACHABLE.value


@pytest.mark.parametrize(
    ("age_hours", "now", "reason"),
    [
        (1, answer(503), ""),
        (47, broken(FetchError.DNS), ""),
        (48, broken(FetchError.DNS), "policy_file_unreachable"),
        (1, answer(429), "policy_file_unreachable"),
        (1, broken(FetchError.TOO_LARGE), "policy_file_unreadable"),
        (1, broken(FetchError.PROTOCOL), "policy_file_unreachable"),
    ],
)
def test_a_copy_bridges_an_outage_of_a_policy_file_for_two_days(
    age_hours: int, now: Fetched, reason: str
) -> None:
    before = asked(Web({TDMREP: answer(200, OPEN)}))
    old = replace(before.files["/.well-known/tdmrep.json"], fetched_at=NOW - age_hours * 3600)
    before = replace(before, files={**before.files, "/.well-known/tdmrep.json": old})
    facts = asked(Web({TDMREP: now}), previous=before)
    assert permission().g1(IMAGE, facts).reason == reason
    bridged = facts.files["/.well-known/tdmrep.json"]
    assert bridged.cached_age == (None if reason else age_hours * 3600)


def test_a_file_that_was_not_there_bridges_nothing() -> None:
    before = asked(Web())
    facts = asked(Web({TDMREP: answer(503)}), previous=before)
    assert permission().g1(IMAGE, facts).reason == HoldReason.POLICY_FILE_UNREACHABLE.value


# --------------------------------------------------------------------------- documents


def test_a_licence_that_robots_names_is_asked_for_after_the_files() -> None:
    web = Web({ROBOTS: licences(LICENCE), LICENCE: answer(200, RSL)})
    facts = asked(web)
    assert web.asked[-1] == LICENCE
    assert permission().g1(IMAGE, facts).reason == RefuseReason.RSL.value


def test_a_licence_that_robots_bars_is_not_asked_for() -> None:
    robots = b"User-agent: *\nDisallow: /license.xml\nLicense: " + LICENCE.encode()
    web = Web({ROBOTS: answer(200, robots), LICENCE: answer(200, RSL)})
    facts = asked(web)
    assert LICENCE not in web.asked
    assert permission().g1(IMAGE, facts).reason == HoldReason.POLICY_FILE_BARRED.value


@pytest.mark.parametrize(
    ("robots", "document_is_asked", "reason"),
    [
        (answer(404), True, "rsl"),
        (answer(200, b"User-agent: *\nDisallow: /other"), True, "rsl"),
        (answer(200, b"User-agent: *\nDisallow: /r.xml"), False, "policy_file_barred"),
        (answer(503), False, "policy_file_barred"),
        (answer(403), False, "policy_file_barred"),
        (broken(FetchError.DNS), False, "policy_file_barred"),
    ],
)
def test_a_document_of_another_origin_is_asked_for_under_its_own_robots(
    robots: Fetched, document_is_asked: bool, reason: str
) -> None:
    document = ELSEWHERE + "/r.xml"
    there = RSL.replace(b'url="/"', b'url="https://cdn.example.org/"')
    answers = {ROBOTS: licences(document), ELSEWHERE + "/robots.txt": robots, document: answer(200, there)}
    web = Web(answers)
    facts = asked(web)
    expected = [ELSEWHERE + "/robots.txt", *([document] if document_is_asked else [])]
    assert web.asked[-len(expected) :] == expected
    assert [url for url in web.asked if url.startswith(ELSEWHERE)] == expected
    assert permission().g1(IMAGE, facts).reason == reason


@pytest.mark.parametrize(("robots", "reads"), [(b"User-agent: *\nDisallow: /l", False), (b"", True)])
def test_a_document_that_is_sent_on_is_asked_for_under_the_robots_of_every_hop(
    robots: bytes, reads: bool
) -> None:
    onward = replace(answer(302), headers=(("Location", f"{ELSEWHERE}/l.xml"),))
    pages = {
        ROBOTS: licences("/license.xml"),
        LICENCE: onward,
        f"{ELSEWHERE}/robots.txt": answer(200, robots),
    }
    web = Web({**pages, f"{ELSEWHERE}/l.xml": answer(200, RSL)})
    gates = permission()
    facts = asked(web, gates)
    assert (f"{ELSEWHERE}/l.xml" in web.asked) is reads
    assert f"{ELSEWHERE}/robots.txt" in web.asked
    result = gates.g1(IMAGE, facts)
    assert result.verdict is (GateVerdict.REFUSE if reads else GateVerdict.HOLD)


def test_robots_of_another_origin_is_asked_for_once() -> None:
    web = Web({ROBOTS: licences(ELSEWHERE + "/1.xml", ELSEWHERE + "/2.xml")})
    asked(web)
    assert web.asked.count(ELSEWHERE + "/robots.txt") == 1
    assert web.asked[-3:] == [ELSEWHERE + path for path in ("/robots.txt", "/1.xml", "/2.xml")]


def test_a_document_at_a_private_address_is_not_asked_for() -> None:
    web = Web({ROBOTS: licences("http://10.0.0.1/license.xml")})
    facts = asked(web)
    assert not [url for url in web.asked if "10.0.0.1" in url]
    assert permission().g1(IMAGE, facts).reason == HoldReason.RSL_UNOBTAINABLE.value


def test_documents_beyond_the_limit_are_not_asked_for_and_hold() -> None:
    urls = [f"{ORIGIN}/{number}.xml" for number in range(MAX_DOCUMENTS + 1)]
    silent = RSL.replace(b'url="/"', b'url="/elsewhere/"')
    web = Web({ROBOTS: licences(*urls), **{url: answer(200, silent) for url in urls}})
    facts = asked(web)
    assert [url for url in web.asked if url.endswith(".xml")] == urls[:MAX_DOCUMENTS]
    assert facts.files[urls[-1]].error is FetchError.TOO_LARGE
    assert permission().g1(IMAGE, facts).reason == HoldReason.RSL_UNOBTAINABLE.value


def test_documents_that_are_needed_come_before_evidence_and_each_once() -> None:
    first, second, third = (f"{ORIGIN}/{number}.json" for number in (1, 2, 3))
    gates = naming(Naming((third, first), needed=False), Naming((first, second, first)))
    web = Web()
    asked(web, gates)
    assert [url for url in web.asked if url.endswith(("1.json", "2.json", "3.json"))] == [
        first,
        second,
        third,
    ]


def test_evidence_never_crowds_out_what_is_needed() -> None:
    named = tuple(f"{ORIGIN}/evidence/{number}" for number in range(20))
    gates = naming(Naming(named, needed=False), Naming((ORIGIN + "/needed",)))
    web = Web()
    facts = asked(web, gates)
    assert ORIGIN + "/needed" in web.asked
    assert sum("/evidence/" in url for url in web.asked) == MAX_DOCUMENTS - 1
    assert sum(file.error is FetchError.TOO_LARGE for file in facts.files.values()) == 13


def test_a_needed_document_that_was_never_asked_for_holds() -> None:
    gates = naming(Naming((ORIGIN + "/needed",)))
    facts = asked(Web(), gates)
    assert gates.g1(IMAGE, facts).open
    files = {key: file for key, file in facts.files.items() if key != ORIGIN + "/needed"}
    assert gates.g1(IMAGE, replace(facts, files=files)).reason == HoldReason.NOT_FINISHED.value


def test_a_policy_of_tdmrep_is_evidence_and_holds_nothing() -> None:
    body = b'[{"location": "/x/", "tdm-reservation": 1, "tdm-policy": "/policy.json"}]'
    for policy in (answer(200, b'{"@type": "Offer"}'), answer(404), broken(FetchError.RESET)):
        web = Web({TDMREP: answer(200, body), ORIGIN + "/policy.json": policy})
        facts = asked(web)
        assert web.asked[-1] == ORIGIN + "/policy.json"
        assert permission().g1(IMAGE, facts).open
        assert permission().g1(ORIGIN + "/x/a.jpg", facts).reason == RefuseReason.TDMREP.value


def test_a_document_is_bridged_like_a_file() -> None:
    before = asked(Web({ROBOTS: licences(LICENCE), LICENCE: answer(200, RSL)}))
    facts = asked(Web({ROBOTS: licences(LICENCE), LICENCE: answer(503)}), previous=before)
    assert facts.files[LICENCE].cached_age == 0
    assert permission().g1(IMAGE, facts).reason == RefuseReason.RSL.value
