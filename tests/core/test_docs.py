"""The pages say what the code does: reasons, commands, links, settings of the environment."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kyodaku.reasons import REASONS_OF_OUTCOME
from kyodaku.reasons_doc import reasons_text
from kyodaku.signals.protocols import all_protocols
from kyodaku.signals_doc import signals_text
from tests.core.test_layout import tracked

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "datasets").glob("*/*.md")])


def test_the_reasons_page_is_the_enums() -> None:
    page = (ROOT / "docs/reasons.md").read_text("utf-8")
    assert page == reasons_text(), "run: python -m kyodaku.reasons_doc > docs/reasons.md"
    for outcome, reasons in REASONS_OF_OUTCOME.items():
        assert f"## {outcome.value}\n" in page
        for reason in reasons:
            assert f"| `{reason.value}` | {reason.text} |" in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_named_files_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), target
    for name in re.findall(
        r"`((?:kyodaku|crawler|curation|tests|docs|datasets|constraints|benchmarks)/[\w./-]*(?:\.[a-z]+|/))`",
        text,
    ):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_lines_end_where_an_editor_ends(page: Path) -> None:
    text = page.read_text("utf-8")
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert not re.search(r"[ \t]+$", text, re.M)


def test_make_targets_that_pages_name_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.M))
    for page in PAGES:
        for target in re.findall(r"`make ([a-z-]+)", page.read_text("utf-8")):
            assert target in targets, f"{page.name}: make {target}"


def test_every_environment_variable_is_documented() -> None:
    pages = "".join(page.read_text("utf-8") for page in PAGES) + (ROOT / "Makefile").read_text("utf-8")
    pages += (ROOT / ".ci/run").read_text("utf-8")
    used = {
        name
        for path in tracked("*.py")
        for name in re.findall(r"environ(?:\.get\(|\[)[\"'](KYODAKU_\w+)", path.read_text("utf-8"))
    }
    assert used
    assert not [name for name in used if name not in pages]


def test_signals_are_the_protocols() -> None:
    page = (ROOT / "docs/signals.md").read_text("utf-8")
    assert page == signals_text(), "run: python -m kyodaku.signals_doc > docs/signals.md"
    for protocol in all_protocols():
        about = protocol.about
        assert all((about.where, about.scope, about.status, about.spec, about.policy)), protocol.name
        assert page.count(f"| `{protocol.name}` |") == 2
