"""Both reports in a real browser: desktop and phone, English and Japanese, light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest

from kyodaku.report import private, public
from tests.browser.chromium import look
from tests.core.report_fixture import build
from tests.tools import need_tool

OPEN_ALL = "for (const part of document.querySelectorAll('details')) part.open = true; 1"
WIDTH = "document.documentElement.scrollWidth"
SORT = "document.querySelectorAll('.hosts th button')[11].click(); 1"
COLUMN = (
    "[...document.querySelectorAll('.hosts tbody tr')].map((row) => Number(row.cells[11].textContent)).join()"
)
JAPANESE = "document.getElementById('lang-ja').click(); document.documentElement.lang"
SIDEWAYS = (
    "[...document.querySelectorAll('.scroll')]"
    ".filter((box) => box.scrollWidth > box.clientWidth).map((box) => box.ariaLabel).join()"
)
BROKEN = "[...document.images].filter((image) => !image.complete || !image.naturalWidth).length"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = build(tmp_path_factory.mktemp("browser"))
    return {
        "private": private.write_report(made.run, made.recipe),
        "public": public.write_report(made.release, made.run, made.recipe),
    }


@pytest.mark.parametrize(
    ("name", "width", "language", "dark"),
    [
        ("private", 1280, "en", False),
        ("private", 1280, "ja", False),
        ("private", 390, "ja", True),
        ("private", 390, "en", False),
        ("public", 1280, "ja", True),
        ("public", 390, "en", False),
    ],
)
def test_report_fits_and_asks_nobody(
    pages: dict[str, Path], tmp_path: Path, name: str, width: int, language: str, dark: bool
) -> None:
    shot = tmp_path / f"{name}-{language}-{width}.png"
    page = f"{pages[name].as_uri()}#{language}"
    seen = look(
        need_tool("chromium"),
        tmp_path / "profile",
        page,
        width,
        shot,
        dark=dark,
        scripts=(OPEN_ALL, WIDTH, BROKEN, SIDEWAYS),
    )
    assert not seen.problems
    assert [url for url in seen.requests if not url.startswith("data:")] == [page.partition("#")[0]]
    assert seen.page_width <= seen.screen_width <= width
    assert seen.values[WIDTH] <= seen.screen_width, "opened details must not widen the page"
    assert seen.values[BROKEN] == 0
    tables = seen.values[SIDEWAYS]
    assert tables == ("Hosts / ホスト" if width == 390 and name == "private" else ""), "scrolls sideways"
    english, japanese = "From found to released", "発見から公開まで"
    assert (english in seen.text, japanese in seen.text) == (language == "en", language == "ja")
    assert shot.read_bytes().startswith(b"\x89PNG")


def test_language_switch_and_sorting(pages: dict[str, Path], tmp_path: Path) -> None:
    page = f"{pages['private'].as_uri()}#en"
    seen = look(
        need_tool("chromium"),
        tmp_path / "profile",
        page,
        1280,
        scripts=(SORT, COLUMN, JAPANESE, "document.body.innerText"),
    )
    column = [int(value) for value in seen.values[COLUMN].split(",")]
    assert column == sorted(column, reverse=True)
    assert len(set(column)) > 1
    assert seen.values[JAPANESE] == "ja"
    assert "発見から公開まで" in seen.values["document.body.innerText"]
    assert "From found to released" not in seen.values["document.body.innerText"]
