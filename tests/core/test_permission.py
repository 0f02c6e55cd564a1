"""The gates, driven by a scripted web: a dict of URLs to answers, and a count of what was asked."""

from __future__ import annotations

import io
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from PIL import Image

from kyodaku.decision import DenyList, Policy
from kyodaku.gate import GateResult, GateVerdict, Need, NeedKind, OriginFacts, image_status, redirect_target
from kyodaku.hostfiles import HOST_FILE_HOPS
from kyodaku.netguard import NetPolicy
from kyodaku.permission import Permission
from kyodaku.reasons import FailReason, HoldReason, RefuseReason
from kyodaku.registry_client import EMPTY_SNAPSHOT
from kyodaku.rules import Rules
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.model import Fetched, FetchError, Reading, Signal
from kyodaku.signals.protocols import all_protocols
from kyodaku.signals.protocols.base import Protocol
from kyodaku.walk import Judgement, walk_image

NOW = 1_760_000_000.0


def rules(**changes: Any) -> Rules:
    base = Rules(
        policy=Policy("not-opted-out", frozenset(), frozenset(), frozenset()),
        net=NetPolicy(),
        mode="policy",
        own_tokens=("Kyodaku", "DemoCrawler"),
        purpose_tokens=("GPTBot", "Google-Extended"),
        purpose_threshold="any",
        institutions=(),
        formats=frozenset({"jpeg", "png"}),
        max_pixels=1_000_000,
        max_frames=10,
        max_image=1_000_000,
    )
    return replace(base, **changes)


def permission(**changes: Any) -> Permission:
    return Permission(rules(**changes), EMPTY_SNAPSHOT, lambda: NOW)


def jpeg(size: tuple[int, int] = (64, 48)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (120, 60, 30)).save(out, "JPEG")
    return out.getvalue()


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Fetched:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Fetched("", "", status, named, body, True, None, NOW)


def broken(error: FetchError) -> Fetched:
    return Fetched("", "", None, (), b"", False, error, NOW)


@dataclass
class Web:
    """Answers by URL; 404 for the rest. `asked` lists every request in order."""

    answers: dict[str, Fetched] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def drive(self, machine: Generator[Need, Fetched, Any]) -> Any:
        try:
            need = next(machine)
            while True:
                self.asked.append(need.url)
                found = self.answers.get(need.url, answer(404))
                need = machine.send(replace(found, url=need.url, final_url=need.url))
        except StopIteration as stop:
            return stop.value

    def walk(self, gates: Permission, image: str, page: str = "") -> Judgement:
        judgement: Judgement = self.drive(walk_image(gates, image, page))
        return judgement


IMAGE = "https://cdn.example.org/a.jpg"
PAGE = "https://site.example.org/p"
HTML = b"<!doctype html><html><body><img src='https://cdn.example.org/a.jpg' alt='x'></body></html>"


def open_web(**extra: Fetched) -> Web:
    web = Web({IMAGE: answer(200, jpeg(), Content_Type="image/jpeg")})
    web.answers[PAGE] = answer(200, HTML, Content_Type="text/html")
    web.answers.update(extra)
    return web


def host_files(origin: str) -> list[str]:
    """What is asked of an origin that has none of the files, in order."""
    return [origin + path for path in permission().host_file_paths]


def test_a_silent_web_lets_an_image_through_and_asks_robots_of_both_hosts_first() -> None:
    web = open_web()
    judgement = web.walk(permission(), IMAGE, PAGE)
    assert judgement.last.gate == "g5"
    assert judgement.last.open
    assert web.asked == [
        *host_files("https://site.example.org"),
        PAGE,
        *host_files("https://cdn.example.org"),
        IMAGE,
    ]


