"""Drawings that are nothing but drawings: flat shapes, lines, dots, comics."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from curation.train.scenes.hand import INKS, PAPERS, Colour, Hand, floats, image, luma, pasted
from curation.train.scenes.nature import base, graded

Point = tuple[float, float]


def blob(hand: Hand, x: float, y: float, radius: float, wobble: float = 0.3, points: int = 60) -> list[Point]:
    """A closed wavy outline around a place."""
    waves = [(hand.between(0, wobble) / k, hand.between(0, 2 * np.pi), k) for k in range(1, 6)]
    outline = []
    for angle in np.linspace(0, 2 * np.pi, points, endpoint=False):
        far = radius * (1 + sum(size * np.sin(k * angle + phase) for size, phase, k in waves))
        outline.append((x + far * np.cos(angle), y + far * np.sin(angle)))
    return outline


def geometric(hand: Hand) -> Image.Image:
    """Flat shapes: posters, tiles, stripes, constructivism."""
    big = hand.sized(hand.width * 2, hand.height * 2)
    palette = [hand.colour() for _ in range(hand.whole(2, 6))]
    picture = big.plain(palette[0])
    draw = ImageDraw.Draw(picture)
    style = hand.whole(0, 3)
    if style == 0:
        step = big.unit * hand.between(4, 16)
        for y in np.arange(0, big.height, step):
            for x in np.arange(0, big.width, step):
                box = (x, y, x + step, y + step)
                _tile(hand, draw, box, hand.one_of(palette))
    elif style == 1:
        width = big.unit * hand.between(1, 8)
        lean = hand.between(-1, 1)
        for number, x in enumerate(np.arange(-big.width, 2 * big.width, width)):
            far = x + lean * big.height
            draw.polygon(
                [(x, 0), (x + width, 0), (far + width, big.height), (far, big.height)],
                fill=palette[number % len(palette)],
            )
    else:
        for _ in range(hand.whole(6, 60)):
            x, y, radius = (
                hand.between(0, big.width),
                hand.between(0, big.height),
                big.unit * hand.between(2, 25),
            )
            _shape(hand, draw, x, y, radius, hand.one_of(palette))
    return picture.resize(hand.size, Image.Resampling.BOX)


def _tile(
    hand: Hand, draw: ImageDraw.ImageDraw, box: tuple[float, float, float, float], colour: Colour
) -> None:
    kind = hand.whole(0, 3)
    if kind == 0:
        draw.rectangle(box, fill=colour)
    elif kind == 1:
        draw.ellipse(box, fill=colour)
    elif kind == 2:
        draw.pieslice(box, 90 * hand.whole(0, 3), 90 * hand.whole(1, 4) + 90, fill=colour)
    else:
        draw.polygon([(box[0], box[1]), (box[2], box[1]), (box[0], box[3])], fill=colour)


def _shape(hand: Hand, draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: Colour) -> None:
    edge = hand.one_of(INKS) if hand.chance(0.3) else None
    width = max(1, round(radius / 20))
    kind = hand.whole(0, 3)
    if kind == 0:
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour, outline=edge, width=width)
    elif kind == 1:
        corner = (
            x - radius,
            y - radius * hand.between(0.1, 1),
            x + radius,
            y + radius * hand.between(0.1, 1),
        )
        draw.rectangle(corner, fill=colour, outline=edge, width=width)
    elif kind == 2:
        draw.polygon(blob(hand, x, y, radius, 0.4), fill=colour, outline=edge)
    else:
        draw.regular_polygon((x, y, radius), hand.whole(3, 7), rotation=hand.between(0, 360), fill=colour)


def halftone(hand: Hand) -> Image.Image:
    """A picture printed in dots: one ink, or four in rosettes."""
    picture = graded(hand, base(hand, "photo", "drawing", "painting"))
    pitch = hand.between(3, 10)
    if hand.chance(0.45):
        ink, paper = np.array(hand.one_of(INKS), float), np.array(hand.one_of(PAPERS), float)
        dots = screen(hand, 1 - luma(picture), pitch, hand.between(0, np.pi / 2))[..., None]
        return image(ink * dots + paper * (1 - dots))
    inks = 1 - floats(picture) / 255
    black = inks.min(-1) * hand.between(0.4, 1)
    light = floats(hand.paper()) / 255
    for part, angle in enumerate((15, 75, 0)):
        dots = screen(hand, np.clip(inks[..., part] - black * 0.7, 0, 1), pitch, np.radians(angle))
        light[..., part] *= 1 - 0.9 * dots
    light *= (1 - 0.9 * screen(hand, black, pitch, np.radians(45)))[..., None]
    return image(light * 255)


def screen(hand: Hand, darkness: np.ndarray, pitch: float, angle: float) -> np.ndarray:
    """Ink (h, w), 0 to 1, of a dot screen that carries `darkness`."""
    y, x = np.mgrid[0 : hand.height, 0 : hand.width].astype(np.float32)
    u = (np.cos(angle) * x + np.sin(angle) * y) * (2 * np.pi / pitch)
    v = (-np.sin(angle) * x + np.cos(angle) * y) * (2 * np.pi / pitch)
    spot = 0.5 - 0.25 * (np.cos(u) + np.cos(v))
    return np.asarray(np.clip((darkness - spot) * pitch * 0.8 + 0.5, 0, 1))


def line_art(hand: Hand) -> Image.Image:
    """Lines on paper: traced, doodled or hatched."""
    style = hand.whole(0, 2)
    paper = hand.plain((255, 255, 255)) if hand.chance(0.4) else hand.paper()
    ink = hand.one_of(INKS)
    if style == 0:
        lines = traced(hand, graded(hand, base(hand, "photo", "drawing", "object")))
        return Image.composite(hand.plain(ink), paper, lines)
    big = hand.sized(hand.width * 2, hand.height * 2)
    lines = Image.new("L", big.size)
    draw = ImageDraw.Draw(lines)
    width = max(1, round(big.unit * hand.between(0.08, 0.5)))
    for _ in range(hand.whole(8, 60)):
        x, y, radius = hand.between(0, big.width), hand.between(0, big.height), big.unit * hand.between(2, 25)
        outline = blob(hand, x, y, radius, 0.6)
        if style == 1:
            draw.line([*outline, outline[0]], fill=255, width=width, joint="curve")
        else:
            hatched(hand, draw, big.size, outline, width)
    return Image.composite(hand.plain(ink), paper, lines.resize(hand.size, Image.Resampling.BOX))


def hatched(
    hand: Hand, draw: ImageDraw.ImageDraw, size: tuple[int, int], outline: list[Point], width: int
) -> None:
    """Fill an outline with parallel strokes."""
    shape, strokes = Image.new("L", size), Image.new("L", size)
    ImageDraw.Draw(shape).polygon(outline, fill=255)
    pen = ImageDraw.Draw(strokes)
    slope, step = hand.between(-1.5, 1.5), width * hand.between(2, 6)
    for x in np.arange(-size[0], 2 * size[0], step):
        pen.line([(x, 0), (x + slope * size[1], size[1])], fill=255, width=width)
    draw.bitmap((0, 0), ImageChops.multiply(shape, strokes), fill=255)
    draw.line([*outline, outline[0]], fill=255, width=width)


def traced(hand: Hand, picture: Image.Image) -> Image.Image:
    """The edges of a picture as ink, L: what is darker than its own blur, as artists' line filters do."""
    grey = picture.convert("L")
    soft = floats(grey.filter(ImageFilter.GaussianBlur(hand.unit * hand.between(0.15, 0.5))))[..., 0]
    dark = np.clip((soft - floats(grey)[..., 0] - hand.between(1, 6)) * hand.between(8, 25), 0, 255)
    return Image.fromarray(dark.astype(np.uint8))


