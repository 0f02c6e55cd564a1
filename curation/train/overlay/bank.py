"""What OverlayNet's samples are put together from, drawn once and kept on disk.

`backgrounds.npy` and `lookalikes.npy` are uint8 (n, SIDE, SIDE, 3), `stamps.npy` uint8 (n, 2, SIDE, SIDE):
cover and tone. `<what>.json` beside each says what every row is. One folder for each split.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from rich.progress import track

from curation.train.overlay.blending import Colours
from curation.train.overlay.layouts import HELD_OUT, TRAINED, Layout, notice
from curation.train.overlay.lookalike_parts import paper
from curation.train.overlay.lookalikes import LOOKALIKES
from curation.train.overlay.marks import Face, Layer, Pen
from curation.train.pictures import SPLITS, Source, Split, fonts, load, sources

#: Pixels a side of everything in a bank.
SIDE = 416

#: Shares of the kinds of background.
KINDS_WANTED = {
    "photo": 0.36, "painting": 0.14, "texture": 0.12, "drawing": 0.14, "object": 0.06, "map": 0.05,
    "print": 0.05, "screenshot": 0.05, "abstract": 0.03,
}  # fmt: skip

#: Of train, validation and test: how many backgrounds, look-alikes and stamps.
COUNTS = {"train": (2600, 1700, 2600), "validation": (400, 300, 300), "test": (700, 700, 300)}

#: Crops of one picture.
_CROPS = 6

#: What our fonts call scripts, and what the pens do.
_SCRIPTS = {"latin": "latin", "cyrillic": "cyrillic", "ja": "japanese", "zh": "chinese", "ko": "korean"}

#: Korean is held out: no training sample, mark or look-alike, is written in it.
TRAINED_SCRIPTS = ("latin", "latin", "latin", "latin", "latin", "japanese", "chinese", "cyrillic")


@dataclass(frozen=True)
class Bank:
    """One split's rows, memory-mapped, and what they are."""

    backgrounds: npt.NDArray[np.uint8]
    background_kinds: Sequence[str]
    lookalikes: npt.NDArray[np.uint8]
    lookalike_kinds: Sequence[str]
    stamps: npt.NDArray[np.uint8]
    stamp_facts: Sequence[dict[str, Any]]

    @classmethod
    def open(cls, folder: Path) -> Bank:
        """The bank in a folder. Raises FileNotFoundError if it was not drawn."""
        arrays = [np.load(folder / f"{name}.npy", mmap_mode="r") for name in _PARTS]
        facts = [json.loads((folder / f"{name}.json").read_text("utf-8")) for name in _PARTS]
        return cls(arrays[0], facts[0], arrays[1], facts[1], arrays[2], facts[2])


_PARTS = ("backgrounds", "lookalikes", "stamps")


def draw_bank(pool: Path, folder: Path, split: Split, seed: int, share: float = 1.0) -> None:
    """Draw what of a split's bank is not there yet. `share` scales the counts (for tests). Raises ValueError
    for a folder that holds another bank than is asked for."""
    only_for(folder, {"split": split, "seed": seed, "share": share})
    counts = [max(8, round(count * share)) for count in COUNTS[split]]
    makers: dict[str, Callable[[np.random.Generator, int], Iterator[tuple[Any, npt.NDArray[np.uint8]]]]] = {
        "stamps": lambda rng, count: _stamps(rng, count, pool, split),
        "backgrounds": lambda rng, count: _backgrounds(rng, count, pool, split),
        "lookalikes": lambda rng, count: _lookalikes(rng, count, pool, split, folder),
    }
    for number, (part, make) in enumerate(makers.items()):
        if (folder / f"{part}.json").is_file():
            continue
        rng = np.random.default_rng([seed, SPLITS.index(split), number])
        count = counts[_PARTS.index(part)]
        rows, facts = None, []
        for index, (fact, row) in enumerate(track(make(rng, count), f"{split} {part}", count)):
            if rows is None:
                rows = np.lib.format.open_memmap(folder / f"{part}.npy", "w+", np.uint8, (count, *row.shape))
            rows[index] = row
            facts.append(fact)
        if rows is not None:
            rows.flush()
        (folder / f"{part}.json").write_text(json.dumps(facts), "utf-8")


