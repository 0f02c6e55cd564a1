"""Notices in words that only the rule has, with the I of AI, IA and KI read as l, 1 or a bar."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.phrases import notices
from curation.phrases.folding import respelt
from tests.curation.test_text import look, written
from tests.tools import need_path

DEJAVU = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
NOTO = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
NOTO_BOLD = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc")

RULED = (
    "Do not feed this to an {}",
    "I forbid {} training",
    "I prohibit {} training on my work",
    "Not licensed for {} training",
    "Do not input into {}",
    "{} training: NO",
    "{} use: none",
    "No {} may use this",
    "Please keep this away from {}",
    "Do not let {} learn from this",
    "Do not put this into an {}",
    "I do not allow {} to learn from my art",
    "Niet gebruiken voor {}-training",
    "{}❌",
    "{}×",
    "{}学習×",
    "{}に学習させることを禁じます",
    "本作品禁止用于任何{}训练",
)


def refuses(text: str) -> bool:
    return bool(notices.refusing(notices.read(text)))


@pytest.mark.parametrize("misread", ["Al", "A1", "A|"])
@pytest.mark.parametrize("text", RULED)
def test_ai_misread_is_heard_as_ai(text: str, misread: str) -> None:
    assert refuses(text.format("AI"))
    assert refuses(text.format(misread))
    assert refuses(f"Kyo 2026\n{text.format(misread)}\nspring")


@pytest.mark.parametrize(
    "text",
    [
        "Prohibido el uso para lA",
        "Prohibido el uso para 1A",
        "Proibido treinar |A",
        "Vietato l'addestramento di lA",
        "Keine Nutzung durch Kl",
        "Nein zu K1",
        "Nein zu K|",
        "#NoAl thanks",
        "NO A|",
        "A1: no",
        "Do not feed this to an Al-related tool",
        "Not licensed for Al-assisted work",
        "Keine Nutzung durch Al-Anwendungen",
        "Not licensed for Al fine tuning",
        "A|不可",
        "NO AI TRA|N|NG",
        "kein KI-Tra|ning",
    ],
)
def test_so_are_other_ways_to_misread_it(text: str) -> None:
    assert refuses(text)


@pytest.mark.parametrize(
    "text", ["Jane Doe|NO AI|2026", "Jane Doe | NO AI | 2026", "|NO AI|", "転載禁止|AI学習禁止"]
)
def test_a_bar_still_parts_what_stands_on_its_sides(text: str) -> None:
    assert refuses(text)


@pytest.mark.parametrize(
    "text",
    [
        "No Al Qaeda",
        "No Al Pacino",
        "Al Pacino",
        "No Al Capone",
        "No Al dente",
        "Do not cook this Al dente",
        "No Al Maltrato Animal",
        "Al entrenar no se permite comer",
        "no entrenar al perro",
        "Prohibido al entrenar",
        "Al-Andalus museum: no photos",
        "No Al-Jazeera cameras",
        "No Al-Shabaab",
        "Al's garage: no parking",
        "No Al alloys",
        "A1: no entry",
        "A1 - NO ENTRY",
        "A1 road: no entry",
        "Use of the A1 prohibited",
        "Kodak No 1A",
        "Prohibido estacionar 1A",
        "Keine Kl. 5",
    ],
)
def test_names_roads_and_words_of_other_languages_stay_what_they_are(text: str) -> None:
    assert not refuses(text)


def test_a_plea_without_a_name_for_ai_is_heard() -> None:
    assert refuses("学習させないでください")
    assert not refuses("子どもに楽しく学習させない学校とはどんなところでしょう")


@given(st.text("AIKl1| .'-noエé学gent\n"))
def test_another_spelling_changes_strokes_alone(text: str) -> None:
    pairs = list(zip(text, respelt(text), strict=True))
    assert all(one == other or (one in "l1|" and other == "I") for one, other in pairs)


DRAWN = [
    ("Do not feed this to an AI", None),
    ("I forbid AI training", DEJAVU),
    ("Not licensed for AI training", NOTO),
    ("Do not input into AI", NOTO_BOLD),
    ("AIに学習させることを禁じます", NOTO),
    ("Prohibido el uso para IA", DEJAVU),
]


@pytest.mark.parametrize(("text", "font"), DRAWN, ids=[text for text, _ in DRAWN])
def test_in_a_real_picture(text: str, font: Path | None) -> None:
    if font:
        need_path(font, "fonts-dejavu-core, fonts-noto-cjk")
    found = look(written(text, font=font))
    assert refuses(found.text), found.text


@pytest.mark.parametrize(
    "unit",
    [
        "Al ",
        "A|",
        "|",
        "lA|",
        "noAl",
        "転載×",
        "転載× a",
        "1908 ",
        "1920x",
        "昭和 ",
        "昭和十",
        "key do not duplicate ",
    ],
)
def test_reading_takes_linear_time(unit: str) -> None:
    def seconds(signs: int) -> float:
        text = (unit * signs)[:signs]
        start = time.process_time()
        notices.read(text)
        return time.process_time() - start

    notices.read(unit)
    short, long = seconds(1500), seconds(6000)
    assert long < 12 * max(short, 0.05)