@pytest.mark.parametrize(
    ("robots", "verdict", "reason"),
    [
        (answer(200, b"User-agent: *\nDisallow: /"), GateVerdict.REFUSE, RefuseReason.ROBOTS_DISALLOW),
        (answer(200, b"User-agent: GPTBot\nDisallow: /"), GateVerdict.REFUSE, RefuseReason.ROBOTS_PURPOSE),
        (answer(402), GateVerdict.REFUSE, RefuseReason.ROBOTS_PAYMENT),
        (answer(403), GateVerdict.HOLD, HoldReason.ROBOTS_FORBIDDEN),
        (answer(429), GateVerdict.HOLD, HoldReason.ROBOTS_RATE_LIMITED),
        (answer(451), GateVerdict.HOLD, HoldReason.ROBOTS_LEGAL),
        (answer(503), GateVerdict.HOLD, HoldReason.ROBOTS_UNREACHABLE),
        (broken(FetchError.TIMEOUT), GateVerdict.HOLD, HoldReason.ROBOTS_UNREACHABLE),
        (broken(FetchError.TLS), GateVerdict.HOLD, HoldReason.ROBOTS_UNREACHABLE),
        (answer(200, b"<!doctype html><html></html>"), GateVerdict.HOLD, HoldReason.ROBOTS_NOT_TEXT),
    ],
)
def test_robots_of_the_image_host_closes_g3_before_the_image_is_asked(
    robots: Fetched, verdict: GateVerdict, reason: RefuseReason | HoldReason
) -> None:
    web = open_web()
    web.answers["https://cdn.example.org/robots.txt"] = robots
    judgement = web.walk(permission(), IMAGE, PAGE)
    assert (judgement.last.gate, judgement.last.verdict) == ("g3", verdict)
    assert judgement.last.reason == reason.value
    assert IMAGE not in web.asked


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (answer(200, b"<meta name=robots content=noai>" + HTML), RefuseReason.META_ROBOTS),
        (answer(200, HTML, X_Robots_Tag="noimageai"), RefuseReason.X_ROBOTS_TAG),
        (answer(402), RefuseReason.PAYMENT_REQUIRED),
        (answer(451), RefuseReason.LEGAL_BLOCK),
        (answer(401), HoldReason.PAGE_FORBIDDEN),
        (answer(429), HoldReason.PAGE_RATE_LIMITED),
        (answer(500), HoldReason.PAGE_ERROR),
        (broken(FetchError.RESET), HoldReason.PAGE_ERROR),
        (replace(answer(200, HTML), complete=False), HoldReason.PAGE_ERROR),
        (
            answer(200, b"<title>Log in</title><form><input type=password></form>"),
            HoldReason.LOGIN_WALL,
        ),
        (answer(403, b"<title>Just a moment...</title>"), HoldReason.CAPTCHA_WALL),
        (answer(200, b'{"isAccessibleForFree": false}' + HTML), HoldReason.PAYMENT_WALL),
        (answer(404), FailReason.NOT_FOUND),
    ],
)
def test_a_page_that_does_not_proceed_keeps_its_images_unasked(page: Fetched, reason: Any) -> None:
    web = open_web()
    web.answers[PAGE] = page
    judgement = web.walk(permission(), IMAGE, PAGE)
    assert judgement.last.gate == "g2"
    assert judgement.last.reason == reason.value
    assert not [url for url in web.asked if "cdn.example.org" in url]


