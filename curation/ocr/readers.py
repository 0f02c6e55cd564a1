"""Reading lines with everything we have: PP-OCR, and HangulNet where that is unsure, since it has no Korean
signs. What one reads never takes away what the other read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from curation.ocr.models import Reader, Reading
from kyodaku.fingerprint import Pixels

WEIGHTS = Path(__file__).parents[1] / "models" / "hangul.safetensors"

#: What PP-OCR is as sure of as this is no Korean, unless it read so few signs that most of the line was
#: passed over: a line holds at least a sign for each of its heights, of which a part is empty.
NO_KOREAN, _PASSED_OVER = 0.93, 0.8

#: A line is Korean with so many known syllables, which are so large a share of its signs, read as surely.
_LEAST, _SHARE, _SURE = 2, 0.5, 0.6

#: Crops that are read as Korean in one go.
_MOST = 60


class Reads(Protocol):
    """Whoever reads level lines."""

    def read(self, crops: Sequence[Pixels]) -> list[Reading]:
        """What lines say, in their order. `crops`: uint8 RGB, any size."""
        ...


class LineReader(Reads, Protocol):
    """Whoever reads them, and Korean besides."""

    def korean(self, crops: Sequence[Pixels], readings: Sequence[Reading]) -> list[Reading | None]:
        """What the same lines say in Korean, where they may; `readings` is what `read` gave."""
        ...


@dataclass(frozen=True)
class Readers:
    """`first` reads everything but Korean."""

    first: Reads
    second: Reads

    def read(self, crops: Sequence[Pixels]) -> list[Reading]:
        """What lines say, in their order. `crops`: uint8 RGB, any size."""
        return self.first.read(crops)

    def korean(self, crops: Sequence[Pixels], readings: Sequence[Reading]) -> list[Reading | None]:
        """What the same lines say in Korean, where they may; `readings` is what `read` gave."""
        unsure = [
            at
            for at, (crop, reading) in enumerate(zip(crops, readings, strict=True))
            if reading.confidence < NO_KOREAN or _passed_over(crop, reading)
        ][:_MOST]
        found: list[Reading | None] = [None] * len(crops)
        for at, reading in zip(unsure, self.second.read([crops[at] for at in unsure]), strict=True):
            if _is_korean(reading):
                found[at] = reading
        return found


def _passed_over(crop: Pixels, reading: Reading) -> bool:
    height, width = crop.shape[:2]
    return len(reading.text) < _PASSED_OVER * width / max(1, height)


def _is_korean(reading: Reading) -> bool:
    syllables = sum("\uac00" <= sign <= "\ud7a3" for sign in reading.text)
    return reading.confidence >= _SURE and syllables >= _LEAST and syllables >= _SHARE * len(reading.text)


@cache
def readers() -> Readers:
    """This process's readers; HangulNet is loaded when it is first asked. Raises ModelsMissing."""
    from curation.ocr.hangul import HangulReader

    return Readers(Reader(), HangulReader(WEIGHTS))
