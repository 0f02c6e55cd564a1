"""The audit for site owners: lint, the wish, the merge and its proof."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protego import Protego
from typer.testing import CliRunner

from kyodaku.audit.advice import advise, merged
from kyodaku.audit.contradictions import audit
from kyodaku.audit.findings import TEXTS
from kyodaku.audit.heard import answers, hear, reading
from kyodaku.audit.proof import prove
from kyodaku.audit.robots_reading import lint
from kyodaku.audit.wish import parse_wish
from kyodaku.cli.app import app
from kyodaku.errors import UsageError
from kyodaku.signals.model import Effect
from kyodaku.signals.protocols.robots import PROTOCOL as ROBOTS

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


@pytest.mark.parametrize(
    "old",
    [
        b"Useragent: *\nDisallow: /\n",
        b"User-agent *\nDisallow: /x/\n\nUser-agent: GPTBot\nDisallow: /\n",
        b"\xef\xbb\xbfUser-agent: *\nDisallow: /x/\n",
    ],
)
def test_a_wish_is_said_to_everybody_in_a_group_that_every_parser_sees(old: bytes) -> None:
    new = merged(old, ["Content-Usage: / train-ai=n"])
    assert new.endswith(b"\nUser-agent: *\nDisallow:\nContent-Usage: / train-ai=n\n"), "and opens nothing"


def test_a_wish_beyond_what_every_parser_reads_is_declined() -> None:
    old = b"User-agent: *\nDisallow: /x/\n" + b"# filler\n" * 56_880
    assert len(old) < 500 * 1024
    assert "longer than 500 KiB" in " ".join(_conflicts("no", old))
    assert not _conflicts("no", old[:511_000])


def _printed(folder: Path, robots: bytes, *options: str) -> str:
    (folder / "robots.txt").write_bytes(robots)
    asked = ["signals", "audit", str(folder), "--want", "no", "--origin", ORIGIN, *options]
    return CliRunner().invoke(app, asked).stdout


def test_a_merged_file_is_printed_as_it_has_to_be_saved(tmp_path: Path) -> None:
    out = _printed(tmp_path, b"\xef\xbb\xbfUser-agent: *\r\nDisallow:\t/x/ \\\r\n\r\n")
    assert "--- /robots.txt\nUser-agent: *\nDisallow:\t/x/ \\\nContent-Usage: / train-ai=n\n" in out


@pytest.mark.parametrize("old", [b"Disallow: /caf\xe9/\n", b"Disallow: /a\xe2\x80\xa8/\n", b"# \x1b[2J\n"])
@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", "Cannot be said: /robots.txt: the file is no UTF-8"),
        ("ja", "表現できません: /robots.txt: UTF-8 でないか"),
    ],
)
def test_a_file_that_cannot_be_printed_whole_is_declined(
    tmp_path: Path, old: bytes, lang: str, said: str
) -> None:
    out = _printed(tmp_path, b"User-agent: *\n" + old, "--lang", lang)
    assert said in out
    assert "---" not in out


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
        ("User-agent: *\nDisallow: /a\u2028Allow: /\n".encode(), "odd-line-end"),
        ("User-agent: *\n# a note\u0085Disallow: /\n".encode(), "odd-line-end"),
        (b"User-agent: Google\nDisallow: /\n", "prefix-agent"),
    ],
)
def test_lint(body: bytes, kind: str) -> None:
    assert kind in {finding.kind for finding in lint(body, NOW)}
    assert lint(b"User-agent: *\nDisallow: /x/\n", NOW) == []


def test_what_is_said_already_is_not_said_again() -> None:
    wish = parse_wish("yes:/open/ no:/loans/")
    files = {"/robots.txt": b"User-agent: GPTBot\nDisallow: /private/\n\nUser-agent: *\nAllow: /\n"}
    files |= advise(wish, ORIGIN, files).files
    assert files["/robots.txt"].count(b"Content-Usage: /loans/ train-ai=n") == 2, "once a group"
    again = advise(wish, ORIGIN, files)
    assert again.files == {}
    assert prove(wish, again, ORIGIN, files, NOW) == []


def test_of_a_line_without_a_colon_one_thing_is_said() -> None:
    kinds = [(f.line, f.kind) for f in lint(b"User-Agent GPTBot\nDisallow: /\n\nUser-agent: *\nstop\n", NOW)]
    assert [kind for kind in kinds if kind[0] == 1] == [(1, "malformed")]
    assert [kind for kind in kinds if kind[0] == 5] == [(5, "no-colon")]


def test_a_byte_order_mark_before_a_comment_is_no_line() -> None:
    (finding,) = lint(b"\xef\xbb\xbf# mine\nUser-agent: *\nDisallow: /\n", NOW)
    assert finding.kind == "byte-order-mark"


@pytest.mark.parametrize(
    "body",
    [
        b"User-agent: Google\nUser-agent: Google-Extended\nUser-agent: *\nDisallow: /\n",
        b"User-agent: Google\nUser-agent: *\nDisallow: /\n",  # both readings come to the same
        b"User-agent: Google-Extended\nDisallow: /\n",
    ],
)
def test_a_name_that_misleads_nobody_is_no_finding(body: bytes) -> None:
    assert "prefix-agent" not in {finding.kind for finding in lint(body, NOW)}


def test_protego_does_what_the_prefix_finding_says() -> None:
    robots = Protego.parse("User-agent: Google\nDisallow: /\n")
    assert not robots.can_fetch(f"{ORIGIN}/a.jpg", "Google-Extended")
    file = answers(ORIGIN, {"/robots.txt": b"User-agent: Google\nDisallow: /\n"}, NOW)["/robots.txt"]
    how = reading("spec", "Google-Extended", NOW)
    assert ROBOTS.read_host_file("/robots.txt", file, f"{ORIGIN}/a.jpg", how) == []


def test_a_contradiction_names_both_lines_once() -> None:
    robots = b"# top\nUser-agent: *\nContent-Usage: train-ai=y\nDisallow: /a/\nContent-Signal: ai-train=no\n"
    found = [finding for finding in audit(ORIGIN, {"/robots.txt": robots}, NOW) if finding.level != "note"]
    assert (found[0].kind, found[0].where) == ("contradiction", "/image.jpg")
    assert "/robots.txt:3: Content-Usage: train-ai=y" in found[0].quote
    assert "/robots.txt:5: Content-Signal: ai-train=no" in found[0].quote
    assert len({finding.quote for finding in found}) == len(found)


def test_a_line_that_stands_twice_has_no_number_and_one_of_other_files_has() -> None:
    once = {"/trust.txt": b"# here\r\ndatatrainingallowed=no\r\n"}
    twice = {"/trust.txt": once["/trust.txt"] * 2}
    assert [f.line for f in audit(ORIGIN, once, NOW) if f.kind == "says-no"] == [2]
    assert [f.line for f in audit(ORIGIN, twice, NOW) if f.kind == "says-no"] == [0]


FOLDERS = st.lists(st.from_regex(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,5}", fullmatch=True), max_size=3).map(
    lambda parts: "/" + "".join(f"{part}/" for part in parts)
)


@given(st.dictionaries(FOLDERS, st.booleans(), min_size=1, max_size=6), st.text(max_size=12), st.randoms())
def test_a_wish_that_is_written_is_the_wish_that_is_read(
    rules: dict[str, bool], name: str, order: Any
) -> None:
    name = "".join(char for char in name if char.isprintable()).strip()
    words = [f"{'yes' if yes else 'no'}:{folder}" for folder, yes in rules.items()]
    words = [word.removesuffix(":/") if order.random() < 0.5 else word for word in words]
    words += [f"credit:{shlex.quote(name)}"] if name else []
    order.shuffle(words)
    wish = parse_wish(" ".join(words))
    assert dict(wish.rules) == rules
    assert wish.credit == name
    for folder in rules:  # the longest folder above an address decides
        path = f"{folder}a.jpg"
        above = max((f for f in rules if path.startswith(f)), key=len)
        assert wish.answer(path) is rules[above]
    assert wish.answer("/zzzzzzzzzz/a.jpg") is rules.get("/")


@given(st.text(alphabet="yesno:/ 'credit.*-a\\\n", max_size=40) | st.text(max_size=40))
def test_any_text_is_a_wish_or_is_declined(text: str) -> None:
    try:
        wish = parse_wish(text)
    except UsageError:
        return
    assert wish.rules
    assert all(folder.startswith("/") and folder.endswith("/") for folder, _ in wish.rules)
    assert len({folder for folder, _ in wish.rules}) == len(wish.rules)


def test_every_finding_speaks_japanese() -> None:
    assert all(any(ord(c) > 0x3000 for c in ja) for _, _, ja in TEXTS.values())


def test_the_command_prints_proved_texts_and_declines_a_lie(tmp_path: Path) -> None:
    (tmp_path / "robots.txt").write_text("User-agent: *\nDisallow: /private/\n")
    args = ["signals", "audit", str(tmp_path), "--origin", ORIGIN, "--json", "--want"]
    done = CliRunner().invoke(app, [*args, "no"])
    assert done.exit_code == 0, done.output
    assert "Content-Usage: / train-ai=n" in json.loads(done.output)["files"]["/robots.txt"]
    in_japanese = CliRunner().invoke(app, [arg for arg in args if arg != "--json"] + ["no", "--lang", "ja"])
    assert "重大度" in in_japanese.output
    assert "/ 以下のヘッダー" in in_japanese.output
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
