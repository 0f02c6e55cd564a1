"""Pictures and fonts that we may train and measure on, and the split that keeps them apart.

Two sources, neither of which is in the repository: free Debian packages, unpacked below a pool folder
(`python -m curation.train.pictures --pool DIR`; `packages.toml` names every file's licence), and pictures
drawn by code (`curation.train.drawn`). Which split a picture or a font belongs to follows from its name
alone, so that no two people, and no two runs, train on what the other measures with.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from hashlib import blake2b, sha256
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any, Literal, get_args

import numpy as np
from PIL import Image, ImageOps

from curation.train.copyright import is_free, stanza_of
from kyodaku.fingerprint import Pixels

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

TABLE = Path(__file__).with_name("packages.toml")
DEFAULT_POOL = Path.home() / ".cache" / "kyodaku" / "pool"

#: Of a hundred names: 70 train, 15 validate, 15 test.
VALIDATION_FROM, TEST_FROM = 70, 85

#: As a rule's licence: of each file, from the package's copyright file.
BY_FILE = "by file"

FONTS = (".ttf", ".otf", ".ttc")
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".tga", ".tif", ".gif")


@dataclass(frozen=True)
class Source:
    """One picture file of the pool. `name` is `package:path`; `kind` is what a person called it: a kind of
    `kyodaku.recipe.filters.KINDS`, `texture` (photographed surfaces) or `screenshot`."""

    name: str
    path: Path
    kind: str
    licence: str
    author: str
    split: Split
    inner: bool = False  # a cut of odd shape, of which only the inside is used


@dataclass(frozen=True)
class TrainPicture:
    """uint8 (height, width, 3) sRGB, and where it is from. `what` says it more finely than `kind`, such as
    `ukiyo_e`; it is the kind itself for pictures of packages. `masks` are named uint8 (height, width)
    pictures of what a drawing holds, such as `colour_chart`."""

    pixels: Pixels
    source: str
    kind: str
    what: str
    licence: str
    masks: dict[str, Pixels]


@dataclass(frozen=True)
class FontFile:
    """One font of the pool. `scripts` are what it can write, of latin, greek, cyrillic, ja, zh, ko, arabic,
    hebrew, deva, thai; `style` is sans, serif, mono, hand, brush, display or black. Held out by family."""

    path: Path
    package: str
    family: str
    style: str
    scripts: frozenset[str]
    licence: str
    split: Split


def split_of(name: str) -> Split:
    """The split that a name falls into: the same everywhere and for ever."""
    place = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big") % 100
    if place < VALIDATION_FROM:
        return "train"
    return "validation" if place < TEST_FROM else "test"


@cache
def table(path: Path = TABLE) -> dict[str, dict[str, Any]]:
    """The packages, by name: version, digest of the copyright file that was read, and file rules."""
    with path.open("rb") as file:
        return tomllib.load(file)


def sources(pool: Path, split: Split | None = None) -> list[Source]:
    """Every picture file in the pool that the table names and whose licence is free, in order of name."""
    return [source for source in _sources(pool) if split is None or source.split == split]


@cache
def _sources(pool: Path) -> tuple[Source, ...]:
    found = (
        _source(pool, package, entry, root, path)
        for package, entry in table().items()
        for root in _roots(pool, package, entry, "pictures")
        for path in _files(root)
    )
    return tuple(sorted((source for source in found if source), key=lambda source: source.name))


def _source(pool: Path, package: str, entry: dict[str, Any], root: Path, path: Path) -> Source | None:
    relative = path.relative_to(root).as_posix()
    rule = _rule(entry["pictures"], relative)
    if rule is None or path.suffix.lower() not in PICTURES:
        return None
    licence, author = rule["licence"], rule.get("author", "")
    if licence == BY_FILE:
        stanza = stanza_of(
            pool / "packages" / package / "usr/share/doc" / package / "copyright",
            rule.get("source", "") + relative,
            any_suffix=rule.get("any_suffix", False),
            named_only=rule.get("named_only", False),
        )
        if stanza is None or not is_free(stanza.licence):
            return None
        licence, author = stanza.licence, stanza.holders
    name = f"{package}:{relative}"
    part = rule.get("split") or split_of(f"{package}:{_group(rule, relative)}")
    return Source(name, path, rule["kind"], licence, author, part, rule.get("inner", False))


def fonts(pool: Path, split: Split | None = None, script: str | None = None) -> list[FontFile]:
    """Every font in the pool that the table names, in order of path; those that write `script` if given."""
    return [
        font
        for font in _fonts(pool)
        if (split is None or font.split == split) and (script is None or script in font.scripts)
    ]


@cache
def _fonts(pool: Path) -> tuple[FontFile, ...]:
    found = []
    for package, entry in table().items():
        for root in _roots(pool, package, entry, "fonts"):
            for path in _files(root):
                rule = _rule(entry["fonts"], path.relative_to(root).as_posix())
                if rule is None or path.suffix.lower() not in FONTS:
                    continue
                family, scripts = rule["family"], frozenset(rule["scripts"])
                part = rule.get("split") or split_of(f"font:{family}")
                found.append(FontFile(path, package, family, rule["style"], scripts, rule["licence"], part))
    return tuple(sorted(found, key=lambda font: str(font.path)))


def iter_pictures(
    pool: Path,
    split: Split,
    kinds: Sequence[str] = (),
    *,
    side: int = 1024,
    seed: int = 0,
    drawn: int = 0,
) -> Iterator[TrainPicture]:
    """Pictures of one split in an order that `seed` shuffles; each file once, then `drawn` by code.

    `kinds` selects by kind or by finer name (`drawn.SCENES`); empty: everything. The longer side is at most
    `side` pixels. Drawn picture number i is the same for every caller who gives the same `seed`, `side` and
    `kinds`, and no seed draws the same picture in two splits. Files that cannot be decoded are skipped.
    """
    files = [source for source in sources(pool, split) if not kinds or source.kind in kinds]
    order = np.random.default_rng([seed, SPLITS.index(split)]).permutation(len(files))
    for index in order:
        picture = load(files[int(index)], side)
        if picture is not None:
            yield picture
    if drawn:
        from curation.train.drawn import Stock, draw, scenes_of

        stock = Stock.of(pool, split)
        names = scenes_of(kinds)
        for number in range(drawn if names else 0):
            yield draw(names[number % len(names)], seed * 1_000_003 + number, stock, side)


def load(source: Source, side: int = 1024) -> TrainPicture | None:
    """The picture of a file, upright, transparency over white, at most `side` long; None if it is broken."""
    try:
        pixels = shrink(opened(source, side), side)
    except (OSError, ValueError, SyntaxError):
        return None
    return TrainPicture(pixels, source.name, source.kind, source.kind, source.licence, {})


def opened(source: Source, side: int) -> Image.Image:
    """The picture of a file, RGB, upright, not much smaller than `side`. Raises OSError, ValueError and
    SyntaxError for what cannot be decoded."""
    with Image.open(source.path) as image:
        image.draft("RGB", (side, side))
        upright = ImageOps.exif_transpose(image)
        return flat(inside(upright) if source.inner else upright)


def inside(image: Image.Image) -> Image.Image:
    """The largest part around the middle of what is opaque that has no transparency in it."""
    alpha = image.convert("RGBA").getchannel("A").point(lambda value: 255 if value > 250 else 0)
    left, top, right, bottom = alpha.getbbox() or (0, 0, *image.size)
    for share in np.arange(1.0, 0.3, -0.05):
        wide, tall = (right - left) * (1 - share) / 2, (bottom - top) * (1 - share) / 2
        box = (round(left + wide), round(top + tall), round(right - wide), round(bottom - tall))
        if alpha.crop(box).getextrema()[0] == 255:
            break
    return image.crop(box)


def flat(image: Image.Image) -> Image.Image:
    """RGB, with what is transparent laid over white."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(ground, image).convert("RGB")
    return image.convert("RGB")


