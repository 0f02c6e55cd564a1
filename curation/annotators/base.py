"""What an annotator is: one file in this folder that looks at decoded pictures and says what it found.

A `Picture` is decoded once and shared by all annotators. They run in the order of
`curation.annotators.registry.BUILT`, each is handed what those found that it rests on, and each gives exactly
one `Finding` a picture. Findings are facts: thresholds, and what follows from them, stand in the recipe.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from kyodaku.fingerprint import Pixels
from kyodaku.safedecode import Decoded

#: By annotator: whose findings it rests on. It is handed those and no others, and looks again when one of
#: them is looked for again.
RESTS_ON: dict[str, tuple[str, ...]] = {
    "text": ("overlay",),
    "notices": ("text",),
    "brands": ("text",),
    "aesthetic": ("embedding",),
}

Grey = npt.NDArray[np.float32]

T = TypeVar("T")


class Status(StrEnum):
    """Whether an annotator could look at all."""

    OK = "ok"
    UNKNOWN = "unknown"  # nobody looked: no weights are configured, or the picture is too small to tell
    FAILED = "failed"  # it tried and broke; `text` says how


@dataclass(frozen=True)
class Finding:
    """What one annotator says about one picture.

    `score` is the annotator's own measure (its file says which; most are 0 to 1, higher is more), 0.0 unless
    the status is ok. `level` is a word of its own short list. `text` is what was read or a kind. `values` are
    further named numbers. `mask` is an 8-bit grey PNG of the whole upright picture, at most 64 pixels a side:
    where it was seen, for the private report; b"" without one.
    """

    annotator: str
    version: str
    status: Status
    score: float = 0.0
    level: str = ""
    text: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    mask: bytes = b""

    def to_row(self) -> dict[str, Any]:
        """As one element of the column `findings` of ANNOTATIONS."""
        return {
            "annotator": self.annotator,
            "version": self.version,
            "status": self.status.value,
            "score": float(self.score),
            "level": self.level,
            "text": self.text.replace("\x00", ""),
            "values": [{"name": name, "value": float(value)} for name, value in sorted(self.values.items())],
            "mask": self.mask,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Finding:
        """The inverse of `to_row`. Raises ValueError for a status that this version does not know."""
        return cls(
            row["annotator"],
            row["version"],
            Status(row["status"]),
            row["score"],
            row["level"],
            row["text"],
            {item["name"]: item["value"] for item in row["values"]},
            row["mask"],
        )


@dataclass(frozen=True)
class Picture:
    """One decoded picture and the bytes it came from. Views are computed once, by whoever asks first."""

    body: bytes
    decoded: Decoded

    @property
    def pixels(self) -> Pixels:
        """uint8 (height, width, 3): sRGB, upright, transparency over white. Not to be written to."""
        return self.decoded.pixels

    @cached_property
    def grey(self) -> Grey:
        """float32 (height, width), 0 to 255: ITU-R BT.601 luma at native size."""
        return luma(self.pixels)

    @cached_property
    def _smaller(self) -> dict[int, Pixels]:
        return {}

    @cached_property
    def _memory(self) -> dict[str, Any]:
        return {}

    def remembered(self, name: str, make: Callable[[], T]) -> T:
        """What `make` gives, made once for this picture by whoever asks first under this name."""
        if name not in self._memory:
            self._memory[name] = make()
        found: T = self._memory[name]
        return found

    def forget(self, name: str) -> None:
        """Let go of what is remembered under this name: whoever needs it last says so."""
        self._memory.pop(name, None)

    def within(self, side: int) -> Pixels:
        """uint8 (h, w, 3) whose longer side is at most `side`, area-averaged; `pixels` if that fits."""
        if max(self.pixels.shape[:2]) <= side:
            return self.pixels
        if side not in self._smaller:
            from PIL import Image

            height, width = self.pixels.shape[:2]
            scale = side / max(height, width)
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            image = Image.fromarray(self.pixels).resize(size, Image.Resampling.BOX, reducing_gap=2.0)
            self._smaller[side] = np.asarray(image)
        return self._smaller[side]


def luma(pixels: Pixels) -> Grey:
    """float32 (height, width), 0 to 255: ITU-R BT.601 luma of uint8 RGB."""
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    return np.asarray(pixels @ weights, dtype=np.float32)


class Annotator(Protocol):
    """One way of looking at pictures. Instances live in one process and may hold a loaded model.

    `version` changes whenever a finding could: it names code, weights and settings (`versioned`), and costs
    nothing to ask for (no model is loaded).
    """

    name: str
    version: str

    def look(self, pictures: Sequence[Picture], before: Sequence[Mapping[str, Finding]]) -> list[Finding]:
        """One finding a picture, in their order. `before[i]` holds what those of RESTS_ON said of it.

        May raise anything: the caller asks again picture by picture, and the one it breaks on is `failed`.
        """
        ...


def versioned(number: int, modules: Sequence[str], weights: str = "", settings: object = None) -> str:
    """A version such as `1+8f3c21ab90de`: a number for people, and a digest over the sources of `modules`
    (dotted names) and of this one, which all look through, the digest of the weights (hex, "" without any)
    and plain settings."""
    from curation.steps import code_digest, digest

    return f"{number}+{digest([code_digest(__name__, *modules), weights, settings])[:12]}"


def look_at_all(
    annotators: Sequence[Annotator],
    pictures: Sequence[Picture],
    known: Sequence[Mapping[str, Finding]] | None = None,
) -> list[dict[str, Finding]]:
    """By annotator, what each says of each picture. Never raises: what breaks is a finding `failed`.

    Annotators of which `known` holds a finding for the first picture, and so for all, do not look again.
    """
    found: list[dict[str, Finding]] = [dict(row) for row in known] if known else [{} for _ in pictures]
    for annotator in annotators:
        if not pictures or annotator.name in found[0]:
            continue
        rests = RESTS_ON.get(annotator.name, ())
        before = [{name: row[name] for name in rests if name in row} for row in found]
        for row, finding in zip(found, _looked(annotator, pictures, before), strict=True):
            row[annotator.name] = finding
    return found


def still_known(
    findings: Sequence[Mapping[str, Any]], annotators: Sequence[Annotator]
) -> dict[str, Mapping[str, Any]]:
    """By annotator, those of earlier `findings` of one picture (`Finding.to_row`) that stand: by the version
    that looks now, not broken, and resting on the very findings that stand."""
    earlier = {row["annotator"]: row for row in findings}
    asked = {one.name for one in annotators} | earlier.keys()
    known: dict[str, Mapping[str, Any]] = {}
    for one in annotators:
        row = earlier.get(one.name)
        if row is None or row["version"] != one.version or row["status"] == Status.FAILED:
            continue
        if all(name in known or name not in asked for name in RESTS_ON.get(one.name, ())):
            known[one.name] = row
    return known


def _looked(
    annotator: Annotator, pictures: Sequence[Picture], before: Sequence[Mapping[str, Finding]]
) -> list[Finding]:
    try:
        findings = annotator.look(pictures, before)
        if len(findings) == len(pictures):
            return [_checked(annotator, finding) for finding in findings]
        error: Exception = ValueError(f"{len(findings)} findings for {len(pictures)} pictures")
    except Exception as broken:  # an annotator may break on a stranger's picture; that is a fact too
        error = broken
    if len(pictures) == 1:
        text = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        return [Finding(annotator.name, annotator.version, Status.FAILED, text=text)]
    return [
        finding
        for picture, known in zip(pictures, before, strict=True)
        for finding in _looked(annotator, [picture], [known])
    ]


def _checked(annotator: Annotator, finding: Finding) -> Finding:
    """The finding, if it is of this annotator and its numbers are numbers. Raises ValueError."""
    if (finding.annotator, finding.version) != (annotator.name, annotator.version):
        raise ValueError(f"a finding of {finding.annotator} {finding.version}")
    if not np.isfinite([finding.score, *finding.values.values()]).all():
        raise ValueError("a number that is none")
    return finding