def sketch(hand: Hand) -> Image.Image:
    """A pencil or charcoal drawing after a photograph: dodged tones broken by the paper's tooth."""
    grey = graded(hand, base(hand, "photo", "object")).convert("L")
    turned = ImageOps.invert(grey).filter(ImageFilter.GaussianBlur(hand.unit * hand.between(0.3, 1.2)))
    dodged = np.clip(floats(grey)[..., 0] / (256 - floats(turned)[..., 0]), 0, 1) ** hand.between(1.5, 4)
    shade = np.clip(luma(grey) + hand.between(0.1, 0.4), 0, 1)
    tooth = hand.rng.normal(0, 1, (hand.height, hand.width))
    dark = 1 - dodged * (0.6 + 0.4 * shade)
    dark = np.clip(dark * (1 + hand.between(0.2, 0.6) * tooth), 0, 1)[..., None] * hand.between(0.6, 0.95)
    ink = np.array(hand.near(hand.one_of(((50, 50, 52), (110, 50, 30), (25, 22, 20))), 8), float)
    return image(floats(hand.paper()) * (1 - dark) + ink * dark)


def cel(hand: Hand) -> Image.Image:
    """A coloured drawing: few flat tones with dark outlines."""
    picture = base(hand, "photo", "drawing")
    flat = picture.filter(ImageFilter.MedianFilter(5))
    few = flat.quantize(hand.whole(5, 14), dither=Image.Dither.NONE).convert("RGB")
    lines = traced(hand, flat)
    return Image.composite(hand.plain((20, 16, 20)), few, lines)


# --------------------------------------------------------------------------- comics


