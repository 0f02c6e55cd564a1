"""Words of the reports: complete in both languages, and harmless whatever they hold."""

from __future__ import annotations

import ast
import re
import unicodedata
from html import unescape
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st
from lxml import html as lxml_html

import kyodaku.report
from kyodaku.reasons import REASONS_OF_OUTCOME, HoldReason
from kyodaku.report import findings, texts
from kyodaku.report.html import japanese, link, say, tag, text
from kyodaku.report.plaintext import linkable, plain, short_url

FOLDER = Path(kyodaku.report.__file__).parent
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=200)


def said() -> set[str]:
    """Every text of ours: the literals that `say` is called with, and the tables of texts.py."""
    found = {
        *texts._GATES.values(),
        *texts._OUTCOMES.values(),
        *texts._STEPS.values(),
        *texts._STATES.values(),
        *texts._PURPOSES.values(),
        *findings._ANNOTATORS.values(),
        *findings._STATUSES.values(),
        *findings._WORDS,
    }
    for path in [*FOLDER.glob("*.py"), *(FOLDER.parents[1] / "curation").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say":
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    found.add(first.value)
    return found


def test_every_text_is_translated_and_none_is_left_over() -> None:
    assert set(japanese().texts) == said()


def test_every_reason_is_translated() -> None:
    wanted = {
        outcome.value: {reason.value for reason in enum} for outcome, enum in REASONS_OF_OUTCOME.items()
    }
    assert {outcome: set(reasons) for outcome, reasons in japanese().reasons.items()} == wanted


def test_every_hold_has_a_next_step() -> None:
    assert set(texts.NEXT_STEPS) == set(HoldReason)
    assert set(japanese().next_steps) == {reason.value for reason in HoldReason}


def test_translations_keep_their_placeholders() -> None:
    for english, other in japanese().texts.items():
        fields = [sorted(re.findall(r"\{\w+\}", text)) for text in (english, other)]
        assert fields[0] == fields[1], english


@given(ANY_TEXT)
@example("\u202egpj.exe")
@example("\x1b[31mred\x07")
@example("\ud800")
def test_plain_text_has_nothing_hidden(value: str) -> None:
    for character in plain(value):
        hidden = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        assert not hidden or character in "\u200c\u200d"
    assert len(plain(value, 20)) <= 20
    plain(value).encode("utf-8")


@given(ANY_TEXT)
@example("</span><script>alert(1)</script>")
@example('" onmouseover="alert(1)')
def test_any_text_stays_text(value: str) -> None:
    assert unescape(text(value)) == plain(value)
    made = lxml_html.fromstring(tag("p", value, title=plain(value)))
    assert made.tag == "p"
    assert len(made) == 0
    assert set(made.attrib) == {"title"}
    filled = lxml_html.fromstring(tag("div", say("run {name}", name=value)))
    assert [child.tag for child in filled] == ["span", "span"]


@given(ANY_TEXT)
@example("javascript:alert(1)")
@example("HTTPS://x.example/\u202e")
@example("http://[::1")
def test_only_plain_web_addresses_are_linked(value: str) -> None:
    made = lxml_html.fromstring(tag("div", link(value)))[0]
    assert (made.tag == "a") == linkable(value)
    if linkable(value):
        assert value.lower().startswith(("http://", "https://"))


def test_long_addresses_keep_head_and_tail() -> None:
    shown = short_url("https://long.example/" + "a" * 500 + "/end.jpg")
    assert len(shown) <= 90
    assert shown.startswith("https://long.example/")
    assert shown.endswith("/end.jpg")
