"""The audit for site owners: lint, the wish, the merge and its proof."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from kyodaku.audit.advice import advise, merged
from kyodaku.audit.findings import TEXTS
from kyodaku.audit.heard import answers, hear, reading
from kyodaku.audit.proof import prove
from kyodaku.audit.robots_reading import lint
from kyodaku.audit.wish import parse_wish
from kyodaku.cli.app import app
from kyodaku.errors import UsageError
from kyodaku.signals.model import Effect

ORIGIN = "https://museum.example"
NOW = 1_790_000_000.0
LINES = st.sampled_from(
    ["User-agent: *", "User-agent: GPTBot", "Disallow: /", "Disallow: /open/x/", "Allow: /open/", "",
     "Content-Usage: train-ai=n", "Sitemap: https://museum.example/s", "# note", "Disallow-AI: /", "odd"]
)  # fmt: skip
FILES = st.builds(
    lambda lines, end, last: (end.join(lines) + (end if last else "")).encode(),
    st.lists(LINES, max_size=8),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)


def _conflicts(wish: str, robots: bytes) -> list[str]:
    existing = {"/robots.txt": robots} if robots else {}
    asked = parse_wish(wish)
    return [c.line for c in prove(asked, advise(asked, ORIGIN, existing), ORIGIN, existing, NOW)]


@given(FILES)
def test_merging_keeps_every_line_of_the_owner(old: bytes) -> None:
    rest = iter(merged(old, ["Content-Usage: / train-ai=n"]).splitlines())
    assert all(line in rest for line in old.splitlines())


@settings(max_examples=25, deadline=None)
@given(FILES)
def test_a_yes_is_never_proved_over_a_refusal_of_everybody(old: bytes) -> None:
    assert _conflicts("yes", b"User-agent: *\nDisallow: /\n" + old)


@pytest.mark.parametrize(
    "wish", ["no", "yes", "yes:/open/ no:/loans/ credit:'Museum X'", "no yes:/open/", "yes no:/loans/"]
)
def test_a_wish_without_files_is_proved(wish: str) -> None:
    assert _conflicts(wish, b"") == []


@pytest.mark.parametrize(
    ("wish", "robots", "line"),
    [
        ("yes:/open/", b"User-agent: *\nDisallow: /\n", "Disallow: /"),
        ("yes", b"User-agent: *\nAllow: /\nLicense: https://other.example/rsl.xml\n", "other.example"),
        ("yes:/open/", b"User-agent: *\nDisallow: /open/x/\n", "Disallow: /open/x/"),
        ("no", b"User-agent: *\nAllow: /\nContent-Usage: /b/ train-ai=y\n", "Content-Usage: /b/ train-ai=y"),
    ],
)
def test_a_conflict_names_the_line(wish: str, robots: bytes, line: str) -> None:
    assert any(line in said for said in _conflicts(wish, robots))


@pytest.mark.parametrize("text", ["", "maybe", "yes:open", "yes no", "credit:'X'", "yes:/a/*", "no 'x"])
def test_a_wish_that_is_not_understood_is_declined(text: str) -> None:
    with pytest.raises(UsageError):
        parse_wish(text)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"User-agent: a\nContent-Signal: x\nUser-agent: b\nDisallow: /\n", "between-agents"),
        (b"User-agent: a\nContent-Signal: x\nUser-agent: b\nDisallow: /\n", "protego-differs"),
        (b"User-agent: *\nDisallow-AI: /\n", "unknown-record"),
        (b"User-agent: GPTBot\nDisallow: /\n", "only-named"),
        (b"Disallow: /\n", "outside-group"),
        (b"\xef\xbb\xbfUser-agent: *\nDisallow: /\n", "byte-order-mark"),
        (b"<html>", "not-robots"),
        (b"User-agent: foo/1.0\nDisallow: /\n", "agent-not-token"),
    ],
)
def test_lint(body: bytes, kind: str) -> None:
    assert kind in {finding.kind for finding in lint(body, NOW)}
    assert lint(b"User-agent: *\nDisallow: /x/\n", NOW) == []


def test_every_finding_speaks_japanese() -> None:
    assert all(any(ord(c) > 0x3000 for c in ja) for _, _, ja in TEXTS.values())


def test_the_command_prints_proved_texts_and_declines_a_lie(tmp_path: Path) -> None:
    (tmp_path / "robots.txt").write_text("User-agent: *\nDisallow: /private/\n")
    args = ["signals", "audit", str(tmp_path), "--origin", ORIGIN, "--json", "--want"]
    done = CliRunner().invoke(app, [*args, "no"])
    assert done.exit_code == 0, done.output
    assert "Content-Usage: / train-ai=n" in json.loads(done.output)["files"]["/robots.txt"]
    declined = CliRunner().invoke(app, [*args, "yes"])
    assert declined.exit_code == 1
    assert "files" not in json.loads(declined.output)


@settings(max_examples=40, deadline=None)
@given(FILES, st.sampled_from(["no", "yes", "yes:/open/ no:/loans/", "no yes:/open/"]))
def test_what_is_proved_is_heard_and_the_rest_is_declined(old: bytes, text: str) -> None:
    wish = parse_wish(text)
    existing = {"/robots.txt": old}
    advice = advise(wish, ORIGIN, existing)
    if prove(wish, advice, ORIGIN, existing, NOW):
        return
    files = answers(ORIGIN, {**existing, **advice.files}, NOW)
    for folder, yes in wish.rules:
        url = f"{ORIGIN}{folder}new.jpg"
        effects = {s.effect for s in hear(ORIGIN, url, files, reading("policy", "kyodaku", NOW))}
        assert effects - {Effect.SILENT} == {Effect.PERMITTED if yes else Effect.RESERVED}