@pytest.mark.parametrize(
    ("image", "gate", "reason"),
    [
        (answer(200, jpeg(), X_Robots_Tag="noai"), "g4", RefuseReason.X_ROBOTS_TAG),
        (answer(404), "g4", FailReason.NOT_FOUND),
        (answer(403), "g4", HoldReason.IMAGE_FORBIDDEN),
        (answer(429), "g4", HoldReason.IMAGE_RATE_LIMITED),
        (answer(402), "g4", RefuseReason.PAYMENT_REQUIRED),
        (answer(451), "g4", RefuseReason.LEGAL_BLOCK),
        (answer(503), "g4", HoldReason.IMAGE_UNREACHABLE),
        (answer(206, jpeg()), "g4", FailReason.HTTP_STATUS),
        (broken(FetchError.TOO_SLOW), "g4", FailReason.TOO_SLOW),
        (broken(FetchError.TIMEOUT), "g4", HoldReason.IMAGE_UNREACHABLE),
        (answer(200, b"<html>no image</html>"), "g5", FailReason.NOT_AN_IMAGE),
        (answer(200, b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "g5", FailReason.FORMAT_NOT_ALLOWED),
        (answer(200, b"\xff\x0a" + bytes(60)), "g5", FailReason.FORMAT_NOT_ALLOWED),
        (answer(200, b"8BPS\x00\x01" + bytes(60)), "g5", FailReason.FORMAT_NOT_ALLOWED),
        (answer(200, jpeg((2000, 1000))), "g5", FailReason.PIXEL_BOMB),
        (replace(answer(200, jpeg()), complete=False), "g5", FailReason.INCOMPLETE),
    ],
)
def test_an_image_response_is_judged_by_status_headers_and_bytes(
    image: Fetched, gate: str, reason: Any
) -> None:
    web = open_web()
    web.answers[IMAGE] = image
    judgement = web.walk(permission(), IMAGE)
    assert (judgement.last.gate, judgement.last.reason) == (gate, reason.value)
    assert judgement.candidate.gate_verdict != "proceed"


def test_a_basis_that_needs_a_ground_refuses_bytes_that_have_none() -> None:
    needs = Policy("public-domain", frozenset({"pdm"}), frozenset(), frozenset())
    judgement = open_web().walk(permission(policy=needs), IMAGE, PAGE)
    assert (judgement.last.gate, judgement.last.reason) == ("g5", "no_licence_evidence")


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://0x7f.1/",
        "http://10.0.0.1/",
        "https://denied.example.org/a.jpg",
    ],
)
def test_every_hop_passes_the_gates_before_it_is_followed(target: str) -> None:
    web = open_web()
    web.answers[IMAGE] = answer(302, Location=target)
    denied = replace(rules().policy, deny=DenyList(domains=("denied.example.org",)))
    judgement = web.walk(permission(policy=denied), IMAGE)
    assert judgement.last.verdict is GateVerdict.REFUSE
    assert judgement.last.gate in ("g0", "g3")
    assert web.asked == [*host_files("https://cdn.example.org"), IMAGE]


def test_a_hop_to_a_refusing_host_asks_its_robots_and_nothing_more() -> None:
    web = open_web()
    web.answers[IMAGE] = answer(302, Location="https://refuses.example.org/b.jpg")
    web.answers["https://refuses.example.org/robots.txt"] = answer(200, b"User-agent: *\nDisallow: /")
    judgement = web.walk(permission(), IMAGE)
    assert judgement.last.reason == "robots_disallow"
    assert web.asked[-1] == "https://refuses.example.org/robots.txt"


def test_a_redirect_without_end_fails() -> None:
    web = open_web()
    web.answers[IMAGE] = answer(302, Location=IMAGE)
    judgement = web.walk(permission(), IMAGE)
    assert judgement.last.reason == FailReason.REDIRECTS.value
    assert web.asked.count(IMAGE) == 6


@pytest.mark.parametrize(("hops", "opens"), [(HOST_FILE_HOPS, True), (HOST_FILE_HOPS + 1, False)])
def test_robots_redirects_are_followed_five_times_and_bind_the_first_authority(
    hops: int, opens: bool
) -> None:
    web = Web()
    url = "https://cdn.example.org/robots.txt"
    for number in range(hops):
        target = f"https://h{number}.example.org/robots.txt"
        web.answers[url] = answer(301, Location=target)
        url = target
    web.answers[url] = answer(200, b"User-agent: *\nDisallow: /private")
    gates = permission()
    facts: OriginFacts = web.drive(gates.host_files("https://cdn.example.org"))
    assert gates.g1("https://cdn.example.org/private/a.jpg", facts).reason == (
        "robots_disallow" if opens else "robots_redirects"
    )
    assert gates.g1("https://cdn.example.org/a.jpg", facts).open is opens
    assert facts.files["/robots.txt"].url == "https://cdn.example.org/robots.txt"


