"""The registry service in a crawl: asked before an address is, in batches; without an answer it is held."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from crawler.store.schema import State
from kyodaku.decision import Policy, decide
from kyodaku.reasons import HoldReason, RefuseReason, Verdict
from kyodaku.signals.model import Binding, Effect
from tests.crawler.scripted import NOW, Page, Scripted, html, png, recipe, redirect, text

ROBOTS, HOME = "http://a.example/robots.txt", "http://a.example/"
ONE, TWO = "http://a.example/1.png", "http://a.example/2.png"
ROBOTS_B, MOVED = "http://b.example/robots.txt", "http://b.example/moved.png"
OPEN = text("User-agent: *\nDisallow:\n")
SHOWN = html('<img src="/1.png"><img src="/2.png">')
WEB = {ROBOTS: OPEN, ROBOTS_B: OPEN, HOME: SHOWN, ONE: png(1), TWO: png(2), MOVED: png(3)}
ANYTHING = Policy("not-opted-out", frozenset(), frozenset(), frozenset())


def crawl(
    folder: Path,
    registry: Callable[[str], bool | None] = lambda url: False,
    web: dict[str, Page] | None = None,
    **spawning: object,
) -> Scripted:
    section = {"endpoint": "https://opts.example/", **spawning}
    return Scripted(folder, recipe(registries={"spawning": section}), dict(web or WEB), registry=registry)


def asked_about(scripted: Scripted) -> list[str]:
    return [url for _, urls in scripted.batches for url in urls]


def results(scripted: Scripted) -> dict[str, tuple[str, str, str]]:
    rows = scripted.crawl.store.rows("SELECT url, gate, verdict, reason FROM requests")
    return {url: (gate, verdict, reason) for url, gate, verdict, reason in rows}


def test_every_address_is_asked_about_once_before_it_is_asked_for(tmp_path: Path) -> None:
    scripted = crawl(tmp_path)
    scripted.run()
    assert asked_about(scripted) == [HOME, ONE, TWO]
    assert scripted.urls() == [ROBOTS, HOME, ONE, TWO]
    assert len(scripted.batches) == 2, "what a page shows is asked in one batch"
    for url in (ONE, TWO):
        row = scripted.candidates()[url]
        [own] = [s for s in row.signals if s.rule == "registry:spawning" and s.binding is Binding.IMAGE]
        assert (own.effect, own.fetched_at, own.digest) == (Effect.SILENT, NOW, "d" * 64)
        [page] = [s for s in row.signals if s.rule == "registry:spawning" and s.binding is Binding.PAGE]
        assert page.raw == f"about {HOME}"
        assert decide(row, ANYTHING, scripted.permission.snapshot).verdict is Verdict.ALLOW


def test_an_opted_out_image_is_refused_and_nothing_is_sent(tmp_path: Path) -> None:
    scripted = crawl(tmp_path, lambda url: url == ONE)
    scripted.run()
    assert results(scripted)[ONE] == ("g0", "refuse", "registry_opt_out")
    assert scripted.urls() == [ROBOTS, HOME, TWO]
    row = scripted.candidates()[ONE]
    assert (row.gate, row.gate_verdict, row.gate_reason) == ("g0", "refuse", "registry_opt_out")
    assert decide(row, ANYTHING, scripted.permission.snapshot).reason is RefuseReason.REGISTRY_OPT_OUT


def test_an_opted_out_page_is_not_read(tmp_path: Path) -> None:
    scripted = crawl(tmp_path, lambda url: url == HOME)
    scripted.run()
    assert scripted.urls() == []
    assert results(scripted) == {HOME: ("g0", "refuse", "registry_opt_out")}


def test_without_an_answer_it_is_asked_again_and_held_in_the_end(tmp_path: Path) -> None:
    scripted = crawl(tmp_path, lambda url: None if url == ONE else False)
    scripted.run()
    assert results(scripted)[ONE] == ("g0", "hold", "registry_unreachable")
    assert asked_about(scripted).count(ONE) == 2, "at the recipe's intervals, which are one"
    assert scripted.urls() == [ROBOTS, HOME, TWO]
    times = [moment for moment, urls in scripted.batches if ONE in urls]
    assert times[1] - times[0] >= 10
    row = scripted.candidates()[ONE]
    assert decide(row, ANYTHING, scripted.permission.snapshot).reason is HoldReason.REGISTRY_UNREACHABLE


def test_a_service_that_is_back_lets_go_on(tmp_path: Path) -> None:
    said: list[bool | None] = [None, False]
    scripted = crawl(tmp_path, lambda url: said.pop(0) if url == HOME else False)
    scripted.run()
    assert results(scripted)[TWO] == ("g5", "proceed", "")
    assert scripted.urls() == [ROBOTS, HOME, ONE, TWO]


def test_a_service_that_is_dead_holds_all_and_nothing_is_ever_sent(tmp_path: Path) -> None:
    scripted = crawl(tmp_path, lambda url: None)
    scripted.run()
    assert scripted.urls() == []
    assert results(scripted) == {HOME: ("g0", "hold", "registry_unreachable")}


def test_every_hop_is_asked_about(tmp_path: Path) -> None:
    web = {**WEB, ONE: redirect(MOVED), TWO: redirect("http://b.example/no.png")}
    scripted = crawl(tmp_path, lambda url: url.endswith("no.png"), web)
    scripted.run()
    assert asked_about(scripted) == [HOME, ONE, TWO, MOVED, "http://b.example/no.png"]
    assert results(scripted)[ONE] == ("g5", "proceed", "")
    assert results(scripted)[TWO] == ("g0", "refuse", "registry_opt_out")
    assert "http://b.example/no.png" not in scripted.urls()


def test_batches_are_no_larger_than_the_recipe_says(tmp_path: Path) -> None:
    images = [f"http://a.example/{n}.png" for n in range(7)]
    page = html("".join(f'<img src="{url}">' for url in images))
    web = {ROBOTS: OPEN, HOME: page, **{url: png(n) for n, url in enumerate(images)}}
    scripted = crawl(tmp_path, web=web, batch=3)
    scripted.run()
    assert [len(urls) for _, urls in scripted.batches] == [1, 3, 3, 1]
    assert sorted(scripted.urls()) == sorted([ROBOTS, HOME, *images])


def test_a_kill_asks_again_only_what_had_no_answer(tmp_path: Path) -> None:
    scripted = crawl(tmp_path)
    scripted.ask_registry()
    while HOME not in scripted.urls():
        scripted.run(1)
    scripted.crawl.commit()
    states = scripted.crawl.store.rows("SELECT url, state FROM requests WHERE kind = 2 ORDER BY url")
    assert states == [(ONE, State.ASKING), (TWO, State.ASKING)]
    scripted.kill()
    scripted.permission.snapshot.service.answers = None  # type: ignore[union-attr,assignment]
    scripted.open()
    assert scripted.crawl.frontier.asking
    scripted.run()
    assert asked_about(scripted) == [HOME, ONE, TWO]
    assert scripted.urls() == [ROBOTS, HOME, ONE, TWO]
    assert results(scripted)[ONE] == ("g5", "proceed", "")


def test_answers_are_on_the_disk_before_anything_is_asked_for(tmp_path: Path) -> None:
    scripted = crawl(tmp_path, lambda url: url == ONE)
    scripted.ask_registry()
    scripted.kill()
    scripted.open()
    assert scripted.crawl.store.rows("SELECT url, opt_out FROM registry_answers") == [(HOME, 0)]
    assert not scripted.crawl.frontier.asking
    scripted.run()
    assert asked_about(scripted) == [HOME, ONE, TWO]


def test_an_opt_out_is_never_taken_back(tmp_path: Path) -> None:
    scripted = crawl(tmp_path, lambda url: url == ONE)
    scripted.run()
    service = scripted.permission.snapshot.service
    assert service is not None
    found = service.answers.get(ONE)
    assert found is not None
    from dataclasses import replace

    service.answers.put([replace(found, opt_out=False), replace(found, opt_out=None)])
    assert [s.effect for s in service.about_url(ONE)] == [Effect.RESERVED]


def test_what_is_not_asked_for_anyway_is_not_held_for_it(tmp_path: Path) -> None:
    page = html('<img src="/1.png" srcset="/1s.png 10w, /1.png 20w"><a rel="nofollow" href="/2.png">x</a>')
    scripted = crawl(tmp_path, web={**WEB, HOME: page})
    scripted.run()
    rows = scripted.candidates()
    assert asked_about(scripted) == [HOME, ONE]
    small = rows["http://a.example/1s.png"]
    assert small.not_requested == "smaller_variant"
    assert decide(small, ANYTHING, scripted.permission.snapshot).reason is HoldReason.NOT_FINISHED


def test_a_crawl_that_never_asked_the_service_allows_nothing_by_a_recipe_that_names_it(
    tmp_path: Path,
) -> None:
    plain = Scripted(tmp_path / "plain", recipe(), dict(WEB))
    plain.run()
    row = plain.candidates()[ONE]
    assert decide(row, ANYTHING, plain.permission.snapshot).verdict is Verdict.ALLOW
    named = crawl(tmp_path / "named").permission.snapshot
    assert decide(row, ANYTHING, named).reason is HoldReason.REGISTRY_UNREACHABLE


def test_the_redirects_of_a_page_are_on_record_and_a_later_opt_out_finds_them(tmp_path: Path) -> None:
    from kyodaku.optouts import load_optouts
    from kyodaku.registry_client import RegistrySnapshot

    moved, old = "http://b.example/gallery", "http://a.example/old"
    web = {**WEB, HOME: html(f'<a href="{old}">x</a>'), old: redirect("/newer"), moved: SHOWN}
    web |= {"http://a.example/newer": html('<img src="/1.png">')}
    scripted = Scripted(tmp_path / "run", recipe(), web)
    scripted.run()
    row = scripted.candidates()[ONE]
    assert (row.page_url, row.page_hops) == ("http://a.example/newer", (old,))
    (tmp_path / "o.jsonl").write_text(f'{{"url": "{old}"}}\n')
    found = load_optouts([tmp_path / "o.jsonl"])
    later = RegistrySnapshot("files", found.count, found.digest, found)
    assert decide(row, ANYTHING, RegistrySnapshot()).verdict is Verdict.ALLOW
    assert decide(row, ANYTHING, later).reason is RefuseReason.REGISTRY_OPT_OUT


def test_so_are_redirects_that_meet_at_a_page_that_is_known(tmp_path: Path) -> None:
    """A list names a picture for a page that leads, by another one, to a page that was read already."""
    home, old, older = HOME, "http://a.example/old", "http://b.example/older"
    web = {**WEB, old: redirect(home), older: redirect(old)}
    scripted = Scripted(tmp_path, recipe(), web)
    for page, image in ((older, ONE), (old, TWO)):
        scripted.crawl.intake.listed(page, image, "a caption")
    scripted.run()  # the home page is read before anybody is sent to it
    for page in (old, older):
        scripted.crawl.intake.page(page, 0, anywhere=True)
    scripted.run()
    rows = scripted.candidates()
    assert {row.page_url for row in rows.values()} == {home}
    assert set(rows[ONE].page_hops) == {older, old}
    assert rows[TWO].page_hops == (old,)


def test_after_a_kill_an_image_still_waits_for_the_pages_that_wait_for_the_service(tmp_path: Path) -> None:
    late = "http://a.example/late"
    home = html(f'<img src="{MOVED}"><a href="/late">x</a>')
    scripted = crawl(tmp_path, web={**WEB, HOME: home, late: html("")})
    scripted.ask_registry()
    while HOME not in scripted.urls():
        scripted.run(1)
    scripted.crawl.commit()
    scripted.kill()
    scripted.open()
    scripted.ask_registry()
    state = scripted.crawl.store.rows("SELECT state FROM requests WHERE url = ?", (MOVED,))
    assert state == [(State.PARKED,)]
    scripted.run()
    assert scripted.urls().index(late) < scripted.urls().index(MOVED)
