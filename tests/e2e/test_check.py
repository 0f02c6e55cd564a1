"""`kyodaku check` says of every image what the crawl found at its gates, and says it in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import DemoRun, kyodaku
from tests.e2e.test_demo_outcomes import rows
from tests.web.pictures import painted, plus_xmp
from tests.web.sites import declarations, hostfiles, licences, preferences

FAMILIES = (preferences, hostfiles, declarations, licences)


def test_check_and_the_crawl_agree_at_the_gates(demo: DemoRun) -> None:
    found = rows(demo)
    hosts = {site.name for family in FAMILIES for site in family.sites()}
    pages = sorted({page for _, page in found if page.split("/")[2] in hosts})
    assert len(pages) > 20
    done = kyodaku("check", *pages, "--recipe", str(demo.recipe_path), "--json", "--images", "100")
    compared, differing = 0, []
    for line in done.stdout.splitlines():
        page = json.loads(line)
        for image in page["images"]:
            row = found.get((image["url"], page["url"]))
            if row is None or row["not_requested"] or row["gate_reason"] == "same_url_refused":
                continue
            compared += 1
            last = image["gates"][-1]
            if (last["verdict"], last["reason"]) != (row["gate_verdict"], row["gate_reason"]):
                differing.append((image["url"], last["verdict"], last["reason"], row["gate_reason"]))
    assert compared > 40
    assert not differing


def test_a_closed_host_is_asked_for_its_host_files_only(demo: DemoRun) -> None:
    asked = len(demo.web.log)
    table = str(demo.web.host_table_path)
    done = kyodaku("check", "http://trust.example/", "--host-table", table)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("No, a crawl would take no image from this page: trust.txt says")
    assert "datatrainingallowed=no" in done.stdout
    assert {entry.path for entry in demo.web.log[asked:]} >= {"/robots.txt", "/.well-known/trust.txt"}
    assert "/" not in {entry.path for entry in demo.web.log[asked:]}


@pytest.mark.parametrize(
    ("lang", "start"),
    [("en", "No, a crawl would not take this image"), ("ja", "いいえ、クローラーはこの画像を")],
)
def test_an_image_behind_an_address_without_a_name_for_it(demo: DemoRun, lang: str, start: str) -> None:
    url = next(image for image, _ in rows(demo) if "getBlob?did=did:plc:no" in image)
    asked = len(demo.web.log)
    done = kyodaku("check", url, "--host-table", str(demo.web.host_table_path), "--lang", lang)
    assert done.stdout.startswith(start), done.stdout + done.stderr
    assert len([entry for entry in demo.web.log[asked:] if entry.path in url]) <= 1


def test_an_image_by_its_address_alone_and_with_its_page(demo: DemoRun) -> None:
    page = "http://usage-header.example/page"
    image = next(image for image, shown_by in rows(demo) if shown_by == page)
    table = ("--host-table", str(demo.web.host_table_path))
    alone = kyodaku("check", image, *table)
    assert alone.stdout.startswith("Yes, a crawl would take this image, going by its address alone")
    shown = kyodaku("check", image, "--page", page, *table)
    assert shown.stdout.startswith("No, a crawl would not take this image: a Content-Usage")
    other = kyodaku("check", image, "--page", "https://museum.example/", *table)
    assert other.stdout.startswith(
        "Yes, a crawl would take this image, but the page named with --page does not"
    )
    museum = ("https://museum.example/media/101.jpg", "--page", "https://museum.example/object/101")
    named = kyodaku("check", *museum, *table)
    assert named.stdout.startswith("Yes, a crawl would take this image: ")


def test_a_page_of_two_minds_is_no_yes_for_programs(demo: DemoRun) -> None:
    table = ("--host-table", str(demo.web.host_table_path))
    found = json.loads(kyodaku("check", "http://usage.example/", "--json", *table).stdout)
    assert (found["outcome"], found["would_be_taken"]) == ("partly", False)
    assert sorted(image["would_be_taken"] for image in found["images"]) == [False, True]


def test_files_are_read_without_a_network(tmp_path: Path) -> None:
    said = {
        "no.jpg": (plus_xmp("DMI-PROHIBITED-GENAIMLTRAINING"), "This file says no to AI training"),
        "yes.jpg": (plus_xmp("DMI-ALLOWED"), "This file permits AI training."),
        "silent.jpg": (b"", "This file says nothing about AI training."),
    }
    for name, (xmp, sentence) in said.items():
        (tmp_path / name).write_bytes(painted(name, size=(64, 48), xmp=xmp).render())
        done = kyodaku("check", "--file", str(tmp_path / name))
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(sentence)
    (tmp_path / "text.jpg").write_text("not a picture")
    assert kyodaku("check", "--file", str(tmp_path / "text.jpg")).returncode == 1
    missing = kyodaku("check", "--file", str(tmp_path / "none.jpg"))
    assert (missing.returncode, len(missing.stderr.splitlines())) == (2, 1)


@pytest.mark.parametrize("url", ["", "ftp://a.example/", "http://127.0.0.1/", "http://[", "nonsense"])
def test_an_address_that_may_not_be_asked_is_an_answer_in_one_sentence(url: str) -> None:
    done = kyodaku("check", url)
    assert "Traceback" not in done.stderr + done.stdout
    assert "No, a crawl would take no image from this page" in done.stdout or done.returncode == 2


@pytest.mark.parametrize(
    ("url", "lang", "cause"),
    [
        ("http://127.0.0.1/", "en", "(127.0.0.1 is not a public address)."),
        ("https://artist.example/", "ja", "（not a public name: artist.example）"),
    ],
)
def test_the_cause_is_told_where_an_address_is_none_of_ours(url: str, lang: str, cause: str) -> None:
    assert kyodaku("check", url, "--lang", lang).stdout.splitlines()[0].endswith(cause)
