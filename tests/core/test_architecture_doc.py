"""docs/architecture.md names tests that exist, modules that exist, and the rooms as they are."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOC = (ROOT / "docs" / "architecture.md").read_text("utf-8")
TESTS = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", DOC)


def test_the_threat_table_is_read() -> None:
    assert len(TESTS) > 20
    threats = DOC.partition("## Threats")[2].partition("##")[0]
    rows = [line for line in threats.splitlines() if line.startswith("| ") and "::" in line]
    assert len(rows) == threats.count("\n| ") - 1, "every threat names its test"


@pytest.mark.parametrize(("file", "name"), TESTS)
def test_every_named_test_exists(file: str, name: str) -> None:
    assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE)


def test_named_modules_exist() -> None:
    layers = DOC.partition("## Rooms")[2].partition("## Words")[0]
    named = re.findall(r"^\| `([\w/]+(?:\.py|/))` \|", layers, re.MULTILINE)
    assert len(named) >= 10
    for name in named:
        assert (ROOT / name).exists() or (ROOT / "kyodaku" / name).exists(), name


def test_links_and_drawing() -> None:
    for target in re.findall(r"\]\(([\w.]+)\)", DOC):
        assert (ROOT / "docs" / target).is_file(), target
    drawing = ElementTree.parse(ROOT / "docs" / "architecture.svg").getroot()
    assert drawing.find("{http://www.w3.org/2000/svg}title") is not None
