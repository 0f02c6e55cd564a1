"""Annotator `text`: what is written in the picture, as far as PP-OCRv6 reads it.

`text` is the lines read, in reading order, joined by newlines and capped; then what may be Korean,
with a cap of its own. `score` is the best confidence of a line. `values`: `lines`, `signs`, `area` (share of
the picture that text boxes cover), `angle` (of the longest line, degrees, clockwise), `unread` (boxes of text
that nobody read because it is too much, or that nobody could read) and `cut` (1.0 where a cap cut the text).
The mask is the text boxes. Level: `none` or `text`.

Japanese (also vertical), Chinese, English and other Latin scripts are read. Its recogniser has no Hangul;
a small net of our own reads the Korean syllables that refusing phrases are made of, and no others
(curation/models/hangul.md). `curation/ocr/passes.py` says how it looks.

Where a file shows otherwise too (over black under its transparency, or not turned:
`kyodaku.safedecode.Decoded.otherwise`), that is read as well. The text holds the lines of every look, each
with caps of its own, unless it says what an earlier one says; all else counts a line once.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from PIL import Image

from curation.annotators.base import Finding, Picture, Status, versioned
from curation.annotators.overlay import Overlay
from curation.ocr.boxes import painted
from curation.ocr.detector import FIRST_VIEW, first_view
from curation.ocr.lines import Line
from curation.ocr.models import models_version
from curation.ocr.passes import look_through
from curation.ocr.readers import WEIGHTS, readers
from kyodaku.durable import file_sha256
from kyodaku.orientation import to_upright
from kyodaku.recipe import Annotators

#: Signs kept, a line and in all: two readings of the longest page that is read whole.
LINE_SIGNS, ALL_SIGNS = 300, 24_000

#: A picture with a side below this, in pixels, cannot hold a readable line.
LEAST = 16

_CODE = (
    "curation.annotators.text",
    "curation.ocr.hangul",
    "curation.judges.loading",
    "curation.nets.hangul",
    "curation.ocr.boxes",
    "curation.ocr.detector",
    "curation.ocr.ends",
    "curation.ocr.lines",
    "curation.ocr.models",
    "curation.ocr.passes",
    "curation.ocr.readers",
    "curation.ocr.reading",
    "curation.ocr.windows",
    "kyodaku.orientation",
)


@dataclass(frozen=True)
class Text:
    """The annotator."""

    name: str
    version: str

    @classmethod
    def build(cls, section: Annotators) -> Text:
        """Who looks for marks is part of the version: it hints where text stands."""
        hints = Overlay.build(section).version
        return cls("text", versioned(1, _CODE, file_sha256(WEIGHTS), [models_version(), hints]))

    def look(self, pictures: Sequence[Picture], before: Sequence[Mapping[str, Finding]]) -> list[Finding]:
        """One finding a picture. Raises ModelsMissing where the models are not installed."""
        return [self._look(one, known) for one, known in zip(pictures, before, strict=True)]

    def _look(self, picture: Picture, known: Mapping[str, Finding]) -> Finding:
        height, width = picture.pixels.shape[:2]
        if min(height, width) < LEAST:
            return Finding(self.name, self.version, Status.OK, level="none", values={"unread": 0.0})
        overlay = known.get("overlay")
        hint = overlay.values.get("text") if overlay and overlay.status is Status.OK else None
        looked = look_through(readers(), picture.pixels, hint, first_view(picture))
        picture.forget(FIRST_VIEW)  # some megabytes that nobody after us asks for
        others, unread = [], looked.unread
        for shown in picture.decoded.otherwise():  # marks were looked for in none of these: nobody hints
            more = look_through(readers(), shown.pixels)
            unread += more.unread
            others.append(_upright(more.lines, shown.orientation, height, width))
        return self._finding(looked.lines, height, width, unread, others)

    def _finding(
        self,
        lines: Sequence[Line],
        height: int,
        width: int,
        unread: int = 0,
        others: Sequence[Sequence[Line]] = (),
    ) -> Finding:
        """Of the lines of the picture, and of those that it shows otherwise."""
        looks = _different([lines, *others])
        every = [line for look in looks for line in look]
        if not every:
            values = {"unread": float(unread)}
            return Finding(self.name, self.version, Status.OK, level="none", values=values)
        # Each its own limit, so that what may be Korean never cuts off what was read otherwise
        kinds = [
            [line.text for line in look if line.korean is korean]
            for look in looks
            for korean in (False, True)
        ]
        joined = [_joined(kind) for kind in kinds if kind]
        score = max(line.confidence for line in every)
        once = _once(looks)
        values = {
            "unread": float(unread),
            "lines": float(len(once)),
            "signs": float(sum(len(line.text) for line in once)),
            "area": min(1.0, sum(line.box.area for line in once) / (height * width)),
            "angle": max((line.box for line in once), key=lambda box: box.width).angle,
            "cut": float(any(cut for _, cut in joined)),
        }
        text = "\n".join(kept for kept, _ in joined)
        file = io.BytesIO()
        Image.fromarray(painted([line.box for line in once], height, width)).save(file, "PNG")
        return Finding(self.name, self.version, Status.OK, score, "text", text, values, file.getvalue())


def _upright(lines: Sequence[Line], orientation: int, height: int, width: int) -> list[Line]:
    """The lines with their boxes where they stand in the upright picture."""
    matrix = to_upright(orientation, height, width)
    return [replace(line, box=line.box.mapped(matrix)) for line in lines]


def _different(looks: Sequence[Sequence[Line]]) -> list[Sequence[Line]]:
    """Without looks that say what an earlier one says, line by line."""
    said = [tuple((line.text, line.korean) for line in look) for look in looks]
    return [look for at, look in enumerate(looks) if said[at] not in said[:at]]


def _once(looks: Sequence[Sequence[Line]]) -> list[Line]:
    """Lines that stand once: not those read again, nor those that an earlier look read."""
    found: list[Line] = []
    for look in looks:
        said = {line.text for line in found}
        found += [line for line in look if not line.again and line.text not in said]
    return found


def not_all_read(text: Finding) -> bool:
    """Whether a finding of `text` holds less than was seen, or does not say: who finds nothing in it does not
    know."""
    return text.values.get("unread", 1.0) > 0 or text.values.get("cut", 0.0) > 0


def _joined(texts: Sequence[str]) -> tuple[str, bool]:
    """The lines, and whether a cap cut them."""
    lines = [" ".join(text.split()) for text in texts]
    whole = "\n".join(line[:LINE_SIGNS] for line in lines)
    return whole[:ALL_SIGNS], len(whole) > ALL_SIGNS or any(len(line) > LINE_SIGNS for line in lines)
