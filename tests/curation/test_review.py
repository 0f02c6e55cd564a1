"""`kyodaku review`: who may see the page, what it shows, what it keeps, and what that does."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import curation.filters
from curation.filters import words_beside
from curation.review.cases import Stale
from curation.review.desk import Desk
from curation.review.pages import batch_page, case_page
from curation.review.samples import Member, choose, draw
from curation.review.server import Server
from kyodaku.errors import RunStateError
from kyodaku.lock import read_lock
from kyodaku.records import DECISIONS
from kyodaku.registry_client import EMPTY_SNAPSHOT
from kyodaku.release.build import gather_facts
from kyodaku.release.card import card_text
from kyodaku.release.signoff import released_digest, sign_off, wilson
from kyodaku.reviews import append_reviews, read_reviews
from kyodaku.runs import RunFolder
from tests.curation.fixtures import make_run
from tests.curation.reviewed import (
    PICTURES,
    RECIPE,
    curated,
    curated_once,
    decide,
    install,
    outcomes,
    run,
)

__all__ = ["curated_once", "run"]  # fixtures

ASIDE = ("odd", "odd2", "odd3", "little")
POSSIBLE = ("quarantined", "perturbation_possible")


def uid(name: str) -> str:
    return PICTURES[name].uid


def desk(run: RunFolder, who: str = "ann", **more: Any) -> Desk:
    return Desk(run, RECIPE, who, lambda: 1000.0, **more)


def say(one: Desk, name: str, verdict: str, why: str = "looked") -> None:
    one.say(verdict, why, "one", [(uid(name), one.case(uid(name)).shown)])


# ------------------------------------------------------------------ the desk


def test_what_was_set_aside_lies_on_the_desk_and_nothing_else(run: RunFolder) -> None:
    assert outcomes(run) == {
        "clean": ("released", "public_domain"),
        "clean2": ("released", "public_domain"),
        "odd": POSSIBLE,
        "odd2": POSSIBLE,
        "odd3": POSSIBLE,
        "marked": ("filtered", "watermark"),
        "little": ("quarantined", "not_looked_at"),
        "refused": ("refused", "meta_robots"),
        "plain": ("filtered", "low_resolution"),
    }
    found = desk(run)
    assert {one[0] for one in found.queue()} == {uid(name) for name in ASIDE}
    assert {one[2] for one in found.queue()} == {"open"}
    case = found.case(uid("odd"))
    assert case.lifts == ("watermark:perturbation_possible",)
    assert (case.reason, case.host, case.blocked) == ("perturbation_possible", "museum.example", ())
    assert found.case(uid("little")).lifts == ("watermark:not_looked_at:overlay",)
    with pytest.raises(Stale):
        found.case(uid("refused"))


def test_verdicts_are_kept_and_count_from_the_next_decisions_on(run: RunFolder) -> None:
    one = desk(run)
    say(one, "odd", "allow", "a stamp of the museum")
    say(one, "odd2", "drop")
    say(one, "odd3", "unsure")
    say(one, "little", "allow")
    assert one.counts() == {"allow": 2, "drop": 1, "unsure": 1}
    lines = [json.loads(line) for line in run.reviews.read_text("utf-8").splitlines()]
    assert [line["verdict"] for line in lines] == ["allow", "drop", "unsure", "allow"]
    assert lines[0]["who"] == "ann"
    assert lines[0]["when"] == 1000.0
    assert lines[0]["why"] == "a stamp of the museum"
    assert outcomes(run)["odd"] == POSSIBLE, "nothing is decided by the page"
    assert desk(run, "bob").counts() == one.counts(), "who comes later goes on"
    after = decide(run)
    assert after["odd"] == ("released", "public_domain")
    assert after["odd2"] == ("filtered", "reviewed")
    assert after["odd3"] == POSSIBLE
    assert after["little"] == ("released", "public_domain")
    assert after["refused"] == ("refused", "meta_robots")
    assert [found for found, _, _ in one.queue()] == [uid("odd3")], "the desk sees the new decisions"


def test_a_verdict_reads_no_other_picture_again(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    first = desk(run)
    for name in ("odd", "odd2", "little"):
        say(first, name, "allow")
    read: list[str] = []
    load = Desk._load

    def counting(one: Desk, facts: Any, uids: Any) -> Any:
        read.extend(uids)
        return load(one, facts, uids)

    monkeypatch.setattr(Desk, "_load", counting)
    later = desk(run)
    assert sorted(read) == sorted(uid(name) for name in ("odd", "odd2", "little")), "what was judged, once"
    read.clear()
    say(later, "odd3", "allow")
    assert later.counts() == {"allow": 4}
    assert read == [uid("odd3")]


def test_a_changed_finding_needs_a_new_look(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    one = desk(run)
    say(one, "odd", "allow")
    say(one, "odd2", "drop")
    install(monkeypatch, version="2")
    after = decide(run)
    assert after["odd"] == POSSIBLE
    assert after["odd2"] == ("filtered", "reviewed"), "a drop needs no second look"
    states = {found: state for found, _, state in one.queue()}
    assert states[uid("odd")] == "open"
    said = one.review(uid("odd"))
    assert said is not None
    assert said.shown != one.case(uid("odd")).shown


def test_what_was_shown_before_a_change_cannot_be_said(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = desk(run)
    shown = one.case(uid("odd")).shown
    install(monkeypatch, version="2")
    decide(run)
    with pytest.raises(Stale, match="look again"):
        one.say("allow", "late", "one", [(uid("odd"), shown)])
    assert not run.reviews.exists()


def test_a_threshold_that_changed_is_still_asked(run: RunFolder) -> None:
    """The allow lifted a quarantine; a recipe that drops the picture drops it."""
    one = desk(run)
    say(one, "odd3", "allow")
    strict = RECIPE.model_copy(
        update={"filters": RECIPE.filters.model_copy(
            update={"watermark": RECIPE.filters.watermark.model_copy(update={"max_score": 0.5})}
        )}
    )  # fmt: skip
    assert decide(run, strict)["odd3"] == ("filtered", "watermark")
    assert decide(run)["odd3"] == ("released", "public_domain")


def test_undo_takes_back_one_press_of_a_key(run: RunFolder) -> None:
    one = desk(run)
    say(one, "odd", "drop")
    batch = one.batch(uid("odd2"), "host")
    assert [case.uid for case in batch][:1] == [uid("odd2")]
    assert {case.uid for case in batch} == {uid("odd2"), uid("odd3")}
    one.say("allow", "all of them", "host", [(case.uid, case.shown) for case in batch])
    assert one.counts() == {"drop": 1, "allow": 2, "open": 1}
    assert set(one.undo().states) == {uid("odd2"), uid("odd3")}
    assert one.counts() == {"drop": 1, "open": 3}
    assert desk(run, "bob").undo() == desk(run, "bob").undo(), "nobody takes back another's word"
    assert one.undo().undone
    assert not one.undo().undone
    assert one.counts() == {"open": 4}


def test_an_allow_that_would_have_no_effect_is_not_kept(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curation.filters, "ASKED", ("notices",))
    assert decide(run, RECIPE.model_copy(update={"name": "other"}))["odd"] in (
        POSSIBLE,
        ("quarantined", "not_looked_at"),
    )
    one = desk(run)
    case = one.case(uid("odd"))
    assert [objected.annotator for objected in case.blocked] == ["notices"]
    told = one.say("allow", "sure", "one", [(case.uid, case.shown)])
    assert (told.left, told.states) == (1, {case.uid: "open"})
    assert not read_reviews(run.reviews).entries
    say(one, "odd", "drop")
    assert one.counts()["drop"] == 1


def test_a_run_without_decisions_has_nothing_to_review(tmp_path: Path) -> None:
    with pytest.raises(RunStateError, match="kyodaku curate"):
        desk(make_run(tmp_path, list(PICTURES.values())))


def test_one_picture_can_be_asked_for(run: RunFolder) -> None:
    one = desk(run, only=[uid("clean"), uid("refused"), "f" * 32])
    assert [found for found, _, _ in one.queue()] == [uid("clean")]
    say(one, "clean", "drop", "a person")
    assert decide(run)["clean"] == ("filtered", "reviewed")


# ------------------------------------------------------------------ the server


def serve(one: Desk, ask: Callable[[Server, aiohttp.ClientSession], Awaitable[None]]) -> None:
    async def work() -> None:
        async with Server(one, "A <title>") as server, aiohttp.ClientSession() as session:
            await ask(server, session)

    try:
        asyncio.run(work())
    finally:
        one.close()


HEADERS = {"X-Kyodaku-Review": "1"}


def test_only_who_knows_the_address_gets_in(run: RunFolder) -> None:
    async def ask(server: Server, session: aiohttp.ClientSession) -> None:
        assert server.url.startswith("http://127.0.0.1:")
        assert len(server.token) >= 22
        root = server.url.removesuffix(f"{server.token}/")
        for path in ("", "queue", "x" * len(server.token) + "/", f"{server.token}x/queue", f"{server.token}"):
            async with session.get(root + path, allow_redirects=False) as answer:
                assert answer.status == 404, path
                assert await answer.read() == b""
        async with session.get(server.url) as answer:
            assert answer.status == 200

    serve(desk(run), ask)


HOSTS = [
    ("127.0.0.1:{port}", 200),
    ("localhost:{port}", 200),
    ("[::1]:{port}", 200),
    ("evil.example:{port}", 421),
    ("evil.example", 421),
    ("127.0.0.1", 421),
    ("127.0.0.1:1", 421),
    ("127.0.0.1.evil.example:{port}", 421),
    ("192.0.2.7:{port}", 421),
    ("localhost.:{port}", 421),
]


def test_a_name_that_was_rebound_to_us_is_turned_away(run: RunFolder) -> None:
    async def ask(server: Server, session: aiohttp.ClientSession) -> None:
        for host, status in HOSTS:
            sent = {"Host": host.format(port=server.port)}
            async with session.get(server.url + "review.css", headers=sent) as answer:
                assert answer.status == status, host

    serve(desk(run), ask)


FOREIGN: list[dict[str, str]] = [
    {},
    {"X-Kyodaku-Review": "0"},
    {**HEADERS, "Origin": "https://evil.example"},
    {**HEADERS, "Origin": "null"},
    {**HEADERS, "Sec-Fetch-Site": "cross-site"},
    {**HEADERS, "Sec-Fetch-Site": "same-site"},
    {**HEADERS, "Content-Type": "text/plain"},
    {**HEADERS, "Content-Type": "application/x-www-form-urlencoded"},
]


def test_no_other_page_can_make_it_say_something(run: RunFolder) -> None:
    async def ask(server: Server, session: aiohttp.ClientSession) -> None:
        item = {"uid": uid("odd"), "shown": one.case(uid("odd")).shown}
        body = json.dumps({"verdict": "drop", "why": "x", "scope": "one", "items": [item]})
        for headers in FOREIGN:
            sent = {"Content-Type": "application/json", **headers}
            for path, data in (("say", body), ("undo", "{}")):
                async with session.post(server.url + path, data=data, headers=sent) as answer:
                    assert answer.status == 403, headers
        assert not run.reviews.exists()
        origin = {"Origin": server.url.split("/" + server.token)[0]}
        own = {"Content-Type": "application/json", **HEADERS, **origin}
        async with session.post(server.url + "say", data=body, headers=own) as answer:
            assert await answer.json() == {"states": {uid("odd"): "drop"}, "left": 0, "undone": False}

    one = desk(run)
    serve(one, ask)
    assert len(read_reviews(run.reviews).entries) == 1


def test_every_answer_is_closed_to_others_and_loads_nothing(run: RunFolder) -> None:
    async def ask(server: Server, session: aiohttp.ClientSession) -> None:
        for path in ("", "queue", "review.js", "page.css", f"case/{uid('odd')}", "nothing", "secret.js"):
            async with session.get(server.url + path) as answer:
                policy = answer.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert "http" not in policy
                assert answer.headers["Referrer-Policy"] == "no-referrer"
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Cache-Control"] == "no-store"
                assert "Server" not in answer.headers
                assert answer.status == (404 if path in ("nothing", "secret.js") else 200)
        async with session.get(server.url) as answer:
            page = await answer.text()
        assert "A &lt;title&gt;" in page
        assert "style=" not in page
        assert " on" + "click" not in page

    serve(desk(run), ask)


def test_pictures_are_encoded_anew_and_only_those_on_the_desk(run: RunFolder) -> None:
    async def ask(server: Server, session: aiohttp.ClientSession) -> None:
        async with session.get(f"{server.url}picture/{uid('odd')}/large") as answer:
            body = await answer.read()
            assert answer.content_type == "image/jpeg"
        image = Image.open(io.BytesIO(body))
        assert (image.format, image.size) == ("JPEG", (320, 280))
        assert hashlib.sha256(body).hexdigest() != hashlib.sha256(PICTURES["odd"].body or b"").hexdigest()
        for name in ("refused", "clean", "marked"):
            async with session.get(f"{server.url}picture/{uid(name)}/large") as answer:
                assert answer.status == 404, name
        for wrong in (
            f"picture/{uid('odd')}/original",
            "picture/../../etc/passwd/large",
            f"picture/{'0' * 32}/small",
        ):
            async with session.get(server.url + wrong) as answer:
                assert answer.status == 404

    serve(desk(run), ask)


def test_what_is_purged_meanwhile_is_not_shown_any_more(run: RunFolder) -> None:
    async def ask(server: Server, session: aiohttp.ClientSession) -> None:
        address = f"{server.url}picture/{uid('odd')}/small"
        async with session.get(address) as answer:
            assert answer.status == 200
        denied = RECIPE.model_copy(
            update={"deny": RECIPE.deny.model_copy(update={"urls": (PICTURES["odd"].url,)})}
        )
        assert decide(run, denied)["odd"][0] == "refused"
        async with session.get(address) as answer:
            assert answer.status == 404
        async with session.get(f"{server.url}case/{uid('odd')}") as answer:
            assert answer.status == 409

    serve(desk(run), ask)


def test_a_case_shows_its_evidence_escaped(run: RunFolder) -> None:
    async def ask(server: Server, session: aiohttp.ClientSession) -> None:
        async with session.get(f"{server.url}case/{uid('odd')}") as answer:
            page = await answer.text()
        assert "<script>" not in page
        assert "© Ann &lt;script&gt;" in page
        assert "An odd &lt;b&gt;picture&lt;/b&gt;" in page
        assert 'class="mask"' in page
        assert "https://creativecommons.org/publicdomain/mark/1.0/" in page
        assert "an adversarial-like perturbation is possible" in page
        assert "敵対的な撹乱" in page

    serve(desk(run), ask)


NONSENSE = [
    b"[]",
    b"{",
    b'{"verdict": "release", "why": "x", "scope": "one", "items": []}',
    b'{"verdict": "allow", "why": "", "scope": "one", "items": [{"uid": "1", "shown": "2"}]}',
    b'{"verdict": "allow", "why": "x", "scope": "web", "items": [{"uid": "1", "shown": "2"}]}',
    b'{"verdict": "allow", "why": "x", "scope": "one", "items": "all"}',
    b'{"verdict": "allow", "why": "x", "scope": "one", "items": [{"uid": "1", "shown": "2"}]}',
    b'{"verdict": "drop", "why": "x", "scope": "host", "items": []}',
]


def test_nonsense_is_not_kept(run: RunFolder) -> None:
    async def ask(server: Server, session: aiohttp.ClientSession) -> None:
        sent = {"Content-Type": "application/json", **HEADERS}
        for body in NONSENSE:
            async with session.post(server.url + "say", data=body, headers=sent) as answer:
                assert answer.status in (400, 409), body

    serve(desk(run), ask)
    assert not run.reviews.exists()


DROP = '{"verdict": "drop", "why": "%s", "scope": "one", "items": [{"uid": "%s", "shown": "%s"}]}'


def test_what_cannot_be_read_is_one_line_and_nothing_on_the_terminal(
    run: RunFolder, caplog: pytest.LogCaptureFixture
) -> None:
    half, shown = "\\ud800", one_shown(run)
    bodies: list[tuple[bytes, dict[str, str]]] = [
        (b"[" * 60_000, {}),
        ((DROP % (f"x{half}y", uid("odd"), shown)).encode(), {}),
        ((DROP % ("x", uid("odd"), half)).encode(), {}),
        ((DROP % ("x", half, shown)).encode(), {}),
        (b'"\xff"', {}),
        (b"{}", {"Content-Type": "application/json; charset=nosuch"}),
        (b"no gzip", {"Content-Encoding": "gzip"}),
        (b"1" * 5000, {}),
    ]

    async def ask(server: Server, session: aiohttp.ClientSession) -> None:
        for body, more in bodies:
            sent = {"Content-Type": "application/json", **HEADERS, **more}
            async with session.post(server.url + "say", data=body, headers=sent) as answer:
                told = await answer.text()
                assert (answer.status, "\n" in told, told != "") == (400, False, True), (body[:90], told)

    serve(desk(run), ask)
    assert not caplog.records
    assert not run.reviews.exists()


def one_shown(run: RunFolder) -> str:
    return desk(run).case(uid("odd")).shown


def test_a_bug_of_ours_is_one_line_for_both(
    run: RunFolder, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> list[Any]:
        raise LookupError("lost\n\x1b[31mred")

    async def ask(server: Server, session: aiohttp.ClientSession) -> None:
        async with session.get(server.url + "queue") as answer:
            assert answer.status == 500
            assert await answer.json() == {"error": "unexpected LookupError"}
            assert answer.headers["X-Frame-Options"] == "DENY"

    one = desk(run)
    monkeypatch.setattr(one, "queue", broken)
    serve(one, ask)
    assert len(caplog.records) == 1
    assert caplog.records[0].exc_info is None
    assert "\x1b" not in caplog.text
    assert "\n" not in caplog.records[0].getMessage()


# ------------------------------------------------------------------ the sample


def members(*counts: int) -> list[Member]:
    return [
        Member(f"{host}-{number}", f"h{host}", "photo" if number % 3 else "print", "licence")
        for host, count in enumerate(counts)
        for number in range(count)
    ]


def test_a_sample_is_the_same_for_a_seed_and_holds_hosts_and_kinds_in_proportion() -> None:
    population = members(300, 600, 90, 10)
    first = choose(population, 100, 1)
    assert first == choose(list(reversed(population)), 100, 1)
    assert first != choose(population, 100, 2)
    assert len(set(first)) == 100
    by_host = [sum(uid.startswith(f"{host}-") for uid in first) for host in range(4)]
    for found, share in zip(by_host, (30, 60, 9, 1), strict=True):
        assert abs(found - share) <= 1
    photos = sum(int(uid.split("-")[1]) % 3 != 0 for uid in first)
    assert abs(photos - 67) <= 3
    assert first != tuple(sorted(first)), "nobody looks host by host"
    assert set(choose(population, 5000, 1)) == {one.uid for one in population}


def test_every_picture_has_the_same_chance() -> None:
    population = members(7, 3, 5)
    counts: dict[str, int] = {}
    for seed in range(600):
        for found in choose(population, 5, seed):
            counts[found] = counts.get(found, 0) + 1
    assert len(counts) == 15
    assert all(140 <= count <= 260 for count in counts.values()), counts


def test_wilson() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    low, high = wilson(0, 400)
    assert (low, round(high, 5)) == (0.0, 0.00951)
    assert tuple(round(one, 4) for one in wilson(8, 400)) == (0.0102, 0.039)
    assert wilson(5, 5)[1] == 1.0


def test_a_sign_off_counts_once_finished_and_for_its_decisions_only(run: RunFolder) -> None:
    assert sign_off(run) is None
    drawn, new = draw(run, 400, 7, "ann", 1000.0)
    assert new
    assert set(drawn.uids) == {uid("clean"), uid("clean2")}
    assert drawn.decisions == released_digest(run)
    append_reviews(run.reviews, [drawn])
    one = desk(run, sample=drawn)
    assert [found for found, _, _ in one.queue()] == list(drawn.uids)
    say(one, "clean", "good", "")
    assert sign_off(run) is None, "half a sample proves nothing"
    assert draw(run, 400, 7, "bob", 2000.0) == (drawn, False), "who comes later goes on"
    say(desk(run, "bob", sample=drawn), "clean2", "bad", "a logo")
    found = sign_off(run)
    assert found is not None
    assert (found.size, found.population, found.good, found.bad, found.who) == (2, 2, 1, 1, ("ann", "bob"))
    assert found.low < 0.5 < found.high
    assert decide(run)["clean2"] == ("filtered", "reviewed"), "what a sample finds bad is dropped"
    assert sign_off(run) == found, "it speaks for what is left, too"
    largest = {"width": 1, "height": 1, "pixels": 1}
    facts = gather_facts(run, RECIPE, read_lock(run), EMPTY_SNAPSHOT)
    card = card_text(RECIPE, facts.counts, facts.crawl_window, 1, largest, facts.signed_off)
    assert "1 good, 1 bad. Those that are bad were taken out." in card
    assert draw(run, 400, 7, "bob", 3000.0) == (drawn, False)
    say(desk(run), "odd", "allow")
    assert sign_off(run) == found, "nothing was decided yet"
    decide(run)
    assert sign_off(run) is None, "other pictures would be released now"


def test_a_sign_off_does_not_outlive_what_permitted_its_pictures(run: RunFolder) -> None:
    drawn, _ = draw(run, 400, 7, "ann", 1000.0)
    append_reviews(run.reviews, [drawn])
    one = desk(run, sample=drawn)
    say(one, "clean", "good", "")
    say(one, "clean2", "good", "")
    assert sign_off(run) is not None
    for path in run.decisions.glob("*.parquet"):
        rows = pq.read_table(path).to_pylist()
        changed = [{**row, "licence": "cc-by-4.0"} for row in rows]
        pq.write_table(pa.Table.from_pylist(changed, DECISIONS), path)
    assert sign_off(run) is None


def test_the_card_says_who_looked_and_what_that_proves(run: RunFolder) -> None:
    drawn, _ = draw(run, 400, 7, "Ann | <b>", 1000.0)
    append_reviews(run.reviews, [drawn])
    one = desk(run, "Ann | <b>", sample=drawn)
    facts = gather_facts(run, RECIPE, read_lock(run), EMPTY_SNAPSHOT)
    assert facts.signed_off is None
    say(one, "clean", "good", "")
    say(one, "clean2", "unsure", "")
    facts = gather_facts(run, RECIPE, read_lock(run), EMPTY_SNAPSHOT)
    largest = {"width": 1, "height": 1, "pixels": 1}
    card = card_text(RECIPE, facts.counts, facts.crawl_window, 2, largest, facts.signed_off)
    told = " ".join(card.split())
    assert "Ann \\| &lt;b> judged a sample of 2 of the 2 pictures" in told
    assert "1 good, 0 bad and 1 unsure. The share of bad pictures is between 0.00% and 65.76%" in told
    assert "(90.55% if every unsure one is bad), with 95 % confidence" in told
    assert "samples that were begun" not in told
    other, _ = draw(run, 1, 8, "Ann", 1000.0)
    append_reviews(run.reviews, [other])
    facts = gather_facts(run, RECIPE, read_lock(run), EMPTY_SNAPSHOT)
    card = card_text(RECIPE, facts.counts, facts.crawl_window, 2, largest, facts.signed_off)
    assert "one of 2 samples that were begun" in card
    assert "Nobody signed off" in card_text(RECIPE, facts.counts, facts.crawl_window, 2, largest)


def test_nothing_to_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    run = curated(tmp_path, [PICTURES["odd"]])
    with pytest.raises(RunStateError, match="nothing to sample"):
        draw(run, 10, 0, "ann", 1.0)


# ------------------------------------------------------------------ words beside a picture


def test_who_lifts_words_beside_a_picture_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    monkeypatch.setitem(curation.filters.FILTERS, "words_beside", words_beside)
    sentence = "A fox. Please do not repost <b>anywhere</b>."
    said = [replace(PICTURES[name], changes={"page_title": sentence}) for name in ("clean", "clean2")]
    run = curated(tmp_path, said)
    assert set(outcomes(run).values()) == {("quarantined", "words_beside")}
    one = desk(run)
    case = one.case(uid("clean"))
    assert (case.reason, case.lifts, case.blocked) == ("words_beside", ("words_beside:words_beside",), ())
    column, phrase, text = case.facts["found"][0]["words"]
    assert (column, text) == ("page_title", sentence)
    assert "do not repost" in phrase
    for page in (case_page(case, None, {}), batch_page([case], "host")):
        assert "page_title" in page
        assert "Please do not repost &lt;b&gt;anywhere&lt;/b&gt;." in page
    say(one, "clean", "allow")
    assert decide(run) == {
        "clean": ("released", "public_domain"),
        "clean2": ("quarantined", "words_beside"),
    }
