"""URL lists and sitemaps: what enters the frontier, and what only after its page was asked."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.answers import sitemaps
from crawler.answers.seeds import ListRow, enter_list, read_list
from crawler.answers.sitemaps import Entry, parse_sitemap
from kyodaku.errors import UsageError
from tests.crawler.scripted import Page, Scripted, html, png, recipe, text

OPEN = text("User-agent: *\nDisallow:\n")
ROWS = [
    {"url": "http://a.example/1.png", "caption": "one", "page_url": "http://a.example/open"},
    {"url": "http://a.example/2.png", "caption": "", "page_url": "http://a.example/noai"},
    {"url": "http://a.example/3.png", "caption": "三", "page_url": ""},
]


def listed(path: Path) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    elif path.suffix == ".csv":
        lines = [",".join(ROWS[0]), *(",".join(row.values()) for row in ROWS)]
        path.write_text("\n".join(lines), "utf-8")
    else:
        path.write_text("\n".join(json.dumps(row) for row in ROWS), "utf-8")
    return path


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_a_list_reads_the_same_in_every_format(tmp_path: Path, suffix: str) -> None:
    rows = list(read_list(listed(tmp_path / f"list.{suffix}")))
    assert rows == [ListRow(row["url"], row["caption"], row["page_url"]) for row in ROWS]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("l.txt", "x"),
        ("l.csv", "link\nx"),
        ("l.jsonl", "{"),
        ("l.jsonl", "[1]"),
        ("l.parquet", "no"),
        ("l.csv", None),
    ],
)
def test_what_is_no_list_is_said_so(tmp_path: Path, name: str, content: str | None) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(UsageError):
        list(read_list(tmp_path / name))


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet", "empty.csv", "empty.parquet"])
def test_a_list_without_urls_names_what_it_found_and_what_it_wants(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"list.{suffix}"
    rows = [] if suffix.startswith("empty") else [{"link": "http://a.example/", "caption": "one"}]
    if suffix.endswith("parquet"):
        schema = pa.schema([("link", pa.string()), ("caption", pa.string())])
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    elif suffix.endswith("csv"):
        path.write_text("\n".join(["link,caption", *(",".join(row.values()) for row in rows)]))
    else:
        path.write_text("\n".join(json.dumps(row) for row in rows))
    with pytest.raises(UsageError) as caught:
        next(read_list(path), None)
    found = "no column named url; columns found: link, caption"
    assert str(caught.value) == f"{path}: {found}; wanted: url, and perhaps caption and page_url"


def web() -> dict[str, Page]:
    return {
        "http://a.example/robots.txt": OPEN,
        "http://a.example/open": html('<img src="/other.png"><a href="/elsewhere">x</a>'),
        "http://a.example/noai": html('<meta name="robots" content="noai">'),
        **{f"http://a.example/{n}.png": png(n) for n in (1, 2, 3)},
    }


def test_the_page_of_a_listed_image_is_asked_first(tmp_path: Path) -> None:
    path = listed(tmp_path / "list.jsonl")
    crawl = Scripted(tmp_path / "run", recipe(seeds={"sites": [], "url_lists": [str(path)]}), web())
    assert list(enter_list(crawl.crawl, path)) == [3]
    assert list(enter_list(crawl.crawl, path)) == []  # a restart enters nothing twice
    crawl.run()
    asked = crawl.urls()
    assert asked.index("http://a.example/open") < asked.index("http://a.example/1.png")
    assert "http://a.example/2.png" not in asked
    assert "http://a.example/other.png" not in asked
    assert "http://a.example/elsewhere" not in asked
    found = crawl.candidates()
    assert found["http://a.example/1.png"].caption == "one"
    assert found["http://a.example/2.png"].gate_reason == "meta_robots"
    assert found["http://a.example/3.png"].page_url == ""
    assert found["http://a.example/3.png"].gate_verdict == "proceed"


def test_a_list_that_comes_late_asks_the_page_again(tmp_path: Path) -> None:
    path = listed(tmp_path / "list.jsonl")
    crawl = Scripted(tmp_path / "run", recipe(seeds={"sites": ["http://a.example/open"]}), web())
    crawl.run()
    list(enter_list(crawl.crawl, path))
    crawl.run()
    assert crawl.urls().count("http://a.example/open") == 2
    assert crawl.candidates()["http://a.example/1.png"].gate_verdict == "proceed"


def test_robots_names_sitemaps_and_their_images_wait_for_the_page(tmp_path: Path) -> None:
    index = (
        '<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        "<sitemap><loc>http://a.example/pages.xml.gz</loc></sitemap></sitemapindex>"
    )
    pages = (
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        ' xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">'
        "<url><loc>http://a.example/open</loc><image:image><image:loc>http://a.example/1.png</image:loc>"
        "<image:caption>from the sitemap</image:caption></image:image></url>"
        "<url><loc>http://elsewhere.example/</loc></url></urlset>"
    )
    site = web() | {
        "http://a.example/robots.txt": text("Sitemap: http://a.example/index.xml\n"),
        "http://a.example/index.xml": Page(index.encode(), headers=(("Content-Type", "text/xml"),)),
        "http://a.example/pages.xml.gz": Page(gzip.compress(pages.encode())),
        "http://a.example/": html("home"),
    }
    crawl = Scripted(tmp_path, recipe(), site)
    crawl.run()
    asked = crawl.urls()
    assert asked.index("http://a.example/open") < asked.index("http://a.example/1.png")
    assert "http://elsewhere.example/" not in asked
    assert crawl.candidates()["http://a.example/1.png"].caption == "from the sitemap"


def test_a_gzip_bomb_is_read_up_to_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemaps, "MAX_BYTES", 10_000)
    body = "<urlset>" + "".join(f"<url><loc>http://a.example/{n}</loc></url>" for n in range(100_000))
    entries = list(parse_sitemap(gzip.compress(body.encode())))
    assert 0 < len(entries) < 400


def test_entities_are_not_expanded() -> None:
    body = b'<!DOCTYPE x [<!ENTITY a "http://a.example/">]><urlset><url><loc>&a;</loc></url></urlset>'
    assert list(parse_sitemap(body)) == []


def test_a_text_sitemap_is_a_list_of_urls() -> None:
    assert list(parse_sitemap(b"http://a.example/1\r\nnonsense\nhttp://a.example/2\n")) == [
        Entry("http://a.example/1", False),
        Entry("http://a.example/2", False),
    ]


@given(st.binary(max_size=2000))
def test_no_bytes_make_the_parser_raise(body: bytes) -> None:
    list(parse_sitemap(body))
    list(parse_sitemap(b"<urlset>" + body))
    list(parse_sitemap(b"\x1f\x8b" + body))
