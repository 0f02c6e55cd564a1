"""Layouts of visible marks, by family. HELD_OUT are never trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from curation.train.overlay.marks import (
    Layer,
    Pen,
    Stamp,
    below,
    beside,
    blank,
    fitted,
    flat,
    lay,
    logo_layer,
    repeated,
    signature,
    text_layer,
    turned,
)

Size = tuple[int, int]  # height, width


def centred(pen: Pen, size: Size) -> Stamp:
    """One name in or near the middle, level or slanting."""
    image = blank(size)
    word = fitted(
        signature(pen, round(min(size) * pen.between(0.05, 0.2))), size[1] * pen.between(0.25, 0.95)
    )
    if pen.chance(0.45):
        word = turned(word, pen.angle())
    lay(image, word, (size[1] * pen.between(0.35, 0.65), size[0] * pen.between(0.25, 0.75)))
    return flat(image, {"brand"}, "centred")


def plain_words(pen: Pen, size: Size) -> Stamp:
    """SAMPLE, PROOF and such, large, mostly from corner to corner."""
    image = blank(size)
    script = pen.script() if pen.chance(0.3) else "latin"
    words = pen.choice(
        ("SAMPLE", "PREVIEW", "PROOF", "DRAFT", "COPY", "DO NOT COPY", "SPECIMEN", "WATERMARK")
    )
    words = {"japanese": "見本", "chinese": "样张", "cyrillic": "ОБРАЗЕЦ"}.get(script, words)
    layer = text_layer(pen, words, script, round(min(size) * pen.between(0.12, 0.3)), pen.between(0, 0.3))
    layer = fitted(layer, min(size) * pen.between(0.6, 1.2))
    lay(image, turned(layer, pen.angle() if pen.chance(0.7) else 0), (size[1] / 2, size[0] / 2))
    return flat(image, {"brand"}, "plain_words")


def logo(pen: Pen, size: Size) -> Stamp:
    """A logo alone or over its name, large in the middle or small at a side."""
    image = blank(size)
    side = round(min(size) * (pen.between(0.2, 0.6) if pen.chance(0.65) else pen.between(0.08, 0.2)))
    layer = logo_layer(pen, side)
    kinds = {"logo"}
    if pen.chance(0.4):
        layer = below(layer, text_layer(pen, pen.name(), "latin", max(8, side // 4)), side // 10)
        kinds.add("brand")
    lay(image, layer, (size[1] * pen.between(0.15, 0.85), size[0] * pen.between(0.15, 0.85)))
    return flat(image, kinds, "logo")


def crossing_lines(pen: Pen, size: Size) -> Stamp:
    """A lattice of thin slanting lines with the name along them, and a number at the foot."""
    image = blank(size)
    draw = ImageDraw.Draw(image)
    step = min(size) * pen.between(0.2, 0.6)
    slope, width = pen.between(0.5, 1.6), int(pen.rng.integers(1, 4))
    weight = int(pen.between(120, 255))
    for start in np.arange(-size[0] / slope - step, size[1] + size[0] / slope + step, step):
        draw.line((start, 0, start + size[0] / slope, size[0]), fill=weight, width=width)
        if pen.chance(0.95):
            draw.line((start, 0, start - size[0] / slope, size[0]), fill=weight, width=width)
    word = turned(
        signature(pen, round(min(size) * pen.between(0.04, 0.1))), float(np.degrees(np.arctan(slope)))
    )
    repeated(image, word, (word.shape[1] + step, word.shape[0] + step * pen.between(0.3, 1)), 0, 0.5)
    if pen.chance(0.5):
        _foot_line(pen, image, f"{pen.name()}  {pen.number()}")
    return flat(image, {"tiled", "brand"}, "crossing_lines")


def cross(pen: Pen, size: Size) -> Stamp:
    """One X from corner to corner, or a few parallel lines, with or without a name in the middle."""
    image = blank(size)
    draw = ImageDraw.Draw(image)
    width = max(1, round(min(size) * pen.between(0.003, 0.02)))
    draw.line((0, 0, size[1], size[0]), fill=255, width=width)
    draw.line((0, size[0], size[1], 0), fill=255, width=width)
    if pen.chance(0.4):
        for share in np.linspace(0, 1, int(pen.rng.integers(3, 7))):
            draw.line((0, share * size[0], size[1], (1 - share) * size[0]), fill=180, width=1)
    if pen.chance(0.8):
        word = fitted(signature(pen, round(min(size) * pen.between(0.06, 0.16))), size[1] * 0.8)
        lay(image, word, (size[1] / 2, size[0] / 2))
    return flat(image, {"tiled", "brand"}, "cross")


def credit_box(pen: Pen, size: Size) -> Stamp:
    """A translucent dark box with a heavy name and a small credit, at the lower right or in the middle."""
    high = min(size) * pen.between(0.05, 0.12)
    name = text_layer(pen, pen.name().split(".")[0], "latin", round(high))
    credit = text_layer(pen, "Credit: " + pen.credit(), "latin", max(7, round(high * 0.45)))
    inner = below(name, credit, round(high * 0.3)) if pen.chance(0.8) else name
    inner = fitted(inner, size[1] * 0.8)
    pad = round(high * pen.between(0.3, 0.9))
    height, width = inner.shape[0] + 2 * pad, inner.shape[1] + 2 * pad
    cover, tone = np.zeros(size, np.uint8), np.zeros(size, np.uint8)
    top = int(np.clip(size[0] * pen.between(0.4, 0.85), 0, max(0, size[0] - height)))
    left = 0 if pen.chance(0.2) else int(np.clip(size[1] * pen.between(0.1, 0.9), 0, max(0, size[1] - width)))
    room = cover[top : top + height, left : left + width]
    room[:] = int(pen.between(110, 200))
    ink = np.zeros((height, width), np.uint8)
    ink[pad : pad + inner.shape[0], pad : pad + inner.shape[1]] = inner
    ink = ink[: room.shape[0], : room.shape[1]]
    np.maximum(room, ink, out=room)
    tone[top : top + height, left : left + width] = ink
    return Stamp(cover, tone, frozenset({"brand"}), "credit_box")


def letter_grid(pen: Pen, size: Size) -> Stamp:
    """One letter or small logo on a level grid, often with the whole name in the middle."""
    image = blank(size)
    side = round(min(size) * pen.between(0.05, 0.14))
    piece = text_layer(pen, pen.name()[:1], "latin", side) if pen.chance(0.6) else logo_layer(pen, side)
    step = max(piece.shape) * pen.between(1.8, 4.5)
    repeated(image, piece, (step, step * pen.between(0.7, 1.2)), 0, 0.5 if pen.chance(0.5) else 0)
    if pen.chance(0.6):
        lay(
            image,
            fitted(text_layer(pen, pen.name(), "latin", side * 2), size[1] * 0.9),
            (size[1] / 2, size[0] / 2),
        )
    kinds = {"tiled", "logo"}
    if pen.chance(0.3):
        return _barred(pen, flat(image, kinds, "letter_grid"))
    return flat(image, kinds, "letter_grid")


def logo_tiles(pen: Pen, size: Size) -> Stamp:
    """Logo and name together, repeated, mostly slanting, in brick order."""
    image = blank(size)
    high = round(min(size) * pen.between(0.03, 0.09))
    word = text_layer(pen, pen.name(script := pen.script()), script, high)
    mark = logo_layer(pen, round(high * pen.between(1.1, 2.2)))
    piece = below(mark, word, high // 3) if pen.chance(0.3) else beside(mark, word, high // 3)
    degrees = pen.angle() if pen.chance(0.7) else 0.0
    step = (piece.shape[1] * pen.between(1.3, 2.2), piece.shape[0] * pen.between(2, 5))
    repeated(image, turned(piece, degrees), step, degrees, 0.5)
    return flat(image, {"tiled", "logo", "brand"}, "logo_tiles")


def side_number(pen: Pen, size: Size) -> Stamp:
    """The name slanting in the middle and an asset number upright along one side."""
    image = blank(size)
    word = fitted(signature(pen, round(min(size) * pen.between(0.06, 0.14))), size[1] * 0.9)
    lay(image, turned(word, pen.angle() if pen.chance(0.6) else 0), (size[1] / 2, size[0] / 2))
    words = f"{pen.name()} | {pen.number()}"
    line = turned(text_layer(pen, words, "latin", max(8, round(min(size) * pen.between(0.02, 0.04)))), 90)
    lay(image, line, (size[1] * (0.03 if pen.chance(0.6) else 0.97), size[0] * pen.between(0.3, 0.7)))
    return flat(image, {"brand"}, "side_number")


def band(pen: Pen, size: Size) -> Stamp:
    """A lighter band across the picture with the name in it, level or slanting."""
    high = round(min(size) * pen.between(0.06, 0.2))
    tall, wide = high * 2, round(np.hypot(*size) * 1.1)
    cover = np.full((tall, wide), int(pen.between(60, 160)), np.uint8)
    word = text_layer(pen, pen.name(script := pen.script()), script, high)
    words = word
    while words.shape[1] < wide * pen.between(0.3, 0.9) and pen.chance(0.7):
        words = beside(words, word, high)
    words = fitted(words, wide * 0.6)
    ink = np.zeros_like(cover)
    y, x = (tall - min(tall, words.shape[0])) // 2, (wide - words.shape[1]) // 2
    ink[y : y + words.shape[0], x : x + words.shape[1]] = words[:tall]
    both = [Image.fromarray(layer) for layer in (np.maximum(cover, ink), ink)]
    degrees = pen.angle() if pen.chance(0.4) else 0.0
    layers = []
    for layer in both:
        turned_layer = layer.rotate(degrees, Image.Resampling.BICUBIC, expand=True)
        image = blank(size)
        image.paste(turned_layer, ((size[1] - turned_layer.width) // 2, (size[0] - turned_layer.height) // 2))
        layers.append(np.asarray(image))
    tone = layers[1] if pen.chance(0.5) else 255 - layers[1]
    return Stamp(layers[0], tone, frozenset({"brand", "tiled"} if words is not word else {"brand"}), "band")


def footer_bar(pen: Pen, size: Size) -> Stamp:
    """A bar along the foot (or head) with name, number and address."""
    empty = np.zeros(size, np.uint8)
    return _barred(pen, Stamp(empty, empty.copy(), frozenset({"brand"}), "footer_bar"))


def corner_line(pen: Pen, size: Size) -> Stamp:
    """A credit line, handle or address near a corner or an edge."""
    image = blank(size)
    script = pen.script() if pen.chance(0.25) else "latin"
    words = (
        pen.credit()
        if script == "latin"
        else "©" + pen.name(script)
        if script != "cyrillic"
        else pen.name(script)
    )
    high = max(8, round(min(size) * pen.between(0.02, 0.065)))
    line = text_layer(pen, words, script, high)
    if pen.chance(0.25):
        line = beside(logo_layer(pen, round(high * 1.6)), line, high // 3)
    _at_edge(pen, image, fitted(line, size[1] * 0.7))
    return flat(image, {"corner"}, "corner_line")


def notice(pen: Pen, size: Size) -> Stamp:
    """A written no: in a corner, across the middle, or tiled."""
    image = blank(size)
    script = pen.script()
    words = pen.notice(script)
    kinds = {"notice"}
    where = pen.choice(("corner", "middle", "tiled", "corner"))
    if where == "corner":
        line = text_layer(pen, words, script, max(9, round(min(size) * pen.between(0.025, 0.08))))
        _at_edge(pen, image, fitted(line, size[1] * 0.8))
        kinds.add("corner")
    elif where == "middle":
        line = fitted(
            text_layer(pen, words, script, round(min(size) * pen.between(0.06, 0.16))), size[1] * 0.95
        )
        lay(
            image,
            turned(line, pen.angle() if pen.chance(0.4) else 0),
            (size[1] / 2, size[0] * pen.between(0.2, 0.8)),
        )
    else:
        line = text_layer(pen, words, script, max(9, round(min(size) * pen.between(0.03, 0.07))))
        degrees = 25.0 if pen.chance(0.3) else pen.angle()
        step = (line.shape[1] * pen.between(1.15, 1.8), line.shape[0] * pen.between(2.5, 6))
        repeated(image, turned(line, degrees), step, degrees, 0.5)
        kinds.add("tiled")
    return flat(image, kinds, "notice")


def tiled_text(pen: Pen, size: Size) -> Stamp:
    """HELD OUT. One name without a logo, repeated over the whole picture."""
    image = blank(size)
    script = pen.script()
    word = text_layer(pen, pen.name(script), script, round(min(size) * pen.between(0.03, 0.08)))
    degrees = pen.angle() if pen.chance(0.8) else 0.0
    step = (word.shape[1] * pen.between(1.2, 2), word.shape[0] * pen.between(2, 5))
    repeated(image, turned(word, degrees), step, degrees, 0.5 if pen.chance(0.5) else 0)
    return flat(image, {"tiled", "brand"}, "tiled_text")


def outline(pen: Pen, size: Size) -> Stamp:
    """HELD OUT. A name or a logo of which only the contour is drawn."""
    stamp = (centred if pen.chance(0.7) else logo)(pen, size)
    image = Image.fromarray(stamp.cover)
    around = np.asarray(image.filter(ImageFilter.MaxFilter(3))).astype(np.int16) - stamp.cover
    return Stamp(np.clip(around, 0, 255).astype(np.uint8), stamp.tone, stamp.kinds, "outline")


def spiral(pen: Pen, size: Size) -> Stamp:
    """HELD OUT. A spiral or rings over the picture, with a name below or in the middle."""
    image = blank(size)
    draw = ImageDraw.Draw(image)
    turns, reach = pen.between(2, 5), min(size) * pen.between(0.25, 0.48)
    angle = np.linspace(0, 2 * np.pi * turns, 240)
    radius = reach * angle / angle[-1]
    x, y = size[1] / 2 + radius * np.cos(angle), size[0] / 2 + radius * np.sin(angle)
    draw.line(list(zip(x.tolist(), y.tolist(), strict=True)), fill=255, width=max(1, round(reach * 0.03)))
    word = fitted(text_layer(pen, pen.name(), "latin", round(min(size) * 0.1)), size[1] * 0.9)
    lay(image, word, (size[1] / 2, size[0] * pen.between(0.5, 0.9)))
    return flat(image, {"brand", "logo"}, "spiral")


def _foot_line(pen: Pen, image: Image.Image, words: str) -> None:
    line = text_layer(pen, words, "latin", max(8, round(min(image.size) * 0.03)))
    lay(image, fitted(line, image.width * 0.95), (image.width / 2, image.height * 0.965))


def _at_edge(pen: Pen, image: Image.Image, line: Layer) -> None:
    """Lay a line near a corner, or the middle of the head or the foot."""
    height, width = line.shape
    margin = round(min(image.size) * pen.between(0.008, 0.06))
    across = pen.choice(("left", "right", "right", "middle"))
    x = {"left": margin + width / 2, "right": image.width - margin - width / 2, "middle": image.width / 2}[
        across
    ]
    y = image.height - margin - height / 2 if pen.chance(0.75) else margin + height / 2
    lay(image, line, (x, y))


def _barred(pen: Pen, stamp: Stamp) -> Stamp:
    """The stamp with a bar along the foot or the head."""
    height, width = stamp.cover.shape
    high = max(12, round(height * pen.between(0.03, 0.09)))
    words = f"{pen.name()}   {pen.number()}   www.{pen.name().split(' ')[0].lower()}.com"
    words = words if pen.chance(0.6) else pen.credit()
    line = fitted(text_layer(pen, words, "latin", round(high * 0.6)), width * 0.95)[: high - 2]
    ink = np.zeros((high, width), np.uint8)
    left = int(pen.between(0, width - line.shape[1]))
    top = (high - line.shape[0]) // 2
    ink[top : top + line.shape[0], left : left + line.shape[1]] = line
    bar = np.maximum(ink, int(pen.between(140, 255)))
    tone = ink if pen.chance(0.7) else 255 - ink
    rows = slice(height - high, height) if pen.chance(0.85) else slice(0, high)
    cover, tones = stamp.cover.copy(), stamp.tone.copy()
    cover[rows], tones[rows] = bar, tone
    return Stamp(cover, tones, stamp.kinds | {"brand"}, stamp.family)


Layout = Callable[[Pen, Size], Stamp]

#: Layout and how often it is drawn in training.
TRAINED: Mapping[Layout, float] = {
    centred: 3.0,
    plain_words: 1.0,
    logo: 2.0,
    crossing_lines: 1.5,
    cross: 1.0,
    credit_box: 1.2,
    letter_grid: 1.5,
    logo_tiles: 2.5,
    side_number: 1.0,
    band: 1.0,
    footer_bar: 1.0,
    corner_line: 2.5,
    notice: 2.0,
}

#: Never trained on. `emboss`, a way of blending (`curation.train.overlay.blending`), is held out as well.
HELD_OUT: tuple[Layout, ...] = (tiled_text, outline, spiral)
