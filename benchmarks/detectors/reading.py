"""How much of what is written in pictures is seen, and how often plain text is taken for a notice.

    python -m benchmarks.detectors.reading [--pool DIR] [--each 4] [--minutes 20] [--json FILE]

Every cell of language, layout and opacity is drawn `--each` times, on pictures and in fonts of the test split
(1,024 px), and read as it is; the first time round as JPEG 75 and at half size too. Nothing here chose a
threshold. Pages and scenes without a notice count false alarms; pictures without text and with a notice are
timed, in CPU time on one core. `--json curation/phrases/measured.json` writes the figures that
docs/notices.md shows. Cases are taken in an order in which any part is a fair sample, so that `--minutes`
may cut the run short.
"""

from __future__ import annotations

import argparse
import io
import json
import platform
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.detectors import written
from benchmarks.detectors.sets import studio_of
from benchmarks.detectors.sources import Grounds
from benchmarks.detectors.statistics import Rate
from benchmarks.detectors.views import VIEWS, Pixels
from curation.ocr.passes import read_lines
from curation.ocr.readers import readers
from curation.phrases import brands, notices
from curation.train.pictures import DEFAULT_POOL

_VIEWS = ("raw", "JPEG 75", "half size")
_LATIN = ("de", "fr", "es")


@dataclass
class Tally:
    """Hits and totals by what was asked, seconds of CPU by kind of picture, and whether this is the first
    turn."""

    counts: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    missed: list[str] = field(default_factory=list)
    first: bool = True

    def add(self, name: str, hit: bool) -> None:
        """One more case of `name`."""
        self.counts[name][0] += hit
        self.counts[name][1] += 1

    def rows(self) -> dict[str, Any]:
        """As JSON: [hits, total] by name, milliseconds by kind (mean, p95, number)."""
        times = {
            kind: [
                round(1000 * float(np.mean(all_))),
                round(1000 * float(np.quantile(all_, 0.95))),
                len(all_),
            ]
            for kind, all_ in self.seconds.items()
        }
        return {"counts": dict(sorted(self.counts.items())), "milliseconds": times}


def main(arguments: list[str] | None = None) -> None:
    """Measure, print a table, and write the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.detectors.reading", description=__doc__)
    parser.add_argument("--pool", type=Path, default=DEFAULT_POOL)
    parser.add_argument("--each", type=int, default=4, help="cases of each cell")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    studio = studio_of(Grounds(options.pool))
    studio.side = 1024
    readers()
    tally, end = Tally(), time.monotonic() + 60 * options.minutes
    for turn in range(options.each):
        tally.first = turn == 0
        for number, step in enumerate(_steps()):
            if time.monotonic() < end:
                step(studio, np.random.default_rng([turn, number, 20261121]), tally)
    figures = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": platform.processor() or platform.machine(),
        **tally.rows(),
    }
    print("\n".join(tally.missed))
    for name, (hits, total) in figures["counts"].items():
        rate = Rate(hits, total)
        print(f"{name:48s} {hits:4d} / {total:4d}  {rate.value:.3f}  ({rate.low:.3f} to {rate.high:.3f})")
    print(figures["milliseconds"])
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _steps() -> Iterator[Any]:
    """One of each, mixed, so that an early end leaves every kind measured."""
    cells = [
        (language, layout, opacity)
        for layout in written.LAYOUTS
        for opacity in written.OPACITIES
        for language in (("ja", "zh") if layout == "vertical" else ("ja", "en", "zh"))
    ]
    order = np.random.default_rng(1).permutation(len(cells))
    for place, index in enumerate(order):
        yield _notice(*cells[index])
        if place % 3 == 0:
            yield _quiet(("scene", "about", "prose", "scene")[place // 3 % 4])
        if place % 4 == 0:
            yield _quiet("plain")
    for language in _LATIN:
        for opacity in (1.0, 0.5):
            yield _notice(language, "corner", opacity)
    for layout in ("corner", "rotated"):
        for opacity in (1.0, 0.5, 0.3):
            yield _notice("ko", layout, opacity)


def _notice(language: str, layout: str, opacity: float) -> Any:
    def step(studio: written.Studio, rng: written.Rng, tally: Tally) -> None:
        case = written.notice(studio, rng, language, layout, opacity)
        for view in _VIEWS if tally.first else _VIEWS[:1]:
            read = _read(case.pixels, view, tally, f"notice, {view}")
            hit = bool(notices.refusing(notices.find(read)))
            if language in ("ja", "en", "zh"):
                tally.add(f"{view} | opacity {opacity}", hit)
                tally.add(f"{view} | {layout}, opacity {opacity}", hit)
            if view == "raw":
                tally.add(f"raw | {language}, opacity {opacity}", hit)
                if language == "ko":
                    tally.add(f"raw | ko, {layout}, opacity {opacity}", hit)
                if not hit:
                    tally.missed.append(f"missed: {case.written!r} {layout} {opacity} {case.font}: {read!r}")

    return step


def _quiet(kind: str) -> Any:
    def step(studio: written.Studio, rng: written.Rng, tally: Tally) -> None:
        if kind == "plain":
            case = written.plain(studio, rng)
        elif kind == "scene":
            case = written.scene(studio, rng)
        else:
            case = written.page(studio, rng, about=kind == "about")
        read = _read(case.pixels, "raw", tally, kind)
        refusing = notices.refusing(notices.find(read))
        tally.add(f"false alarm | {kind}", bool(refusing))
        tally.add(f"false brand | {kind}", brands.level(brands.find(read)) == brands.LIKELY)
        if refusing:
            tally.missed.append(f"false alarm, {kind}: {refusing[0].said!r}")

    return step


def _read(pixels: Pixels, view: str, tally: Tally, kind: str) -> str:
    seen = np.asarray(Image.open(io.BytesIO(VIEWS[view](pixels))).convert("RGB"))
    start = time.process_time()
    lines = read_lines(readers(), seen)
    tally.seconds[kind].append(time.process_time() - start)
    return "\n".join(line.text for line in lines)


if __name__ == "__main__":
    main()
