"""What stands on old art and is no mark laid over it: signatures, seals, cartouches, stamps, maps."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from curation.train.overlay.blending import Colours
from curation.train.overlay.lookalike_parts import (
    colours,
    curve,
    over,
    paper,
    soft_noise,
    words,
)
from curation.train.overlay.marks import Pen, fitted, text_layer, turned

_PLATE_WORDS = (
    "View of the Castle", "Anno 1689", "Fig. 12", "del. et sculp.", "PLATE XIV", "Le Pont Neuf",
    "Published as the Act directs", "Tab. III.",
)  # fmt: skip


def painted_signature(pen: Pen, picture: Colours) -> Colours:
    """Brush strokes in a lower corner, in a colour of the picture, with its texture."""
    height, width = picture.shape[:2]
    w = int(width * pen.between(0.08, 0.25))
    h = max(8, int(w * pen.between(0.2, 0.45)))
    scale = 4
    image = Image.new("L", (w * scale, h * scale), 0)
    draw = ImageDraw.Draw(image)
    x, line = 0.05 * w * scale, max(2, int(scale * pen.between(0.7, 2.2)))
    while x < 0.92 * w * scale:
        points = [
            (x + pen.between(0, 0.13) * w * scale, pen.between(0.15, 0.85) * h * scale) for _ in range(5)
        ]
        draw.line(curve(points), fill=int(pen.between(150, 255)), width=line, joint="curve")
        x += pen.between(0.06, 0.14) * w * scale
    ink = np.asarray(image.resize((w, h), Image.Resampling.BOX))
    if pen.chance(0.2):
        ink = fitted(
            text_layer(pen, pen.choice(("Monet", "J. Bach 1871", "A.D.", "Claes", "H. Voss")), "latin", h), w
        )
    worn = np.clip(200 + soft_noise(pen, (ink.shape[0], ink.shape[1]), 2) * 90, 40, 255) / 255
    palette = picture.reshape(-1, 3)
    ink_colour = palette[int(pen.rng.integers(len(palette)))] * pen.between(0.2, 0.8)
    if pen.chance(0.25):
        ink_colour = np.array([pen.between(120, 190), 30, 20])
    left = int(width * (pen.between(0.6, 0.72) if pen.chance(0.7) else pen.between(0.02, 0.1)))
    top = int(height * pen.between(0.85, 0.97)) - ink.shape[0]
    return colours(
        over(picture.astype(np.float32), (ink * worn).astype(np.uint8), (top, left), ink_colour, 0.9)
    )


def red_seal(pen: Pen, picture: Colours) -> Colours:
    """One or more red seals: characters in a square or round frame, positive or negative, uneven ink."""
    out = picture.astype(np.float32)
    height, width = picture.shape[:2]
    for _ in range(int(pen.rng.integers(1, 4))):
        side = int(min(height, width) * pen.between(0.04, 0.14))
        signs = [pen.choice("印章書画山水風月堂齋之子大正文化春秋寿福") for _ in range(4)]
        text = signs[0] + signs[1] + "\n" + signs[2] + signs[3]
        ink = text_layer(pen, text, "japanese", side)
        ink = np.asarray(Image.fromarray(np.pad(ink, side // 4)).resize((side, side), Image.Resampling.BOX))
        image = Image.fromarray(ink)
        draw = ImageDraw.Draw(image)
        shape = draw.ellipse if pen.chance(0.25) else draw.rectangle
        shape((0, 0, side - 1, side - 1), outline=255, width=max(1, side // 16))
        ink = 255 - np.asarray(image) if pen.chance(0.4) else np.asarray(image)
        ink = (ink * np.clip(0.9 + soft_noise(pen, ink.shape, 3) * 0.35, 0.2, 1)).astype(np.uint8)
        red = np.array([pen.between(150, 215), pen.between(20, 70), pen.between(15, 60)])
        at = (int(pen.between(0.02, 0.9) * height), int(pen.between(0.02, 0.9) * width))
        out = over(out, turned(ink, pen.between(-4, 4)), at, red, pen.between(0.6, 1))
    return colours(out)


def cartouche(pen: Pen, picture: Colours) -> Colours:
    """Title boxes of woodblock prints: upright text in a coloured frame, a publisher's mark beside it."""
    out = picture.astype(np.float32)
    height, width = picture.shape[:2]
    for _ in range(int(pen.rng.integers(1, 4))):
        em = int(min(height, width) * pen.between(0.025, 0.06))
        count = int(pen.rng.integers(3, 9))
        signs = "東海道五十三次之内富嶽三十六景広重画北斎改為一筆江戸名所百景"
        text = "\n".join(pen.choice(signs) for _ in range(count))
        ink = np.pad(text_layer(pen, text, "japanese", em), em // 3)
        at = (int(pen.between(0.02, 0.7) * height), int(pen.between(0.02, 0.92) * width))
        if pen.chance(0.7):
            box = np.array([pen.between(150, 245), pen.between(60, 225), pen.between(40, 190)])
            out = over(out, np.full_like(ink, 255), at, box, 1.0)
            frame = np.full_like(ink, 255)
            frame[2:-2, 2:-2] = 0
            out = over(out, frame, at, np.array([40, 30, 30]), 0.9)
        worn = np.clip(0.95 + soft_noise(pen, (ink.shape[0], ink.shape[1]), 3) * 0.3, 0.3, 1)
        out = over(out, (ink * worn).astype(np.uint8), at, np.array([35, 28, 30]), 0.95)
    return colours(out)


def museum_stamp(pen: Pen, picture: Colours) -> Colours:
    """A collection's inked stamp on paper: round or oval, small, uneven, in black, blue or red."""
    out = picture.astype(np.float32)
    height, width = picture.shape[:2]
    side = int(min(height, width) * pen.between(0.05, 0.15))
    image = Image.new("L", (side, side), 0)
    draw = ImageDraw.Draw(image)
    draw.ellipse((0, side * 0.1, side - 1, side * 0.9), outline=255, width=max(1, side // 24))
    text = pen.choice(
        ("MUSEE\nDU\nROI", "BIBL.\nREG.", "R.F.", "K.K.\nKUPFER", "BM\n1868", "COLL.\nD.A.", "帝國\n圖書")
    )
    ink = text_layer(pen, text, "japanese" if text[0] == "帝" else "latin", max(7, side // 4))
    layer = np.asarray(image).copy()
    ink = fitted(ink, side * 0.7)[: side - 2]
    top, left = (side - ink.shape[0]) // 2, (side - ink.shape[1]) // 2
    layer[top : top + ink.shape[0], left : left + ink.shape[1]] |= ink
    layer = (layer * np.clip(0.7 + soft_noise(pen, layer.shape, 3) * 0.5, 0.05, 1)).astype(np.uint8)
    colour = np.array([[40, 40, 50], [40, 50, 140], [160, 40, 40], [90, 50, 110]][int(pen.rng.integers(4))])
    at = (int(pen.between(0, 0.88) * height), int(pen.between(0, 0.88) * width))
    return colours(over(out, turned(layer, pen.between(-25, 25)), at, colour, pen.between(0.4, 0.9)))


def inventory_number(pen: Pen, picture: Colours) -> Colours:
    """A number in small letters or a paper label near an edge, as collections write it on the sheet."""
    out = picture.astype(np.float32)
    height, width = picture.shape[:2]
    em = max(8, int(min(height, width) * pen.between(0.018, 0.04)))
    number = f"{pen.choice(('', 'Inv. ', 'No ', 'PK-', 'RP-P-', '1', 'B.'))}{pen.rng.integers(10, 99999)}"
    ink = np.pad(turned(text_layer(pen, number, "latin", em), pen.between(-5, 5)), em // 3)
    at = (int(pen.choice(("2", "88"))) * height // 100, int(pen.between(0.02, 0.8) * width))
    if pen.chance(0.3):
        out = over(out, np.full_like(ink, 255), at, np.array([238, 230, 205]), 1.0)
    return colours(
        over(out, ink, at, np.array([60, 50, 45]) if pen.chance(0.7) else np.array([170, 40, 40]), 0.8)
    )


def engraved_caption(pen: Pen, picture: Colours) -> Colours:
    """A plate on paper with its engraved lines and serif words below."""
    height, width = picture.shape[:2]
    sheet = paper(pen, (height, width)).astype(np.float32)
    top, side = int(height * pen.between(0.03, 0.1)), int(width * pen.between(0.03, 0.12))
    plate_height = int(height * pen.between(0.65, 0.8))
    grey = (
        Image.fromarray(picture).convert("L").resize((width - 2 * side, plate_height), Image.Resampling.BOX)
    )
    tone = np.asarray(grey, np.float32) / 255
    rows = np.arange(plate_height)[:, None] + np.arange(width - 2 * side)[None] * pen.between(-1, 1)
    lines = 0.5 + 0.5 * np.sin(rows * 2 * np.pi / pen.between(2.5, 5))
    dark = np.clip((lines > tone) * 0.8 if pen.chance(0.7) else 1 - tone, 0, 1)
    area = sheet[top : top + plate_height, side : width - side]
    area *= (1 - 0.85 * dark)[..., None]
    at = top + plate_height + height * 0.02
    for share in (0.05, 0.03, 0.025)[: int(pen.rng.integers(1, 4))]:
        text = pen.choice((*_PLATE_WORDS, words(pen, 5)))
        line = fitted(
            text_layer(pen, text, "latin", max(8, int(height * share)), pen.between(0, 0.3)), width * 0.9
        )
        sheet = over(sheet, line, (int(at), (width - line.shape[1]) // 2), np.array([45, 40, 38]), 0.85)
        at += line.shape[0] * 1.6
    return colours(sheet)


def chart(pen: Pen, picture: Colours) -> Colours:
    """A map: coastlines, a graticule, spaced and slanting names, a scale."""
    height, width = picture.shape[:2]
    sheet = paper(pen, (height, width)).astype(np.float32)
    land = soft_noise(pen, (height, width), int(pen.rng.integers(3, 7)))
    sheet += (land > 0)[..., None] * pen.rng.uniform(-40, 10, 3)
    edge = np.abs(land) < 0.05
    sheet[edge] = sheet[edge] * 0.4
    step = int(pen.between(40, 140))
    sheet[::step] *= 0.75
    sheet[:, ::step] *= 0.75
    for _ in range(int(pen.rng.integers(6, 25))):
        script = "latin" if pen.chance(0.7) else pen.script()
        em = int(pen.between(8, 26))
        line = text_layer(
            pen, words(pen, 1, script), script, em, pen.between(0, 0.9) if pen.chance(0.5) else 0
        )
        line = turned(fitted(line, width * 0.7), pen.between(-40, 40) if pen.chance(0.4) else 0)
        at = (int(pen.between(0, 0.95) * height), int(pen.between(-0.1, 0.9) * width))
        sheet = over(sheet, line, at, pen.rng.uniform(0, 90, 3), pen.between(0.6, 1))
    return colours(sheet)
