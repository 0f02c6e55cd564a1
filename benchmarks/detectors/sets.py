"""The test sets: which pictures there are, how many, and in which columns they are looked at.

A case is made from its set, its family and its number alone, so that every run sees the same picture. Three
sets hold nothing that should be found: `clean`, `hard` (old art among it) and `texts`. The false alarms of
detectors are counted on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import numpy.typing as npt

from benchmarks.detectors import aimarks, cloaks, enlarged, furnished, hard, marks, oldart, written
from benchmarks.detectors.sources import Grounds
from benchmarks.detectors.views import VIEWS, Pixels

Rng = np.random.Generator
Make = Callable[[Grounds, str, Rng], Pixels]

EVERYTHING: tuple[str, ...] = ()
_TEXT = ("overlay", "text", "notices", "brands")

REAL_SCREENSHOTS = "screenshots, real"
REAL_OLD_ART = "real paintings and prints"
ABOUT = "pages about AI and reposts"
PROSE = "pages of prose"
LABELS = "labels and captions laid over"


@dataclass(frozen=True)
class TestSet:
    """`families`: name -> how many pictures in a full run. `annotators`: who looks (empty: all that are
    built). `modules`: whose sources say that a picture must be made anew. Of a family, the first `in_all`
    pictures go through all views, the rest through the first one only."""

    name: str
    families: Mapping[str, int]
    make: Make
    views: Sequence[str]
    annotators: Sequence[str]
    modules: Sequence[str]
    in_all: int = 1_000_000

    def cases(self, share: float) -> Iterator[Case]:
        """The cases of a run that asks for a share of all pictures, two of a family at least."""
        for family, count in self.families.items():
            for number in range(max(2, round(share * count))):
                yield Case(self.name, family, number)

    def views_of(self, case: Case) -> Sequence[str]:
        """The columns that a case goes through."""
        return self.views if case.number < self.in_all else self.views[:1]


@dataclass(frozen=True)
class Case:
    """One picture to be: number `number` of a family of a set."""

    set: str
    family: str
    number: int

    @property
    def key(self) -> str:
        """As the cache names it."""
        return f"{self.set}/{self.family}/{self.number}"

    def pixels(self, grounds: Grounds) -> Pixels:
        """uint8 (height, width, 3)."""
        made = SETS[self.set]
        rng = np.random.default_rng([crc32(f"{self.set}/{self.family}".encode()), self.number])
        return made.make(grounds, self.family, rng)


def _clean(grounds: Grounds, family: str, rng: Rng) -> Pixels:
    return grounds.ordinary(rng)


def _hard(grounds: Grounds, family: str, rng: Rng) -> Pixels:
    if family == REAL_SCREENSHOTS:
        return grounds.ordinary(rng, "screenshot")
    if family == REAL_OLD_ART:
        return grounds.painting(rng, real=True)
    if family in oldart.KINDS:
        return oldart.KINDS[family](grounds.painting(rng), grounds.fonts, rng)
    return hard.KINDS[family](grounds.ordinary(rng, "photo"), grounds.fonts, rng)


def _texts(grounds: Grounds, family: str, rng: Rng) -> Pixels:
    if family == LABELS:
        return written.scene(studio_of(grounds), rng).pixels
    return written.page(studio_of(grounds), rng, about=family == ABOUT).pixels


def _marked(grounds: Grounds, family: str, rng: Rng) -> Pixels:
    name, _, strength = family.rpartition(", ")
    if name == "all":
        name = list(marks.FAMILIES)[int(rng.integers(len(marks.FAMILIES)))]
    fonts = grounds.fonts[marks.FAMILIES[name][2]]
    return marks.mark(grounds.ordinary(rng), name, strength, fonts, rng)


def _noticed(grounds: Grounds, family: str, rng: Rng) -> Pixels:
    layout, _, opacity = family.partition(", opacity ")
    languages = ("ja", "zh") if layout == "vertical" else ("ja", "ja", "en", "en", "zh", "ko")
    language = languages[int(rng.integers(len(languages)))]
    return written.notice(studio_of(grounds), rng, language, layout, float(opacity)).pixels


def studio_of(grounds: Grounds) -> written.Studio:
    """Held-out backgrounds and fonts for what is written."""
    fonts = grounds.fonts
    by_language = {"en": fonts["latin"], "ja": fonts["japanese"], "zh": fonts["zh"], "ko": fonts["ko"]}
    return written.Studio([one.path for one in grounds.of("photo", "painting")], by_language, 800)


def _cloaked(grounds: Grounds, family: str, rng: Rng) -> Pixels:
    kind = "photo" if rng.random() < 0.4 else "painting"
    pixels = _at_most(grounds.ordinary(rng, kind), 576)
    return cloaks.cloak(pixels, family, grounds.ordinary(rng), rng)


def _ai_marked(grounds: Grounds, family: str, rng: Rng) -> Pixels:
    while True:
        pixels = grounds.ordinary(rng)
        if pixels.shape[0] * pixels.shape[1] >= aimarks.LEAST:
            return aimarks.marked(pixels, family)


def _enlarged(grounds: Grounds, family: str, rng: Rng) -> Pixels:
    kind = ("photo", "texture", "painting")[int(rng.integers(3))]
    return enlarged.enlarged(grounds.ordinary(rng, kind), family, rng)


def _furnished(grounds: Grounds, family: str, rng: Rng) -> Pixels:
    return furnished.FAMILIES[family](grounds.painting(rng), rng)


def _kinds(grounds: Grounds, family: str, rng: Rng) -> Pixels:
    if family == "painting":
        return grounds.painting(rng, real=True)
    return grounds.ordinary(rng, family)


def _at_most(pixels: Pixels, side: int) -> Pixels:
    """The middle of a picture, `side` pixels long and wide at most."""
    top, left = (max(0, (length - side) // 2) for length in pixels.shape[:2])
    cut: npt.NDArray[np.uint8] = np.ascontiguousarray(pixels[top : top + side, left : left + side])
    return cut


_ALL, _TWO = tuple(VIEWS), ("raw", "JPEG 75")
_MADE = "benchmarks.detectors.sources"

#: In the order they are run.
SETS: Mapping[str, TestSet] = {
    one.name: one
    for one in (
        TestSet("clean", {"ordinary pictures": 1000}, _clean, _ALL, EVERYTHING, (_MADE,), 300),
        TestSet(
            "hard",
            {
                **dict.fromkeys(hard.KINDS, 40),
                REAL_SCREENSHOTS: 80,
                **dict.fromkeys(oldart.KINDS, 40),
                REAL_OLD_ART: 88,
            },
            _hard,
            _TWO,
            EVERYTHING,
            (_MADE, "benchmarks.detectors.hard", "benchmarks.detectors.oldart"),
        ),
        TestSet(
            "texts",
            {ABOUT: 100, PROSE: 100, LABELS: 200},
            _texts,
            ("raw",),
            _TEXT,
            (_MADE, "benchmarks.detectors.written"),
        ),
        TestSet(
            "marked",
            {
                **{f"{name}, strong": 30 for name in marks.FAMILIES},
                "all, medium": 100,
                "all, faint": 100,
            },
            _marked,
            _ALL,
            _TEXT,
            (_MADE, "benchmarks.detectors.marks"),
        ),
        TestSet(
            "noticed",
            {
                f"{layout}, opacity {opacity}": 12
                for opacity in written.OPACITIES
                for layout in written.LAYOUTS
            },
            _noticed,
            _ALL,
            _TEXT,
            (_MADE, "benchmarks.detectors.written"),
        ),
        TestSet(
            "cloaked",
            dict.fromkeys(cloaks.FAMILIES, 30),
            _cloaked,
            _ALL,
            ("perturbation",),
            (_MADE, "benchmarks.detectors.cloaks"),
        ),
        TestSet(
            "ai_marked",
            dict.fromkeys(aimarks.FAMILIES, 100),
            _ai_marked,
            _ALL,
            ("ai_made",),
            (_MADE, "benchmarks.detectors.aimarks"),
        ),
        TestSet(
            "enlarged",
            dict.fromkeys(enlarged.FAMILIES, 60),
            _enlarged,
            _ALL,
            ("detail",),
            (_MADE, "benchmarks.detectors.enlarged"),
        ),
        TestSet(
            "furnished",
            dict.fromkeys(furnished.FAMILIES, 60),
            _furnished,
            _TWO,
            ("furniture",),
            (_MADE, "benchmarks.detectors.furnished"),
        ),
        TestSet(
            "kinds",
            dict.fromkeys(("photo", "painting", "drawing", "map", "object", "screenshot"), 60),
            _kinds,
            _TWO,
            ("kind",),
            (_MADE,),
        ),
    )
}
