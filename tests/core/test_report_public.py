"""The public report: says everything about the set and nothing about anything outside it."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from lxml import html

from kyodaku.report import public
from kyodaku.report.thumbnails import Thumbnailer
from tests.core.report_fixture import FixtureRun, build


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> FixtureRun:
    return build(tmp_path_factory.mktemp("public"), contact="https://museum.example/contact", local=False)


@pytest.fixture(scope="module")
def page(made: FixtureRun) -> str:
    return public.write_report(made.release, made.run, made.recipe).read_text("utf-8")


def test_names_nothing_outside_the_set(made: FixtureRun, page: str) -> None:
    inside = {item.candidate.uid for item in made.made.values() if item.decision["outcome"] == "released"}
    for name, item in made.made.items():
        if item.decision["outcome"] == "released":
            continue
        candidate = item.candidate
        assert candidate.candidate_id not in page, name
        assert candidate.image_url not in page, name
        assert not candidate.page_url or f'"{candidate.page_url}"' not in page, name
        if candidate.uid and candidate.uid not in inside:
            assert candidate.uid not in page, name
            assert candidate.sha256 not in page, name
    assert "artist.example" not in page


def test_shows_released_samples_only(made: FixtureRun, page: str) -> None:
    sources = html.fromstring(page).xpath("//img/@src")
    shown = {base64.b64decode(source.partition(",")[2]) for source in sources}
    released = [item for item in made.made.values() if item.decision["outcome"] == "released"]
    with Thumbnailer(made.recipe) as maker:
        wanted = {maker.make(item.body or b"") for item in released}
    assert shown == {thumbnail.jpeg for thumbnail in wanted if thumbnail}
    assert len(sources) == len(released) == 7


def test_counts_grounds_licences_and_institutions(page: str) -> None:
    tree = html.fromstring(page)
    why = tree.xpath("//section[@id='why']")[0].text_content()
    assert "an institution's own statement" in why
    row = tree.xpath("//section[@id='institutions']//tbody/tr")[0]
    assert row.xpath("./td[last()]")[0].text_content() == "7"
    out = tree.xpath("//section[@id='left-out']")[0].text_content()
    assert "robots_purpose" in out
    assert "public_domain" not in out


def test_tells_what_asking_for_permission_cost_and_names_no_host(page: str) -> None:
    section = html.fromstring(page).xpath("//section[@id='requests']")[0]
    counts = [int(row[-1].get("data-value")) for row in section.xpath(".//tbody/tr")]
    assert counts[:3] == [9, 2, 2]
    assert counts[-1] == sum(counts[:-1])
    assert "example" not in section.text_content()
    assert "licences.example" not in page


def test_says_how_to_object_and_verify(made: FixtureRun, page: str, tmp_path: Path) -> None:
    tree = html.fromstring(page)
    assert "https://museum.example/contact" in tree.xpath("//section[@id='object']//a/@href")
    assert "https://museum.example/contact" in tree.xpath("//section[@id='object']")[0].text_content()
    assert "kyodaku verify FOLDER" in tree.xpath("//section[@id='verify']")[0].text_content()
    local = build(tmp_path)
    other = public.write_report(local.release, local.run, local.recipe).read_text("utf-8")
    assert "There is nobody to write to" in other
    assert "local network only" in other
    assert "local network only" not in page


def test_same_release_same_bytes(made: FixtureRun, page: str) -> None:
    assert public.write_report(made.release, made.run, made.recipe).read_text("utf-8") == page