def comics(hand: Hand) -> Image.Image:
    """A page of panels with figures, balloons and lettering; in colour or in ink and screen tone."""
    page = hand.plain((255, 255, 255)) if hand.chance(0.7) else hand.paper()
    draw = ImageDraw.Draw(page)
    coloured, script = hand.chance(0.5), hand.script(0.5)
    margin, gap = hand.unit * hand.between(1, 5), hand.unit * hand.between(0.6, 2)
    rows = hand.whole(1, 4)
    y = margin
    for _row in range(rows):
        tall = (hand.height - 2 * margin - gap * (rows - 1)) / rows
        columns = hand.whole(1, 3)
        cuts = np.sort(np.r_[0, hand.rng.dirichlet(np.full(columns, 6)).cumsum()])[: columns + 1]
        cuts[-1] = 1
        for left, right in pairwise(cuts):
            x0 = margin + left * (hand.width - 2 * margin)
            x1 = margin + right * (hand.width - 2 * margin) - gap
            part = hand.sized(int(x1 - x0), int(tall))
            pasted(page, _panel(part, coloured, script), (int(x0), int(y)))
            draw.rectangle(
                (x0, y, x0 + part.width, y + part.height),
                outline=(15, 15, 15),
                width=max(1, round(hand.unit * 0.25)),
            )
        y += tall + gap
    return page


def _panel(hand: Hand, coloured: bool, script: str) -> Image.Image:
    if hand.chance(0.25):
        panel = cel(hand) if coloured else halftone(hand).convert("L").convert("RGB")
    else:
        panel = hand.plain(hand.colour(120) if coloured else (hand.whole(150, 255),) * 3)
    draw = ImageDraw.Draw(panel)
    for _ in range(hand.whole(1, 3)):
        _figure(hand, draw, coloured)
    for _ in range(hand.whole(0, 2)):
        balloon(hand, draw, script)
    if hand.chance(0.2):
        font = hand.font(hand.unit * hand.between(8, 20), script, "display")
        place = (hand.between(0, hand.width * 0.5), hand.between(0, hand.height * 0.7))
        draw.text(
            place,
            hand.phrase(script, 1, 1),
            font=font,
            fill=hand.colour() if coloured else (0, 0, 0),
            stroke_width=2,
            stroke_fill=(255, 255, 255),
        )
    return panel


def _figure(hand: Hand, draw: ImageDraw.ImageDraw, coloured: bool) -> None:
    """A head with hair, eyes and a body: enough to be no abstract shape."""
    x, y, radius = (
        hand.between(0.2, 0.8) * hand.width,
        hand.between(0.35, 0.7) * hand.height,
        hand.unit * hand.between(8, 18),
    )
    line = max(1, round(hand.unit * 0.4))
    skin = hand.near((245, 214, 186), 10) if coloured else (255, 255, 255)
    cloth = hand.colour(40) if coloured else (hand.whole(60, 240),) * 3
    hair = hand.colour(0, 160) if coloured else (hand.whole(0, 90),) * 3
    body = [
        (x - radius * 1.4, hand.height),
        (x - radius, y + radius),
        (x + radius, y + radius),
        (x + radius * 1.4, hand.height),
    ]
    draw.polygon(body, fill=cloth, outline=(10, 10, 10))
    draw.polygon(blob(hand, x, y - radius * 0.25, radius * 1.15, 0.2), fill=hair, outline=(10, 10, 10))
    draw.ellipse(
        (x - radius * 0.85, y - radius * 0.8, x + radius * 0.85, y + radius),
        fill=skin,
        outline=(10, 10, 10),
        width=line,
    )
    for side in (-1, 1):
        eye = x + side * radius * 0.35
        draw.ellipse(
            (eye - radius * 0.14, y - radius * 0.1, eye + radius * 0.14, y + radius * 0.25), fill=(10, 10, 10)
        )
    draw.arc(
        (x - radius * 0.3, y + radius * 0.3, x + radius * 0.3, y + radius * 0.7),
        10,
        170,
        fill=(10, 10, 10),
        width=line,
    )


def balloon(hand: Hand, draw: ImageDraw.ImageDraw, script: str) -> None:
    """A speech balloon with lettering, across, or downwards as in Japan."""
    x, y = hand.between(0.05, 0.55) * hand.width, hand.between(0.03, 0.4) * hand.height
    wide, tall = hand.width * hand.between(0.25, 0.42), hand.height * hand.between(0.15, 0.35)
    box = (x, y, x + wide, y + tall)
    tail = [
        (x + wide * 0.4, y + tall * 0.9),
        (x + wide * 0.6, y + tall * 0.9),
        (x + wide * 0.5, y + tall * 1.3),
    ]
    draw.polygon(tail, fill=(255, 255, 255), outline=(10, 10, 10))
    draw.ellipse(box, fill=(255, 255, 255), outline=(10, 10, 10), width=max(1, round(hand.unit * 0.3)))
    size = min(wide, tall) / hand.between(4.5, 7)
    if script == "ja" and hand.chance(0.7):
        for column in range(hand.whole(1, 3)):
            hand.column(
                draw,
                hand.phrase("ja", 2, 3),
                (x + wide * 0.6 - column * size * 1.3, y + tall * 0.2),
                size,
                fill=(10, 10, 10),
            )
        return
    font = hand.font(size, script, "hand")
    for row in range(hand.whole(1, 3)):
        draw.text(
            (x + wide * 0.2, y + tall * 0.22 + row * size * 1.25),
            hand.phrase(script, 1, 2)[:14],
            font=font,
            fill=(10, 10, 10),
        )
