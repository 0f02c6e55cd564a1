"""docs/bot.md promises lines that stop us. Each of them is fed to the code that reads it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from kyodaku.recipe import load_recipe
from kyodaku.signals.carriers.embedded import read_embedded
from kyodaku.signals.model import Effect
from kyodaku.signals.protocols import all_protocols
from kyodaku.signals.protocols.directives import NO_BY_POLICY
from kyodaku.signals.tokens import purpose_tokens
from kyodaku.signals.vectors import run_vector
from kyodaku.useragent import user_agent
from tests.tools import need_tool

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/bot.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.M | re.S)

IMAGE = "https://you.example/art/cat.jpg"

#: Kind of block -> the vectors' name of the file, and what to change for it to say no to nobody.
HOST_FILES = {
    "tdmrep": ("tdmrep", "1}", "0}"),
    "aitxt": ("ai_txt", "*.jpg", "*.mp3"),
    "trusttxt": ("trust_txt", "=no", "=yes"),
}


def blocks(kind: str) -> list[str]:
    return [body for name, body in BLOCKS if name == kind]


def ask(inputs: dict[str, object], agent: str = "SomeOperator") -> Effect | None:
    """What the inputs say to a crawl whose operator is `agent`, read as crawls read."""
    return run_vector(
        {
            "id": "docs/bot.md",
            "signal": "combined",
            "input": inputs,
            "url": IMAGE,
            "agent": agent,
            "expect": "reserved",
            "mode": "policy",
        }
    )


def test_every_kind_of_block_is_tested() -> None:
    kinds = {"text", "robots", "html", "http", "xmp", "exiftool", *HOST_FILES, "rsl"}
    assert {kind for kind, _ in BLOCKS} == kinds


@pytest.mark.parametrize("body", blocks("robots"))
def test_robots_lines_stop_us(body: str) -> None:
    assert ask({"robots_status": 200, "robots_body": body}, agent="Kyodaku") is Effect.RESERVED
    others = re.sub(r"User-agent: \S+", "User-agent: Nobody", body)
    assert ask({"robots_status": 200, "robots_body": others}) is Effect.SILENT


@pytest.mark.parametrize(
    ("kind", "body"), [(kind, body) for kind, body in BLOCKS if kind in HOST_FILES], ids=list(HOST_FILES)
)
def test_host_files_stop_us(kind: str, body: str) -> None:
    name, field, free = HOST_FILES[kind]
    assert ask({f"{name}_status": 200, f"{name}_body": body}) is Effect.RESERVED
    assert field in body
    assert ask({f"{name}_status": 200, f"{name}_body": body.replace(field, free)}) is not Effect.RESERVED
    assert ask({f"{name}_status": 404}) is Effect.SILENT


def test_an_rsl_licence_stops_us_by_every_way_of_naming_it() -> None:
    (document,) = blocks("rsl")
    (line,) = re.findall(r"`(License: \S+)`", PAGE)
    (tag,) = re.findall(r"`(<link [^`]+)>`", PAGE)
    url = line.split()[1]
    said = {"rsl_by_url": {url: document}}
    ways: list[dict[str, object]] = [
        {"robots_status": 200, "robots_body": f"{line}\nUser-agent: *\nAllow: /\n"},
        {"headers": f'HTTP/1.1 200 OK\r\nLink: <{url}>; rel="license"; type="application/rsl+xml"\r\n'},
        {"html": f"<html><head>{tag} href='{url}'></head><body><img src='{IMAGE}'></body></html>"},
    ]
    for way in ways:
        assert ask({**way, **said}) is Effect.RESERVED
        assert (
            ask({**way, "rsl_by_url": {url: document.replace("ai-train", "search")}}) is not Effect.RESERVED
        )
        assert ask({**way, "rsl_status": 404, "rsl_url": url}) is Effect.ERROR


def test_the_promised_tokens_count_as_training() -> None:
    (named,) = re.findall(r"^(`Google-Extended`.*?) and their like", PAGE, re.M | re.S)
    tokens = re.findall(r"`([^`]+)`", named)
    assert len(tokens) > 4
    known = {token.lower() for token in purpose_tokens()}
    for token in tokens:
        assert token.lower() in known
        body = f"User-agent: {token}\nDisallow: /\n"
        assert ask({"robots_status": 200, "robots_body": body}) is Effect.RESERVED


@pytest.mark.parametrize("body", blocks("html"))
def test_html_lines_stop_us(body: str) -> None:
    page = f"<html><head>{body}</head><body><img src='{IMAGE}'></body></html>"
    assert ask({"html": page, "page_url": "https://you.example/art/"}) is Effect.RESERVED
    assert ask({"html": page.replace(body, ""), "page_url": "https://you.example/art/"}) is Effect.SILENT


@pytest.mark.parametrize("body", blocks("http"))
def test_header_lines_stop_us(body: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n{body.strip()}\r\n"
    assert ask({"headers": head}) is Effect.RESERVED


def test_the_further_words_are_read_as_a_no() -> None:
    (sentence,) = re.findall(r"^(`noindex`.*?) are read as a no", PAGE, re.M | re.S)
    words = re.findall(r"`([a-z]+)`", sentence)
    assert len(words) > 3
    assert set(words) <= NO_BY_POLICY
    for word in words:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nX-Robots-Tag: {word}\r\n"
        assert ask({"headers": head}) is Effect.RESERVED


@pytest.mark.parametrize("body", blocks("xmp"))
def test_xmp_stops_us(body: str) -> None:
    assert ask({"xmp": body}) is Effect.RESERVED
    assert ask({"xmp": body.replace("DMI-PROHIBITED-AIMLTRAINING", "DMI-UNSPECIFIED")}) is Effect.SILENT


@pytest.mark.parametrize("command", blocks("exiftool"))
def test_the_exiftool_commands_write_a_no_that_we_read(command: str, tmp_path: Path) -> None:
    need_tool("exiftool")
    from PIL import Image

    Image.new("RGB", (64, 48), "teal").save(tmp_path / "cat.jpg")
    (tmp_path / "no.xmp").write_text(blocks("xmp")[0])
    subprocess.run(command, shell=True, cwd=tmp_path, check=True, capture_output=True)
    assert Effect.RESERVED in ask_file((tmp_path / "cat.jpg").read_bytes())
    assert ask_file((tmp_path / "cat.jpg_original").read_bytes()) <= {Effect.SILENT}


def test_words_of_a_profile_stop_us() -> None:
    (tags,) = re.findall(r"^\* Mastodon: (.*?) in the biography", PAGE, re.M)
    for tag in re.findall(r"`(#\w+)`", tags):
        head = (
            '<meta name="generator" content="Mastodon 4.4.0"><meta property="og:type" content="profile">'
            f'<meta name="description" content="I draw foxes. {tag}">'
        )
        page = f"<html><head>{head}</head><body><img src='{IMAGE}'></body></html>"
        assert ask({"html": page, "page_url": "https://you.example/@ink"}) is Effect.RESERVED
    record = {"$type": "org.user-intents.declaration"}
    (fields,) = re.findall(r"`\"allow\": false` for\s+(`\w+` or `\w+`)", PAGE)
    for field in re.findall(r"`(\w+)`", fields):
        intent = {"updatedAt": "2026-02-20T21:37:20.362Z", "allow": False}
        assert ask({"atproto_record": json.dumps({**record, field: intent})}) is Effect.RESERVED


def ask_file(body: bytes) -> set[Effect]:
    """Effects of every protocol that reads files, on these bytes."""
    from datetime import UTC, datetime

    from kyodaku.signals.model import Reading

    reading = Reading("policy", ("Kyodaku",), (), "any", datetime.now(UTC))
    embedded = read_embedded(body, url=IMAGE)
    return {
        signal.effect for protocol in all_protocols() for signal in protocol.read_image(embedded, reading)
    }


def test_the_user_agent_looks_as_shown() -> None:
    (shown,) = blocks("text")
    assert user_agent(load_recipe(ROOT / "datasets/opted-in")) == shown.strip()