def test_a_robots_hop_to_a_private_address_is_not_asked() -> None:
    web = Web(
        {"https://cdn.example.org/robots.txt": answer(301, Location="http://169.254.169.254/robots.txt")}
    )
    gates = permission()
    facts = web.drive(gates.host_files("https://cdn.example.org"))
    assert web.asked == ["https://cdn.example.org/robots.txt"]
    assert gates.g1(IMAGE, facts).verdict is GateVerdict.HOLD


@pytest.mark.parametrize(("age_hours", "opens"), [(40, True), (47, True), (49, False)])
def test_a_cached_robots_file_bridges_an_outage_for_two_days_in_all(age_hours: int, opens: bool) -> None:
    gates = permission()
    old = Web({"https://cdn.example.org/robots.txt": answer(200, b"User-agent: *\nDisallow: /private")})
    before = old.drive(gates.host_files("https://cdn.example.org"))
    stored = replace(before.files["/robots.txt"], fetched_at=NOW - age_hours * 3600)
    outage = Web({"https://cdn.example.org/robots.txt": answer(503)})
    facts = outage.drive(
        gates.host_files("https://cdn.example.org", replace(before, files={"/robots.txt": stored}))
    )
    assert gates.g1(IMAGE, facts).open is opens
    assert not gates.g1("https://cdn.example.org/private/x", facts).open


@pytest.mark.parametrize(
    ("now_answers", "opens"),
    [
        (broken(FetchError.DNS), True),
        (broken(FetchError.RESET), True),
        (broken(FetchError.TOO_LARGE), False),
        (broken(FetchError.PROTOCOL), False),
        (answer(302, Location="https://cdn.example.org/robots.txt"), False),
        (answer(302, Location="http://10.0.0.1/robots.txt"), False),
        (answer(403), False),
    ],
)
def test_only_an_outage_is_bridged_never_an_answer(now_answers: Fetched, opens: bool) -> None:
    gates = permission()
    web = Web({"https://cdn.example.org/robots.txt": answer(200, b"User-agent: *\nDisallow: /private")})
    before = web.drive(gates.host_files("https://cdn.example.org"))
    stored = replace(before.files["/robots.txt"], fetched_at=NOW - 25 * 3600)
    later = Web({"https://cdn.example.org/robots.txt": now_answers})
    facts = later.drive(
        gates.host_files("https://cdn.example.org", replace(before, files={"/robots.txt": stored}))
    )
    assert gates.g1(IMAGE, facts).open is opens


def test_what_pages_said_meanwhile_counts_at_the_last_gate() -> None:
    head = ResponseHead(IMAGE, 200, (), NOW)
    page = replace(answer(200, b"<meta name=robots content=noai>" + HTML), url=PAGE, final_url=PAGE)
    gates = permission()
    late = gates.g2(page).result.signals
    assert gates.g5(head, jpeg()).open
    assert gates.g5(head, jpeg(), (), late).reason == RefuseReason.META_ROBOTS.value


def test_facts_of_another_origin_or_no_facts_hold() -> None:
    gates = permission()
    other = OriginFacts("https://other.example.org", {"/robots.txt": answer(404)}, NOW)
    assert gates.g1(IMAGE, other).verdict is GateVerdict.HOLD
    assert gates.g1(IMAGE, OriginFacts("https://cdn.example.org", {}, NOW)).verdict is GateVerdict.HOLD
    http = OriginFacts("http://cdn.example.org", {"/robots.txt": answer(404)}, NOW)
    assert gates.g1(IMAGE, http).verdict is GateVerdict.HOLD


class _TwoFiles(Protocol):
    """A protocol of tomorrow that needs a host file of its own."""

    name = "tomorrow"
    title = "for this test"
    host_files = ("/tomorrow.txt",)


