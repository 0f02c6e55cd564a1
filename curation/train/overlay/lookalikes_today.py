"""Pictures of today that look marked and are not: signs, shirts, comics, screenshots, captions, fences."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from curation.train.overlay.blending import Colours
from curation.train.overlay.lookalike_parts import (
    colours,
    over,
    paper,
    pinned,
    soft_noise,
    two_colours,
    words,
)
from curation.train.overlay.marks import Pen, fitted, text_layer


def sign(pen: Pen, picture: Colours) -> Colours:
    """A board with opaque text, seen at an angle and lit like the scene."""
    script = pen.script()
    for _ in range(int(pen.rng.integers(1, 4))):
        high = round(min(picture.shape[:2]) * pen.between(0.05, 0.2))
        lines = "\n".join(
            words(pen, int(pen.rng.integers(1, 4)), script) for _ in range(int(pen.rng.integers(1, 4)))
        )
        ink = fitted(text_layer(pen, lines, script, high), picture.shape[1] * 0.8)
        pad = max(3, high // 2)
        ink = np.pad(ink, pad)
        board, colour = two_colours(pen)
        panel = board + (colour - board) * (ink[..., None] / 255.0)
        panel = panel + soft_noise(pen, (ink.shape[0], ink.shape[1]), 6)[..., None] * pen.between(2, 18)
        if pen.chance(0.4):
            ImageDraw.Draw(frame := Image.fromarray(colours(panel))).rectangle(
                (1, 1, ink.shape[1] - 2, ink.shape[0] - 2), outline=tuple(int(c) for c in colour), width=2
            )
            panel = np.asarray(frame).astype(np.float32)
        picture = pinned(pen, picture, colours(panel), np.full(ink.shape, 255, np.uint8))
    return picture


def painted_on(pen: Pen, picture: Colours) -> Colours:
    """Letters painted, printed or carved on a surface: shirts, walls, vans. Warped, worn, shaded."""
    script = pen.script()
    high = round(min(picture.shape[:2]) * pen.between(0.06, 0.25))
    ink = fitted(
        text_layer(pen, words(pen, int(pen.rng.integers(1, 4)), script), script, high), picture.shape[1] * 0.8
    )
    ink = np.pad(ink, 3)
    worn = np.clip(255 + soft_noise(pen, (ink.shape[0], ink.shape[1]), 3) * pen.between(0, 130), 90, 255)
    ink = (ink * (worn / 255)).astype(np.uint8)
    colour = pen.rng.uniform(0, 255, 3)
    if pen.chance(0.5):  # a patch of cloth or wall below it
        cloth = np.ones((ink.shape[0] * 2, ink.shape[1] + ink.shape[0], 3), np.float32) * pen.rng.uniform(
            20, 255, 3
        )
        cloth += soft_noise(pen, (cloth.shape[0], cloth.shape[1]), 5)[..., None] * pen.between(5, 35)
        top, left = ink.shape[0] // 2, ink.shape[0] // 2
        area = cloth[top : top + ink.shape[0], left : left + ink.shape[1]]
        area += (colour - area) * (ink[..., None] / 255.0)
        return pinned(pen, picture, colours(cloth), np.full(cloth.shape[:2], 255, np.uint8))
    panel = (
        np.ones((*ink.shape, 3)) * colour + soft_noise(pen, (ink.shape[0], ink.shape[1]), 5)[..., None] * 12
    )
    return pinned(pen, picture, colours(panel), ink)


def comic(pen: Pen, picture: Colours) -> Colours:
    """Panels with gutters, screentone, speech balloons and sound words."""
    height, width = picture.shape[:2]
    image = Image.fromarray(picture)
    if pen.chance(0.7):
        image = image.convert("L").point(lambda v: 255 if v > 150 else (190 if v > 90 else 20)).convert("RGB")
    draw = ImageDraw.Draw(image)
    gutter = int(pen.rng.integers(3, 10))
    for y in np.cumsum(pen.rng.integers(height // 5, height // 2, 4)):
        draw.rectangle((0, int(y), width, int(y) + gutter), fill="white", outline="black")
    x = int(pen.rng.integers(width // 4, 3 * width // 4))
    draw.rectangle((x, -2, x + gutter, height), fill="white", outline="black")
    for _ in range(int(pen.rng.integers(1, 6))):
        script = pen.script()
        lines = "\n".join(words(pen, 3, script) for _ in range(int(pen.rng.integers(1, 4))))
        if script in ("japanese", "chinese") and pen.chance(0.7):
            lines = "\n".join(words(pen, 4, script))
        ink = fitted(text_layer(pen, lines, script, int(pen.between(9, 22))), width * 0.6)
        x, y = int(pen.rng.integers(0, width)), int(pen.rng.integers(0, height))
        h, w = ink.shape
        draw.ellipse(
            (x - w * 0.75, y - h * 0.8, x + w * 0.75, y + h * 0.8), fill="white", outline="black", width=2
        )
        image.paste((0, 0, 0), (x - w // 2, y - h // 2), Image.fromarray(ink))
    return np.asarray(image)


def screenshot(pen: Pen, picture: Colours) -> Colours:
    """Windows, menus, lists and text on plain colours, with the picture as desktop or in a pane."""
    height, width = picture.shape[:2]
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    for _ in range(int(pen.rng.integers(1, 4))):
        w, h = int(width * pen.between(0.4, 1)), int(height * pen.between(0.4, 1))
        x, y = int(pen.between(-20, width - w / 2)), int(pen.between(-20, height - h / 2))
        paperlike, ink = two_colours(pen) if pen.chance(0.3) else (np.full(3, 248.0), np.full(3, 30.0))
        draw.rectangle((x, y, x + w, y + h), fill=tuple(int(c) for c in paperlike), outline=(120, 120, 120))
        draw.rectangle((x, y, x + w, y + 16), fill=tuple(int(c) for c in pen.rng.integers(40, 230, 3)))
        em, at = int(pen.between(8, 14)), y + 22
        script = pen.script()
        while at < min(y + h - em, height):
            line = fitted(
                text_layer(pen, words(pen, int(pen.rng.integers(2, 9)), script), script, em), w - 12
            )
            image.paste(tuple(int(c) for c in ink), (x + 6, at), Image.fromarray(line))
            at += int(em * pen.between(1.3, 2.2))
    return np.asarray(image)


def title_card(pen: Pen, picture: Colours) -> Colours:
    """A poster or title card: large opaque words on a plain ground or over the picture."""
    height, width = picture.shape[:2]
    ground, ink = two_colours(pen)
    card = picture.astype(np.float32)
    if pen.chance(0.5):
        card = np.ones_like(card) * ground + soft_noise(pen, (height, width), 4)[..., None] * 8
    at = height * pen.between(0.1, 0.3)
    script = pen.script()
    for _ in range(int(pen.rng.integers(1, 4))):
        line = fitted(text_layer(pen, words(pen, int(pen.rng.integers(1, 4)), script), script,
                                 round(height * pen.between(0.06, 0.2))), width * 0.9)  # fmt: skip
        card = over(card, line, (int(at), int((width - line.shape[1]) / 2)), ink, 1.0)
        at += line.shape[0] * pen.between(1.2, 2)
    return colours(card)


def caption(pen: Pen, picture: Colours) -> Colours:
    """A subtitle or meme text burnt in: opaque, with a dark contour, at the foot or the head."""
    height, width = picture.shape[:2]
    script = pen.script()
    em = round(height * pen.between(0.035, 0.1))
    line = fitted(text_layer(pen, words(pen, int(pen.rng.integers(3, 8)), script), script, em), width * 0.92)
    line = np.pad(line, 3)
    around = np.asarray(Image.fromarray(line).filter(ImageFilter.MaxFilter(5 if em > 16 else 3)))
    top = height - line.shape[0] - int(height * pen.between(0.01, 0.1))
    top = top if pen.chance(0.75) else int(height * pen.between(0.01, 0.08))
    left = (width - line.shape[1]) // 2
    under = over(picture.astype(np.float32), around, (top, left), np.zeros(3), 1.0)
    ink = np.array([255, 255, 255]) if pen.chance(0.7) else np.array([250, 230, 60])
    return colours(over(under, line, (top, left), ink, 1.0))


def text_page(pen: Pen, picture: Colours) -> Colours:
    """A page of print or writing on paper, with the picture as an illustration in some."""
    height, width = picture.shape[:2]
    sheet = paper(pen, (height, width)).astype(np.float32)
    script, em, at = pen.script(), int(pen.between(8, 18)), height * 0.05
    ink = np.full(3, pen.between(10, 80))
    while at < height * 0.93:
        line = fitted(
            text_layer(pen, words(pen, int(pen.rng.integers(5, 12)), script), script, em), width * 0.86
        )
        sheet = over(sheet, line, (int(at), int(width * 0.07)), ink, pen.between(0.7, 1))
        at += em * 1.5
    if pen.chance(0.5):
        h, w = height // 2, width // 2
        y, x = int(pen.between(0, h)), int(pen.between(0, w))
        sheet[y : y + h, x : x + w] = picture[:h, :w]
    return colours(sheet)


def fence(pen: Pen, picture: Colours) -> Colours:
    """Lines that belong to the scene: a mesh, window bars, wires, tiles; lit, bent, of uneven width."""
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    bend = soft_noise(pen, (height, width), 3) * pen.between(0, 25)
    layer = np.zeros((height, width), np.float32)
    angle, step, thick = pen.between(0, np.pi), pen.between(18, 120), pen.between(1, 7)
    for turn in (0.0, np.pi / 2 if pen.chance(0.6) else pen.between(0.3, 2))[: 1 + int(pen.chance(0.8))]:
        along = rows * np.cos(angle + turn) + columns * np.sin(angle + turn) + bend
        away = np.abs((along / step) % 1 - 0.5) * step
        layer = np.maximum(layer, np.clip(thick / 2 + 0.5 - away, 0, 1))
    shade = pen.rng.uniform(0, 255, 3) + soft_noise(pen, (height, width), 5)[..., None] * 40
    return colours(picture + layer[..., None] * (shade - picture))


def grained(pen: Pen, picture: Colours) -> Colours:
    """Film grain, canvas weave, halftone or craquelure over the whole picture."""
    height, width = picture.shape[:2]
    out = picture.astype(np.float32)
    kind = int(pen.rng.integers(4))
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    if kind == 0:
        out += pen.rng.normal(0, pen.between(4, 30), (height, width))[..., None]
    elif kind == 1:
        pitch = pen.between(2.5, 7)
        weave = np.sin(rows * 2 * np.pi / pitch) + np.sin(columns * 2 * np.pi / pitch)
        out += (weave * pen.between(2, 10))[..., None]
    elif kind == 2:
        pitch, angle = pen.between(3, 8), pen.between(0, 1.5)
        u, v = rows * np.cos(angle) + columns * np.sin(angle), columns * np.cos(angle) - rows * np.sin(angle)
        dots = np.cos(u * 2 * np.pi / pitch) * np.cos(v * 2 * np.pi / pitch)
        out = np.where(dots[..., None] * 110 + 128 < out, 245, out * 0.35)
    else:
        cracks = np.abs(soft_noise(pen, (height, width), 40)) < pen.between(0.02, 0.06)
        out[cracks] *= pen.between(0.4, 0.8)
    return colours(out)
