"""Changes that add a no to a world, at a place where it applies, drawn with dice. And what a proof is."""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from hypothesis import strategies as st

from tests.core.worlds import World

Change = Callable[[World, Random], World]

NAMES = ("*", "Kyodaku", "DemoBot", "kyodaku/2.0", "GPTBot", "CCBot")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_INSIDE = ("allow", "disallow", "content", "crawl")


@dataclass(frozen=True)
class Proof:
    """What one protocol is proved with.

    `worlds` holds its own grammar and noise, in all its channels; `refusals` every way to say no; `grants`
    worlds that it grants; `speaks` worlds in which it says anything else. A protocol that never refuses, or
    never grants, says so in `silent`.
    """

    worlds: st.SearchStrategy[World]
    refusals: Mapping[str, Change]
    grants: tuple[World, ...] = ()
    speaks: tuple[World, ...] = ()
    silent: str = ""


def cased(text: str, dice: Random) -> str:
    """`text` in some case of letters."""
    return dice.choice((text, text, text.upper(), text.lower(), text.title()))


def one_of(*changes: Change) -> Change:
    """Any of `changes`."""
    return lambda world, dice: dice.choice(changes)(world, dice)


# ----------------------------------------------------------------------------------------- text files


def _of(world: World, path: str) -> str:
    return world.files.get(path, b"").decode("utf-8", "surrogateescape")


def with_file(world: World, path: str, text: str) -> World:
    """`world` with another file."""
    body = text.encode("utf-8", "surrogateescape")
    return replace(world, files={**world.files, path: body})


def robots_line(lines: Sequence[str], path: str = "/robots.txt", names: Sequence[str] = NAMES) -> Change:
    """One of `lines`, in a group of its own at the end or (before another group) at the beginning, or behind
    a line of a group that is there."""

    def add(world: World, dice: Random) -> World:
        text = _of(world, path)
        if text.lstrip().startswith("{") or _CONTROL.search(text):  # no place for a line, or no text at all
            return world
        key, colon, value = dice.choice(lines).partition(":")
        gap = dice.choice((": ", ":", " : ", ":\t"))
        line = f"{cased(key, dice)}{gap if colon else ''}{value.strip()}"
        agents = "".join(f"User-agent: {name}\n" for name in dice.sample(names, dice.randint(1, 3)))
        group = f"{agents}{line}\n"
        place = dice.choice(("end", "begin", "inside"))
        if place == "begin" and text.lower().startswith("user-agent:"):
            return with_file(world, path, group + text)
        rows = text.splitlines(keepends=True)
        inside = [n for n, row in enumerate(rows) if row.lower().startswith(_INSIDE) and row.endswith("\n")]
        if place == "inside" and inside and "user-agent:" in "".join(rows[: inside[0]]).lower():
            rows.insert(dice.choice(inside) + 1, line + "\n")
            return with_file(world, path, "".join(rows))
        return with_file(world, path, f"{text}\n\n{group}")

    return add


def any_line(path: str, lines: Sequence[str]) -> Change:
    """One of `lines` at the beginning, in the middle or at the end."""

    def add(world: World, dice: Random) -> World:
        rows = _of(world, path).replace("\r", "\n").split("\n")
        if rows[0].lstrip().startswith("{"):  # no place for a line
            return world
        key, mark, value = dice.choice(lines).partition(":")
        rows.insert(dice.randint(0, len(rows)), f"{cased(key, dice)}{mark}{value}")
        return with_file(world, path, dice.choice(("\n", "\r\n")).join(rows))

    return add


def json_member(path: str, members: Sequence[str]) -> Change:
    """A further member of the object, as the first or the last."""

    def add(world: World, dice: Random) -> World:
        text, member = _of(world, path).strip(), dice.choice(members)
        if not (text.startswith("{") and text.endswith("}")):
            return with_file(world, path, f"{{{member}}}") if not text else world
        inside = text[1:-1].strip()
        if not inside:
            return with_file(world, path, f"{{{member}}}")
        both = (member, inside) if dice.random() < 0.5 else (inside, member)
        return with_file(world, path, f"{{{both[0]},{both[1]}}}")

    return add


def json_entry(path: str, entries: Sequence[str]) -> Change:
    """A further entry of the array, anywhere."""

    def add(world: World, dice: Random) -> World:
        try:
            known = json.loads(_of(world, path) or "[]")
        except ValueError:
            return world
        if not isinstance(known, list):
            return world
        written = [json.dumps(item) for item in known]
        written.insert(dice.choice((0, dice.randint(0, len(written)))), dice.choice(entries))
        return with_file(world, path, f"[{', '.join(written)}]")

    return add


# ------------------------------------------------------------------------------------------- headers


def header(name: str, values: Sequence[str], join: bool = True) -> Change:
    """A header with one of `values`, of the page or the image, as a field of its own or before the value of
    one that is there."""

    def add(world: World, dice: Random) -> World:
        where = dice.choice(("page_headers", "image_headers"))
        fields = list(getattr(world, where))
        value = dice.choice(values)
        known = [n for n, (key, _) in enumerate(fields) if key.lower() == name.lower()]
        if join and known and dice.random() < 0.5:
            at = dice.choice(known)
            fields[at] = (fields[at][0], f"{value}, {fields[at][1]}")
        else:
            fields.insert(dice.randint(0, len(fields)), (cased(name, dice), value))
        return replace(world, **{where: tuple(fields)})  # type: ignore[arg-type]

    return add


# -------------------------------------------------------------------------------------------- markup


def markup(*texts: str) -> Change:
    """One of `texts` between two lines of the page, which are whole elements."""

    def add(world: World, dice: Random) -> World:
        rows = world.html.split("\n")
        rows.insert(dice.randint(0, len(rows)), dice.choice(texts))
        return replace(world, html="\n".join(rows))

    return add


# -------------------------------------------------------------------------------------------- images


def packet(*packets: bytes) -> Change:
    """One of the XMP `packets`, as a block of the file that is there."""
    return lambda world, dice: replace(world, image=with_packet(world.image, dice.choice(packets)))


def with_packet(image: bytes, xmp: bytes) -> bytes:
    """`image` with one more XMP packet where its format has them; of what is no such file, behind its end."""
    if image[:4] == b"RIFF" and image[8:12] == b"WEBP":
        return _riff(image, b"XMP ", xmp)
    if image.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(image, b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00" + xmp)
    if image.startswith(b"\xff\xd8\xff"):
        return _jpeg(image, 0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + xmp)
    if image.startswith(b"GIF8") and image.endswith(b"\x3b"):
        trailer = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"
        return image[:-1] + b"!\xff\x0bXMP DataXMP" + xmp + trailer + b"\x3b"
    return image + xmp


def with_text(image: bytes, text: str) -> bytes:
    """`image` with a copyright notice in a block of its own."""
    if image.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(image, b"iTXt", b"Copyright\x00\x00\x00\x00\x00" + text.encode())
    if image.startswith(b"\xff\xd8\xff"):
        return _jpeg(image, 0xFE, text.encode())
    return image


def _riff(image: bytes, kind: bytes, data: bytes) -> bytes:
    body = image[8:] + kind + struct.pack("<I", len(data)) + data + b"\x00" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _png(image: bytes, kind: bytes, data: bytes) -> bytes:
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return image[:33] + chunk + image[33:]


def _jpeg(image: bytes, marker: int, data: bytes) -> bytes:
    return image[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data + image[2:]
