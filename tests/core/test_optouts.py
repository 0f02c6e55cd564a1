"""Opt-out files: what they list is refused at the gates and in decisions; a bad line refuses the file."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kyodaku.decision import Policy, decide
from kyodaku.errors import UsageError
from kyodaku.gate import GateVerdict
from kyodaku.optouts import load_optouts
from kyodaku.permission import Permission
from kyodaku.reasons import RefuseReason, Verdict
from kyodaku.recipe import read_recipe
from kyodaku.records import Candidate
from kyodaku.registry_client import RegistrySnapshot, load_registries
from kyodaku.signals.model import Hop
from tests.core.test_permission import IMAGE, NOW, Web, open_web, rules

BODY = open_web().answers[IMAGE].body
PICTURE = sha256(BODY).hexdigest()
LINES = (
    "# what must stay out\n\n"
    '{"url": "https://one.example.org/cat.jpg", "note": "asked by mail"}\n'
    '{"prefix": "https://two.example.org/art/"}\n'
    '{"domain": "three.example.org"}\n'
    f'{{"sha256": "{PICTURE}"}}\n'
)
POLICY = Policy("not-opted-out", frozenset(), frozenset(), frozenset())


@pytest.fixture
def snapshot(tmp_path: Path) -> RegistrySnapshot:
    (tmp_path / "optouts.jsonl").write_text(LINES)
    found = load_optouts([tmp_path / "optouts.jsonl"])
    return RegistrySnapshot("files", found.count, found.digest, found)


@pytest.mark.parametrize(
    "url",
    [
        "https://one.example.org/cat.jpg",
        "http://one.example.org/cat.jpg",
        "https://www.one.example.org/cat.jpg?w=200",
        "https://ONE.example.org:443/cat.jpg#x",
        "https://two.example.org/art/2024/1.png",
        "https://three.example.org/",
        "https://cdn.three.example.org/a/b.jpg?x=y",
    ],
)
def test_what_is_listed_is_refused_before_anything_is_asked(snapshot: RegistrySnapshot, url: str) -> None:
    result = Permission(rules(), snapshot, lambda: NOW).g0(url)
    assert (result.verdict, result.reason) == (GateVerdict.REFUSE, RefuseReason.REGISTRY_OPT_OUT.value)
    assert result.signals[0].rule.startswith("registry:optouts.jsonl:L")


@pytest.mark.parametrize(
    "url",
    [
        "https://one.example.org/cat.jpeg",
        "https://two.example.org/artist.jpg",
        "https://notthree.example.org/",
        "https://example.org/",
    ],
)
def test_what_is_not_listed_is_not(snapshot: RegistrySnapshot, url: str) -> None:
    assert Permission(rules(), snapshot, lambda: NOW).g0(url).open


def test_exact_bytes_are_refused_wherever_they_lie(snapshot: RegistrySnapshot) -> None:
    web: Web = open_web()
    web.answers[IMAGE] = replace(web.answers[IMAGE], body=BODY)
    judged = web.walk(Permission(rules(), snapshot, lambda: NOW), IMAGE)
    assert (judged.last.gate, judged.last.reason) == ("g5", RefuseReason.REGISTRY_OPT_OUT.value)


def test_a_later_opt_out_works_backwards_over_every_address_of_the_way(snapshot: RegistrySnapshot) -> None:
    row = Candidate("c", "https://open.example.org/a.jpg", "https://open.example.org/", "open.example.org")
    row.gate, row.gate_verdict, row.gate_reason, row.sha256 = "g5", "proceed", "", "0" * 64
    assert decide(row, POLICY, RegistrySnapshot()).verdict is Verdict.ALLOW
    assert decide(row, POLICY, snapshot).verdict is Verdict.ALLOW
    row.hops = (Hop("https://three.example.org/r", 302),)
    assert decide(row, POLICY, snapshot).reason is RefuseReason.REGISTRY_OPT_OUT


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "[]",
        "nonsense",
        '{"url": "https://a.example.org/", "domain": "a.example.org"}',
        '{"url": 5}',
        '{"url": "not an address"}',
        '{"domain": "a b"}',
        '{"sha256": "abc"}',
        '{"uri": "https://a.example.org/"}',
        '{"domain": "a.example.org", "domain": "b.example.org"}',
        '{"url": "https://a.example.org/1", "url": "https://a.example.org/2"}',
        '{"prefix": "https://a.example.org/*"}',
    ],
)
def test_a_line_that_cannot_be_read_refuses_the_file_and_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "o.jsonl").write_text(LINES + line + "\n")
    with pytest.raises(UsageError, match=r"o\.jsonl, line 7: "):
        load_optouts([tmp_path / "o.jsonl"])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_comment_hides_no_line_whatever_ends_it(tmp_path: Path, end: str) -> None:
    (tmp_path / "o.jsonl").write_bytes(f'# list{end}{{"domain": "a.example.org"}}{end}'.encode())
    assert load_optouts([tmp_path / "o.jsonl"]).about_url("https://a.example.org/x.jpg")


def cut_line(count: int, **more: object) -> str:
    return json.dumps({"pdq_cuts": [f"{number:064x}" for number in range(count)], **more})


def test_hashes_of_cuts_stand_apart_from_those_of_whole_pictures(tmp_path: Path) -> None:
    path = tmp_path / "o.jsonl"
    path.write_text(
        cut_line(128, pdq="f" * 64, pdq_quality=90) + "\n" + cut_line(2, sha256="a" * 64, pdq_quality=9)
    )
    read = load_optouts([path])
    assert (set(read.near), len(read.near_cuts), read.count) == ({"f" * 64}, 128, 2)
    for wrong in (cut_line(129, pdq_quality=90), cut_line(1), cut_line(1, pdq_quality=9)):
        path.write_text(wrong)
        with pytest.raises(UsageError, match="line 1"):
            load_optouts([path])


def test_a_missing_file_is_an_error_of_the_recipe(tmp_path: Path) -> None:
    text = (
        'version = 1\nname = "r"\n[operator]\ncrawler = "SmallBot"\ncontact = "https://small.org/bot"\n'
        '[seeds]\nsites = ["https://museum.org/"]\n[registries]\nfiles = ["gone.jsonl"]\n'
        '[permission]\nbasis = "public-domain"\n'
    )
    with pytest.raises(UsageError, match="cannot be read"):
        load_registries(read_recipe(text, ""), tmp_path / "recipe.toml")


@given(st.text(max_size=60), st.text(max_size=60))
@example("\u00a1\r", "")
@example("x\u2003", "")
@example("x\u00a0", "")
def test_no_text_raises_and_every_listed_address_is_found(value: str, other: str) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = Path(folder) / "o.jsonl"
        path.write_text(json.dumps({"url": f"https://a.example.org/{value}"}) + "\n")
        try:
            found = load_optouts([path])
        except UsageError:
            return
        assert found.about_url(f"https://a.example.org/{value}")
        found.about_url(other)