def only_for(folder: Path, plan: Mapping[str, Any]) -> None:
    """Make a folder for what is drawn after this plan, or go on in it. Raises ValueError if it is not."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "plan.json"
    if kept.is_file() and json.loads(kept.read_text("utf-8")) != plan:
        raise ValueError(f"{folder} was drawn for {kept.read_text('utf-8')}: name another folder")
    kept.write_text(json.dumps(plan), "utf-8")


def faces(pool: Path, split: Split) -> list[Face]:
    """The fonts of a split; validation has too few of some scripts and writes with those of training."""
    found = [
        Face(font.path, frozenset(_SCRIPTS[script] for script in font.scripts if script in _SCRIPTS))
        for font in fonts(pool, "test" if split == "test" else "train")
    ]
    return [face for face in found if face.scripts]


def pen(rng: np.random.Generator, pool: Path, split: Split, scripts: Sequence[str] = TRAINED_SCRIPTS) -> Pen:
    """A pen with the fonts of a split that writes those of `scripts` there are fonts for."""
    able = faces(pool, split)
    known = frozenset().union(*(face.scripts for face in able))
    return Pen(rng, able, tuple(script for script in scripts if script in known), _shapes(rng, pool, split))


def _shapes(rng: np.random.Generator, pool: Path, split: Split, count: int = 120) -> list[Layer]:
    """Silhouettes of clip art, as logos."""
    drawings = [source for source in sources(pool, split) if source.kind == "drawing"]
    shapes: list[Layer] = []
    for index in rng.permutation(len(drawings))[: 3 * count]:
        picture = load(drawings[int(index)], 200)
        if picture is None or len(shapes) >= count:
            continue
        grey = picture.pixels.min(2)
        ink = np.where(grey < 230, 255 - grey // 3, 0).astype(np.uint8)
        if 0.05 < (ink > 0).mean() < 0.7 and min(ink.shape) > 40:
            shapes.append(ink)
    return shapes


def _stamps(
    rng: np.random.Generator, count: int, pool: Path, split: Split
) -> Iterator[tuple[dict[str, Any], npt.NDArray[np.uint8]]]:
    writer = pen(rng, pool, split)
    korean = Pen(rng, writer.faces, ("korean",), writer.shapes) if split == "test" else None
    layouts = list(TRAINED)
    weights = np.array([TRAINED[layout] for layout in layouts])
    for index in range(count):
        layout = layouts[int(rng.choice(len(layouts), p=weights / weights.sum()))]
        if split == "test" and index >= count // 3:
            held: tuple[Layout | None, ...] = (*HELD_OUT, None)
            chosen = held[index % len(held)]
            yield _stamp(chosen, writer, "") if chosen else _stamp(_korean(index), korean or writer, "korean")
        else:
            yield _stamp(layout, writer, "")


def _korean(index: int) -> Layout:
    from curation.train.overlay.layouts import centred, logo_tiles

    return (centred, notice, logo_tiles)[(index // 4) % 3]


def _stamp(layout: Layout, writer: Pen, family: str) -> tuple[dict[str, Any], npt.NDArray[np.uint8]]:
    stamp = layout(writer, (SIDE, SIDE))
    return {"family": family or stamp.family, "kinds": sorted(stamp.kinds)}, np.stack(
        [stamp.cover, stamp.tone]
    )


def _backgrounds(
    rng: np.random.Generator, count: int, pool: Path, split: Split
) -> Iterator[tuple[str, npt.NDArray[np.uint8]]]:
    groups = {kind: [s for s in sources(pool, split) if s.kind == kind] for kind in KINDS_WANTED}
    kinds = [kind for kind in KINDS_WANTED if groups[kind]]
    weights = np.array([KINDS_WANTED[kind] for kind in kinds])
    made = 0
    while made < count:
        kind = kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))]
        for crop in _crops(rng, groups[kind][int(rng.integers(len(groups[kind])))]):
            if made < count:
                yield kind, crop
                made += 1


def _crops(rng: np.random.Generator, source: Source) -> Iterator[Colours]:
    """Squares of SIDE pixels from one picture, between a view of the whole and one at its own size."""
    picture = load(source, 2000)
    if picture is None or min(picture.pixels.shape[:2]) < 24:
        return
    if source.kind in ("drawing", "object") and max(picture.pixels.shape[:2]) < 2 * SIDE:
        yield _set_on_paper(rng, picture.pixels)
        return
    image = Image.fromarray(picture.pixels)
    short = min(image.size)
    for _ in range(_CROPS if source.kind in ("photo", "painting", "map", "print") else 2):
        smallest = min(SIDE, short)
        side = int(np.exp(rng.uniform(np.log(smallest), np.log(short))))
        left = int(rng.integers(0, image.width - side + 1))
        top = int(rng.integers(0, image.height - side + 1))
        way = Image.Resampling.BOX if side > SIDE else Image.Resampling.BICUBIC
        yield np.asarray(image.resize((SIDE, SIDE), way, (left, top, left + side, top + side)))


def _set_on_paper(rng: np.random.Generator, pixels: Colours) -> Colours:
    """A small drawing in the middle of a sheet, multiplied onto it."""
    scratch = Pen(rng, ())
    sheet = paper(scratch, (SIDE, SIDE)) if rng.random() < 0.5 else np.full((SIDE, SIDE, 3), 255, np.uint8)
    scale = SIDE * rng.uniform(0.6, 1.0) / max(pixels.shape[:2])
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    drawing = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC), np.float32)
    top, left = (SIDE - size[1]) // 2, (SIDE - size[0]) // 2
    out = sheet.astype(np.float32)
    out[top : top + size[1], left : left + size[0]] *= drawing / 255
    return np.clip(out, 0, 255).astype(np.uint8)


def _lookalikes(
    rng: np.random.Generator, count: int, pool: Path, split: Split, folder: Path
) -> Iterator[tuple[str, npt.NDArray[np.uint8]]]:
    backgrounds = np.load(folder / "backgrounds.npy", mmap_mode="r")
    writer = pen(rng, pool, split)
    names = list(LOOKALIKES)
    weights = np.array([LOOKALIKES[name][1] for name in names])
    for index in range(count):
        name = names[int(rng.choice(len(names), p=weights / weights.sum()))]
        name = names[index % len(names)] if split == "test" else name
        under = np.array(backgrounds[int(rng.integers(len(backgrounds)))])
        yield name, LOOKALIKES[name][0](writer, under)
