"""Colours of the reports: text can be read on every ground it stands on, by day and by night."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import kyodaku.report

CSS = (Path(kyodaku.report.__file__).parent / "page.css").read_text("utf-8")
SCHEMES = dict(zip(("light", "dark"), re.findall(r":root \{(.*?)\}", CSS, re.DOTALL), strict=True))
#: WCAG 2.2, 1.4.3 (AA): 4.5 for text; 1.4.11: 3 for what only has a shape.
TEXT, SHAPE = 4.5, 3.0
PAIRS = [
    *((ink, ground, TEXT) for ink in ("ink", "soft", "accent") for ground in ("paper", "card")),
    *((state, "card", TEXT) for state in ("kept", "refused", "held")),
    ("ink", "quote", TEXT),
    ("soft", "track", TEXT),
    ("paper", "accent", TEXT),
    *((kind, "card", SHAPE) for kind in ("aside", "dup", "failed")),
]


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2) of #rrggbb."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_contrast(scheme: str, front: str, back: str, least: float) -> None:
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", SCHEMES[scheme]))
    light, dark = sorted((luminance(colours[front]), luminance(colours[back])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= least


def test_every_colour_stands_in_both_schemes() -> None:
    names = [set(re.findall(r"--(\w+):", block)) for block in SCHEMES.values()]
    assert names[0] == names[1]
    used = set(re.findall(r"var\(--(\w+)\)", CSS))
    assert used == names[0]


def test_nothing_is_loaded() -> None:
    assert "url(" not in CSS
    assert "@import" not in CSS