def test_host_files_of_every_protocol_are_asked_one_by_one_after_robots() -> None:
    gates = Permission(rules(), EMPTY_SNAPSHOT, lambda: NOW, (_TwoFiles(), *all_protocols()))
    web = Web()
    facts = web.drive(gates.host_files("https://cdn.example.org"))
    assert web.asked[0] == "https://cdn.example.org/robots.txt"
    assert sorted(web.asked) == sorted(
        ["https://cdn.example.org/tomorrow.txt", *host_files("https://cdn.example.org")]
    )
    assert gates.g1(IMAGE, facts).open
    partial = replace(facts, files={"/robots.txt": facts.files["/robots.txt"]})
    assert gates.g1(IMAGE, partial).reason == HoldReason.NOT_FINISHED.value


def test_where_robots_is_not_obtained_no_other_file_is_asked() -> None:
    gates = Permission(rules(), EMPTY_SNAPSHOT, lambda: NOW, (_TwoFiles(), *all_protocols()))
    web = Web({"https://cdn.example.org/robots.txt": answer(503)})
    web.drive(gates.host_files("https://cdn.example.org"))
    assert web.asked == ["https://cdn.example.org/robots.txt"]


class _Broken(Protocol):
    """A protocol with a bug in every hook."""

    name = "broken"
    title = "for this test"
    host_files = ("/robots.txt",)

    def _fall(self) -> list[Signal]:
        raise RuntimeError("a bug")

    def read_host_file(self, path: str, file: Fetched, url: str, reading: Reading) -> list[Signal]:
        return self._fall()

    def read_image_head(self, head: ResponseHead, reading: Reading) -> list[Signal]:
        return self._fall()

    def read_image(self, embedded: Any, reading: Reading) -> list[Signal]:
        return self._fall()

    def read_page_head(self, head: ResponseHead, reading: Reading) -> list[Signal]:
        return self._fall()


def test_an_exception_in_any_gate_is_a_hold_with_a_reason() -> None:
    gates = Permission(rules(), EMPTY_SNAPSHOT, lambda: NOW, (_Broken(),))
    facts = OriginFacts("https://cdn.example.org", {"/robots.txt": answer(404)}, NOW)
    head = ResponseHead(IMAGE, 200, (), NOW)
    page = replace(answer(200, HTML), url=PAGE, final_url=PAGE)
    for result in (gates.g1(IMAGE, facts), gates.g4(head), gates.g5(head, jpeg()), gates.g2(page).result):
        assert (result.verdict, result.reason) == (GateVerdict.HOLD, HoldReason.GATE_EXCEPTION.value)


def test_a_gate_result_without_a_reason_cannot_be_built() -> None:
    for verdict in (GateVerdict.REFUSE, GateVerdict.HOLD, GateVerdict.FAIL):
        with pytest.raises(ValueError, match="needs a reason"):
            GateResult("g1", verdict, "")


@pytest.mark.parametrize("status", [status for status in range(100, 600) if status != 200])
def test_no_status_but_200_lets_an_image_through(status: int) -> None:
    result = image_status(status)
    assert result is not None
    assert not result.open


def test_only_http_targets_are_redirects() -> None:
    for location in ("ftp://a.example.org/", "file:///etc/passwd", "javascript:1", "data:,x", " "):
        assert redirect_target(replace(answer(302, Location=location), url=IMAGE, final_url=IMAGE)) is None
    relative = replace(answer(302, Location="/b"), url=IMAGE, final_url=IMAGE)
    assert redirect_target(relative) == "https://cdn.example.org/b"


@pytest.mark.parametrize(("headers", "opens"), [({"X_Robots_Tag": "noai"}, False), ({}, True)])
def test_a_redirect_on_the_way_to_an_image_may_say_no(headers: dict[str, str], opens: bool) -> None:
    moved = "https://old.example.org/a.jpg"
    web = open_web()
    web.answers[moved] = answer(302, Location=IMAGE, **headers)
    judgement = web.walk(permission(), moved)
    assert (IMAGE in web.asked) is opens
    assert judgement.last.open is opens
    if not opens:
        assert (judgement.last.gate, judgement.last.reason) == ("g4", RefuseReason.X_ROBOTS_TAG)


def test_needs_name_their_kind() -> None:
    machine = walk_image(permission(), IMAGE, PAGE)
    assert next(machine).kind is NeedKind.HOST_FILE
