"""Pictures with real text, stamps and lines in them that are no marks laid over: what must not be flagged.

Each function draws on a background and gives the picture. Signs, comics, screenshots, T-shirts, title cards,
captions; painted signatures, seals, cartouches, museum stamps, inventory numbers, engraved captions, map
lettering; grids and fences that are part of the scene.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from curation.train.blending import Colours
from curation.train.marks import Layer, Pen, fitted, logo_layer, text_layer, turned

Floats = npt.NDArray[np.floating]

_WORDS = (
    "open exit bakery hotel street market station north the cafe wine bread number tax school ticket platform "
    "closed sale museum of park garden road works stop ahead no parking welcome to bridge river fish fresh"
).split()


def words(pen: Pen, count: int, script: str = "latin") -> str:
    """Everyday words, or signs of the script."""
    if script != "latin":
        return "".join(pen.name(script) for _ in range(max(1, count // 2)))
    text = " ".join(pen.choice(_WORDS) for _ in range(count))
    return text.upper() if pen.chance(0.4) else text.capitalize()


def paper(pen: Pen, size: tuple[int, int]) -> Colours:
    """Aged or white paper with a soft tone and some foxing, uint8 (h, w, 3)."""
    base = np.array([pen.between(205, 255), pen.between(195, 245), pen.between(165, 240)])
    base = np.minimum(base, base[0]) if pen.chance(0.7) else np.full(3, pen.between(225, 255))
    sheet = np.ones((*size, 3), np.float32) * base
    sheet += _soft_noise(pen, size, 8)[..., None] * pen.between(2, 14)
    sheet += pen.rng.normal(0, pen.between(0.5, 4), size)[..., None]
    for _ in range(int(pen.rng.integers(0, 25)) if pen.chance(0.4) else 0):
        y, x, r = pen.rng.integers(0, size[0]), pen.rng.integers(0, size[1]), pen.rng.integers(1, 7)
        sheet[max(0, y - r) : y + r, max(0, x - r) : x + r] -= np.array([12, 25, 40]) * pen.between(0.3, 1)
    return _colours(sheet)


def sign(pen: Pen, picture: Colours) -> Colours:
    """A board with opaque text, seen at an angle and lit like the scene."""
    script = pen.script()
    for _ in range(int(pen.rng.integers(1, 4))):
        high = round(min(picture.shape[:2]) * pen.between(0.05, 0.2))
        lines = "\n".join(words(pen, int(pen.rng.integers(1, 4)), script) for _ in range(int(pen.rng.integers(1, 4))))
        ink = fitted(text_layer(pen, lines, script, high), picture.shape[1] * 0.8)
        pad = max(3, high // 2)
        ink = np.pad(ink, pad)
        board, colour = _two_colours(pen)
        panel = board + (colour - board) * (ink[..., None] / 255.0)
        panel = panel + _soft_noise(pen, (ink.shape[0], ink.shape[1]), 6)[..., None] * pen.between(2, 18)
        if pen.chance(0.4):
            ImageDraw.Draw(frame := Image.fromarray(_colours(panel))).rectangle(
                (1, 1, ink.shape[1] - 2, ink.shape[0] - 2), outline=tuple(int(c) for c in colour), width=2
            )
            panel = np.asarray(frame).astype(np.float32)
        picture = _pinned(pen, picture, _colours(panel), np.full(ink.shape, 255, np.uint8))
    return picture


def painted_on(pen: Pen, picture: Colours) -> Colours:
    """Letters painted, printed or carved on a surface: shirts, walls, vans. Warped, worn, shaded."""
    script = pen.script()
    high = round(min(picture.shape[:2]) * pen.between(0.06, 0.25))
    ink = fitted(text_layer(pen, words(pen, int(pen.rng.integers(1, 4)), script), script, high), picture.shape[1] * 0.8)
    ink = np.pad(ink, 3)
    worn = np.clip(255 + _soft_noise(pen, (ink.shape[0], ink.shape[1]), 3) * pen.between(0, 130), 90, 255)
    ink = (ink * (worn / 255)).astype(np.uint8)
    colour = pen.rng.uniform(0, 255, 3)
    if pen.chance(0.5):  # a patch of cloth or wall below it
        cloth = np.ones((ink.shape[0] * 2, ink.shape[1] + ink.shape[0], 3), np.float32) * pen.rng.uniform(20, 255, 3)
        cloth += _soft_noise(pen, (cloth.shape[0], cloth.shape[1]), 5)[..., None] * pen.between(5, 35)
        top, left = ink.shape[0] // 2, ink.shape[0] // 2
        area = cloth[top : top + ink.shape[0], left : left + ink.shape[1]]
        area += (colour - area) * (ink[..., None] / 255.0)
        return _pinned(pen, picture, _colours(cloth), np.full(cloth.shape[:2], 255, np.uint8))
    panel = np.ones((*ink.shape, 3)) * colour + _soft_noise(pen, (ink.shape[0], ink.shape[1]), 5)[..., None] * 12
    return _pinned(pen, picture, _colours(panel), ink)


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
        draw.ellipse((x - w * 0.75, y - h * 0.8, x + w * 0.75, y + h * 0.8), fill="white", outline="black", width=2)
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
        paperlike, ink = _two_colours(pen) if pen.chance(0.3) else (np.full(3, 248.0), np.full(3, 30.0))
        draw.rectangle((x, y, x + w, y + h), fill=tuple(int(c) for c in paperlike), outline=(120, 120, 120))
        draw.rectangle((x, y, x + w, y + 16), fill=tuple(int(c) for c in pen.rng.integers(40, 230, 3)))
        em, at = int(pen.between(8, 14)), y + 22
        script = pen.script()
        while at < min(y + h - em, height):
            line = fitted(text_layer(pen, words(pen, int(pen.rng.integers(2, 9)), script), script, em), w - 12)
            image.paste(tuple(int(c) for c in ink), (x + 6, at), Image.fromarray(line))
            at += int(em * pen.between(1.3, 2.2))
    return np.asarray(image)


def title_card(pen: Pen, picture: Colours) -> Colours:
    """A poster or title card: large opaque words on a plain ground or over the picture."""
    height, width = picture.shape[:2]
    ground, ink = _two_colours(pen)
    card = picture.astype(np.float32)
    if pen.chance(0.5):
        card = np.ones_like(card) * ground + _soft_noise(pen, (height, width), 4)[..., None] * 8
    at = height * pen.between(0.1, 0.3)
    script = pen.script()
    for _ in range(int(pen.rng.integers(1, 4))):
        line = fitted(text_layer(pen, words(pen, int(pen.rng.integers(1, 4)), script), script,
                                 round(height * pen.between(0.06, 0.2))), width * 0.9)  # fmt: skip
        card = _over(card, line, (int(at), int((width - line.shape[1]) / 2)), ink, 1.0)
        at += line.shape[0] * pen.between(1.2, 2)
    return _colours(card)


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
    under = _over(picture.astype(np.float32), around, (top, left), np.zeros(3), 1.0)
    ink = np.array([255, 255, 255]) if pen.chance(0.7) else np.array([250, 230, 60])
    return _colours(_over(under, line, (top, left), ink, 1.0))


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
        points = [(x + pen.between(0, 0.13) * w * scale, pen.between(0.15, 0.85) * h * scale) for _ in range(5)]
        draw.line(_curve(points), fill=int(pen.between(150, 255)), width=line, joint="curve")
        x += pen.between(0.06, 0.14) * w * scale
    ink = np.asarray(image.resize((w, h), Image.Resampling.BOX))
    if pen.chance(0.2):
        ink = fitted(text_layer(pen, pen.choice(("Monet", "J. Bach 1871", "A.D.", "Claes", "H. Voss")), "latin", h), w)
    worn = np.clip(200 + _soft_noise(pen, (ink.shape[0], ink.shape[1]), 2) * 90, 40, 255) / 255
    colours = picture.reshape(-1, 3)
    ink_colour = colours[int(pen.rng.integers(len(colours)))] * pen.between(0.2, 0.8)
    if pen.chance(0.25):
        ink_colour = np.array([pen.between(120, 190), 30, 20])
    left = int(width * (pen.between(0.6, 0.72) if pen.chance(0.7) else pen.between(0.02, 0.1)))
    top = int(height * pen.between(0.85, 0.97)) - ink.shape[0]
    return _colours(_over(picture.astype(np.float32), (ink * worn).astype(np.uint8), (top, left), ink_colour, 0.9))


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
        ink = (ink * np.clip(0.9 + _soft_noise(pen, ink.shape, 3) * 0.35, 0.2, 1)).astype(np.uint8)
        red = np.array([pen.between(150, 215), pen.between(20, 70), pen.between(15, 60)])
        at = (int(pen.between(0.02, 0.9) * height), int(pen.between(0.02, 0.9) * width))
        out = _over(out, turned(ink, pen.between(-4, 4)), at, red, pen.between(0.6, 1))
    return _colours(out)


def cartouche(pen: Pen, picture: Colours) -> Colours:
    """Title boxes of woodblock prints: upright text in a coloured frame, a publisher's mark beside it."""
    out = picture.astype(np.float32)
    height, width = picture.shape[:2]
    for _ in range(int(pen.rng.integers(1, 4))):
        em = int(min(height, width) * pen.between(0.025, 0.06))
        text = "\n".join(pen.choice("東海道五十三次之内富嶽三十六景広重画北斎改為一筆江戸名所百景") for _ in range(
            int(pen.rng.integers(3, 9))))  # fmt: skip
        ink = np.pad(text_layer(pen, text, "japanese", em), em // 3)
        at = (int(pen.between(0.02, 0.7) * height), int(pen.between(0.02, 0.92) * width))
        if pen.chance(0.7):
            box = np.array([pen.between(150, 245), pen.between(60, 225), pen.between(40, 190)])
            out = _over(out, np.full_like(ink, 255), at, box, 1.0)
            frame = np.full_like(ink, 255)
            frame[2:-2, 2:-2] = 0
            out = _over(out, frame, at, np.array([40, 30, 30]), 0.9)
        worn = np.clip(0.95 + _soft_noise(pen, (ink.shape[0], ink.shape[1]), 3) * 0.3, 0.3, 1)
        out = _over(out, (ink * worn).astype(np.uint8), at, np.array([35, 28, 30]), 0.95)
    return _colours(out)


def museum_stamp(pen: Pen, picture: Colours) -> Colours:
    """A collection's inked stamp on paper: round or oval, small, uneven, in black, blue or red."""
    out = picture.astype(np.float32)
    height, width = picture.shape[:2]
    side = int(min(height, width) * pen.between(0.05, 0.15))
    image = Image.new("L", (side, side), 0)
    draw = ImageDraw.Draw(image)
    draw.ellipse((0, side * 0.1, side - 1, side * 0.9), outline=255, width=max(1, side // 24))
    text = pen.choice(("MUSEE\nDU\nROI", "BIBL.\nREG.", "R.F.", "K.K.\nKUPFER", "BM\n1868", "COLL.\nD.A.", "帝國\n圖書"))
    ink = text_layer(pen, text, "japanese" if text[0] == "帝" else "latin", max(7, side // 4))
    layer = np.asarray(image).copy()
    ink = fitted(ink, side * 0.7)[: side - 2]
    top, left = (side - ink.shape[0]) // 2, (side - ink.shape[1]) // 2
    layer[top : top + ink.shape[0], left : left + ink.shape[1]] |= ink
    layer = (layer * np.clip(0.7 + _soft_noise(pen, layer.shape, 3) * 0.5, 0.05, 1)).astype(np.uint8)
    colour = np.array([[40, 40, 50], [40, 50, 140], [160, 40, 40], [90, 50, 110]][int(pen.rng.integers(4))])
    at = (int(pen.between(0, 0.88) * height), int(pen.between(0, 0.88) * width))
    return _colours(_over(out, turned(layer, pen.between(-25, 25)), at, colour, pen.between(0.4, 0.9)))


def inventory_number(pen: Pen, picture: Colours) -> Colours:
    """A number in small letters or a paper label near an edge, as collections write it on the sheet."""
    out = picture.astype(np.float32)
    height, width = picture.shape[:2]
    em = max(8, int(min(height, width) * pen.between(0.018, 0.04)))
    number = f"{pen.choice(('', 'Inv. ', 'No ', 'PK-', 'RP-P-', '1', 'B.'))}{pen.rng.integers(10, 99999)}"
    ink = np.pad(turned(text_layer(pen, number, "latin", em), pen.between(-5, 5)), em // 3)
    at = (int(pen.choice(("2", "88")) ) * height // 100, int(pen.between(0.02, 0.8) * width))
    if pen.chance(0.3):
        out = _over(out, np.full_like(ink, 255), at, np.array([238, 230, 205]), 1.0)
    return _colours(_over(out, ink, at, np.array([60, 50, 45]) if pen.chance(0.7) else np.array([170, 40, 40]), 0.8))


def engraved_caption(pen: Pen, picture: Colours) -> Colours:
    """A plate on paper with its engraved lines and serif words below."""
    height, width = picture.shape[:2]
    sheet = paper(pen, (height, width)).astype(np.float32)
    top, side = int(height * pen.between(0.03, 0.1)), int(width * pen.between(0.03, 0.12))
    plate_height = int(height * pen.between(0.65, 0.8))
    grey = Image.fromarray(picture).convert("L").resize((width - 2 * side, plate_height), Image.Resampling.BOX)
    tone = np.asarray(grey, np.float32) / 255
    rows = np.arange(plate_height)[:, None] + np.arange(width - 2 * side)[None] * pen.between(-1, 1)
    lines = 0.5 + 0.5 * np.sin(rows * 2 * np.pi / pen.between(2.5, 5))
    dark = np.clip((lines > tone) * 0.8 if pen.chance(0.7) else 1 - tone, 0, 1)
    area = sheet[top : top + plate_height, side : width - side]
    area *= (1 - 0.85 * dark)[..., None]
    at = top + plate_height + height * 0.02
    for share in (0.05, 0.03, 0.025)[: int(pen.rng.integers(1, 4))]:
        text = pen.choice(("View of the Castle", "Anno 1689", "Fig. 12", "del. et sculp.", "PLATE XIV", "Le Pont Neuf",
                           "Published as the Act directs", "Tab. III.", words(pen, 5)))  # fmt: skip
        line = fitted(text_layer(pen, text, "latin", max(8, int(height * share)), pen.between(0, 0.3)), width * 0.9)
        sheet = _over(sheet, line, (int(at), (width - line.shape[1]) // 2), np.array([45, 40, 38]), 0.85)
        at += line.shape[0] * 1.6
    return _colours(sheet)


def chart(pen: Pen, picture: Colours) -> Colours:
    """A map: coastlines, a graticule, spaced and slanting names, a scale."""
    height, width = picture.shape[:2]
    sheet = paper(pen, (height, width)).astype(np.float32)
    land = _soft_noise(pen, (height, width), int(pen.rng.integers(3, 7)))
    sheet += (land > 0)[..., None] * pen.rng.uniform(-40, 10, 3)
    edge = np.abs(land) < 0.05
    sheet[edge] = sheet[edge] * 0.4
    step = int(pen.between(40, 140))
    sheet[::step] *= 0.75
    sheet[:, ::step] *= 0.75
    for _ in range(int(pen.rng.integers(6, 25))):
        script = "latin" if pen.chance(0.7) else pen.script()
        em = int(pen.between(8, 26))
        line = text_layer(pen, words(pen, 1, script), script, em, pen.between(0, 0.9) if pen.chance(0.5) else 0)
        line = turned(fitted(line, width * 0.7), pen.between(-40, 40) if pen.chance(0.4) else 0)
        at = (int(pen.between(0, 0.95) * height), int(pen.between(-0.1, 0.9) * width))
        sheet = _over(sheet, line, at, pen.rng.uniform(0, 90, 3), pen.between(0.6, 1))
    return _colours(sheet)


def text_page(pen: Pen, picture: Colours) -> Colours:
    """A page of print or writing on paper, with the picture as an illustration in some."""
    height, width = picture.shape[:2]
    sheet = paper(pen, (height, width)).astype(np.float32)
    script, em, at = pen.script(), int(pen.between(8, 18)), height * 0.05
    ink = np.full(3, pen.between(10, 80))
    while at < height * 0.93:
        line = fitted(text_layer(pen, words(pen, int(pen.rng.integers(5, 12)), script), script, em), width * 0.86)
        sheet = _over(sheet, line, (int(at), int(width * 0.07)), ink, pen.between(0.7, 1))
        at += em * 1.5
    if pen.chance(0.5):
        h, w = height // 2, width // 2
        y, x = int(pen.between(0, h)), int(pen.between(0, w))
        sheet[y : y + h, x : x + w] = picture[:h, :w]
    return _colours(sheet)


def fence(pen: Pen, picture: Colours) -> Colours:
    """Lines that belong to the scene: a mesh, window bars, wires, tiles; lit, bent, of uneven width."""
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    bend = _soft_noise(pen, (height, width), 3) * pen.between(0, 25)
    layer = np.zeros((height, width), np.float32)
    angle, step, thick = pen.between(0, np.pi), pen.between(18, 120), pen.between(1, 7)
    for turn in (0.0, np.pi / 2 if pen.chance(0.6) else pen.between(0.3, 2))[: 1 + int(pen.chance(0.8))]:
        along = rows * np.cos(angle + turn) + columns * np.sin(angle + turn) + bend
        away = np.abs((along / step) % 1 - 0.5) * step
        layer = np.maximum(layer, np.clip(thick / 2 + 0.5 - away, 0, 1))
    shade = pen.rng.uniform(0, 255, 3) + _soft_noise(pen, (height, width), 5)[..., None] * 40
    return _colours(picture + layer[..., None] * (shade - picture))


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
        cracks = np.abs(_soft_noise(pen, (height, width), 40)) < pen.between(0.02, 0.06)
        out[cracks] *= pen.between(0.4, 0.8)
    return _colours(out)


#: By name: how it is drawn, and how often.
LOOKALIKES: Mapping[str, tuple[Callable[[Pen, Colours], Colours], float]] = {
    "sign": (sign, 2.0),
    "painted_on": (painted_on, 2.0),
    "comic": (comic, 1.2),
    "screenshot": (screenshot, 1.2),
    "title_card": (title_card, 1.2),
    "caption": (caption, 1.0),
    "painted_signature": (painted_signature, 1.5),
    "red_seal": (red_seal, 1.0),
    "cartouche": (cartouche, 1.0),
    "museum_stamp": (museum_stamp, 1.2),
    "inventory_number": (inventory_number, 0.7),
    "engraved_caption": (engraved_caption, 1.0),
    "map": (chart, 1.0),
    "text_page": (text_page, 1.0),
    "fence": (fence, 1.5),
    "grained": (grained, 1.2),
}

#: Those that hold no letters.
WORDLESS = frozenset({"fence", "grained"})


# --------------------------------------------------------------------------- parts


def _colours(values: Floats) -> Colours:
    return np.clip(values, 0, 255).astype(np.uint8)


def _two_colours(pen: Pen) -> tuple[Floats, Floats]:
    """A ground and an ink that can be read on it."""
    ground = pen.rng.uniform(0, 255, 3)
    ink = np.full(3, 245.0) if ground.mean() < 128 else pen.rng.uniform(0, 70, 3)
    return ground, ink


def _soft_noise(pen: Pen, size: tuple[int, int], cells: int) -> npt.NDArray[np.float32]:
    """Smooth noise about 0 with deviation near 0.5: `cells` random values a side, enlarged."""
    grid = Image.fromarray(pen.rng.normal(0, 0.6, (cells + 1, cells + 1)).astype(np.float32), "F")
    return np.asarray(grid.resize((size[1], size[0]), Image.Resampling.BICUBIC))


def _over(picture: Floats, ink: Layer, at: tuple[int, int], colour: Floats, opacity: float) -> Floats:
    """The picture with ink in one colour, its upper left at (row, column); what stands outside is cut."""
    top, left = max(0, at[0]), max(0, at[1])
    ink = ink[top - at[0] :, left - at[1] :][: picture.shape[0] - top, : picture.shape[1] - left]
    if ink.size == 0:
        return picture
    area = picture[top : top + ink.shape[0], left : left + ink.shape[1]]
    area += (colour - area) * (ink[..., None] * (opacity / 255.0))
    return picture


def _pinned(pen: Pen, picture: Colours, panel: Colours, cover: Layer) -> Colours:
    """The panel set into the picture in perspective, darkened and blurred as if it stood in the scene."""
    height, width = picture.shape[:2]
    h, w = cover.shape
    scale = min(1.0, 0.9 * width / w, 0.9 * height / h)
    tall, wide = h * scale, w * scale
    x, y = pen.between(0, max(1.0, width - wide)), pen.between(0, max(1.0, height - tall))
    lean = pen.between(0, 0.3)
    jitter = pen.rng.uniform(-lean, lean, (4, 2)) * min(tall, wide)
    corners = np.array([[x, y], [x + wide, y], [x + wide, y + tall], [x, y + tall]]) + jitter
    terms = _perspective(corners, np.array([[0, 0], [w, 0], [w, h], [0, h]], float))
    shape = (width, height)
    kind, way = Image.Transform.PERSPECTIVE, Image.Resampling.BILINEAR
    image = Image.fromarray(panel).transform(shape, kind, terms, way)
    mask = Image.fromarray(cover).transform(shape, kind, terms, way)
    if pen.chance(0.4):
        image = image.filter(ImageFilter.GaussianBlur(pen.between(0.3, 1.6)))
    light = pen.between(0.5, 1.05) + _soft_noise(pen, (height, width), 2) * pen.between(0, 0.3)
    lit = np.asarray(image, np.float32) * np.clip(light, 0.2, 1.3)[..., None]
    over = np.asarray(mask, np.float32)[..., None] / 255
    return _colours(picture + over * (lit - picture))


def _perspective(to: Floats, of: Floats) -> list[float]:
    """Pillow's eight terms that take points of `to` back to `of`."""
    rows = []
    for (x, y), (u, v) in zip(to, of, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    return [float(term) for term in np.linalg.solve(np.array(rows), of.reshape(-1))]


def _curve(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """A smooth line near the points (uniform B-spline)."""
    p = np.array(points)
    t = np.linspace(0, 1, 8)[:, None]
    out = []
    for a, b, c in zip(p[:-2], p[1:-1], p[2:], strict=True):
        out.append(0.5 * (a + b) * (1 - t) ** 2 + 2 * b * t * (1 - t) + 0.5 * (b + c) * t**2)
    return [(float(x), float(y)) for x, y in np.concatenate(out)]