def shrink(image: Image.Image, side: int) -> Pixels:
    """uint8 (h, w, 3), area-averaged so that the longer side is at most `side`."""
    if max(image.size) > side:
        scale = side / max(image.size)
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.BOX)
    return np.asarray(image.convert("RGB")).copy()


# --------------------------------------------------------------------------- the table's rules


def _roots(pool: Path, package: str, entry: dict[str, Any], what: str) -> list[Path]:
    """The folder that the rules of a package speak of; none where it is not there or was not read."""
    if what not in entry:
        return []
    if entry.get("origin") == "python":
        spec = find_spec(entry["module"])
        base = Path(spec.origin).parent if spec and spec.origin else None
    else:
        base = pool / "packages" / package
        if copyright_digest(base, package) != entry["copyright"]:
            return []
    root = base / entry.get("root", "") if base else None
    return [root] if root and root.is_dir() else []


def copyright_digest(folder: Path, name: str) -> str:
    """SHA-256 of the copyright file of an unpacked package, "" without one."""
    path = folder / "usr/share/doc" / name / "copyright"
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


@cache
def _files(root: Path) -> tuple[Path, ...]:
    """Regular files below a folder, in order; links are left out, so that nothing counts twice."""
    return tuple(sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink()))


def _rule(rules: Sequence[dict[str, Any]], relative: str) -> dict[str, Any] | None:
    """The first rule one of whose globs names the file and none of whose exceptions does."""
    for rule in rules:
        if _any(rule["files"], relative) and not _any(rule.get("except", ()), relative):
            return rule
    return None


def _any(globs: Sequence[str], relative: str) -> bool:
    return any(fnmatchcase(relative, glob) for glob in globs)


def _group(rule: dict[str, Any], relative: str) -> str:
    """What is split as one: the file, its first `group` folders, or what `stem` finds in its path."""
    if "stem" in rule:
        match = re.search(rule["stem"], relative)
        return match[1] if match else relative
    depth = rule.get("group", 0)
    return "/".join(PurePosixPath(relative).parts[:depth]) if depth else relative


if __name__ == "__main__":
    from curation.train.pool import main

    main()
