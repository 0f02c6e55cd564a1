"""Things under a camera or on a scanner: objects on plain grounds, and the furniture around scans.

Furniture is drawn as it stands in digitised collections: colour charts of grey steps and primaries, rulers
with ticks and numbers, the gutter of an open book, the dark or bright border that a scanner or a copy stand
leaves around a sheet. Each leaves a mask by its name.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from curation.train.scenes import oldart
from curation.train.scenes.documents import handwriting, map_page, text_page
from curation.train.scenes.graphic import line_art, sketch
from curation.train.scenes.hand import Colour, Hand, floats, image, multiplied, pasted
from curation.train.scenes.nature import base, graded

#: sRGB of the 24 patches of the classic colour rendition chart (McCamy, Marcus, Davidson 1976).
CHART: tuple[Colour, ...] = (
    (115, 82, 68), (194, 150, 130), (98, 122, 157), (87, 108, 67), (133, 128, 177), (103, 189, 170),
    (214, 126, 44), (80, 91, 166), (193, 90, 99), (94, 60, 108), (157, 188, 64), (224, 163, 46),
    (56, 61, 150), (70, 148, 73), (175, 54, 60), (231, 199, 31), (187, 86, 149), (8, 133, 161),
    (243, 243, 242), (200, 200, 200), (160, 160, 160), (122, 122, 121), (85, 85, 85), (52, 52, 52),
)  # fmt: skip

#: The patches of control strips that lie beside documents.
STRIP: tuple[Colour, ...] = (
    (0, 150, 210), (0, 150, 80), (250, 225, 40), (225, 40, 45), (200, 50, 140),
    (255, 255, 255), (120, 80, 60), (10, 10, 10),
)  # fmt: skip

BACKDROPS: tuple[Colour, ...] = (
    (246, 246, 246), (228, 228, 226), (170, 172, 174), (110, 112, 116), (52, 52, 56),
    (12, 12, 14), (205, 215, 220),
)  # fmt: skip


# --------------------------------------------------------------------------- objects


def museum_object(hand: Hand) -> Image.Image:
    """A thing on a plain ground with its shadow: a cut-out of the pool, or a turned vessel."""
    ground = backdrop(hand)
    thing = hand.stock.cutout(hand.rng, "object") if hand.chance(0.75) else None
    thing = thing or vessel(hand)
    share = hand.between(0.45, 0.85)
    scale = share * min(hand.width / thing.width, hand.height / thing.height)
    thing = thing.resize(
        (max(8, round(thing.width * scale)), max(8, round(thing.height * scale))), Image.Resampling.BICUBIC
    )
    at = ((hand.width - thing.width) // 2, round((hand.height - thing.height) * hand.between(0.4, 0.7)))
    shadow = Image.new("L", hand.size)
    foot = (
        at[0] + thing.width * 0.1,
        at[1] + thing.height * 0.93,
        at[0] + thing.width * 0.95,
        at[1] + thing.height * 1.04,
    )
    ImageDraw.Draw(shadow).ellipse(foot, fill=hand.whole(60, 170))
    shadow = shadow.filter(ImageFilter.GaussianBlur(hand.unit * hand.between(0.6, 2)))
    ground = multiplied(ground, 1 - floats(shadow) / 255 * 0.8)
    pasted(ground, thing, at)
    if hand.chance(0.3):
        oldart.numbered(hand, ground)
    if hand.chance(0.3):
        furnish(hand, ground)
    return image(floats(ground) + hand.rng.normal(0, hand.between(0.3, 2), (hand.height, hand.width, 1)))


def backdrop(hand: Hand) -> Image.Image:
    """Paper or cloth behind an object: a tone that falls off."""
    tone = np.array(hand.near(hand.one_of(BACKDROPS), 8), np.float32)
    y, x = np.mgrid[0 : hand.height, 0 : hand.width] / max(hand.size)
    fall = 1 - hand.between(0, 0.5) * np.hypot(x - hand.between(0.2, 0.8), y - hand.between(0.1, 0.6))
    return image(tone * fall[..., None])


def vessel(hand: Hand) -> Image.Image:
    """A turned vessel, RGBA: a wavy profile, shaded as a cylinder, glazed with a texture."""
    part = hand.sized(420, 520)
    profile = (0.25 + 0.7 * part.ridge(part.height, hand.between(2, 5), 3)) * part.width / 2
    rows, columns = np.mgrid[0 : part.height, 0 : part.width].astype(np.float32)
    place = (columns - part.width / 2) / profile[:, None]
    inside = np.abs(place) < 1
    depth = np.sqrt(np.clip(1 - place**2, 0, 1))
    light = np.clip(0.25 + 0.75 * (0.75 * depth + hand.between(-0.5, 0.5) * place), 0, 1.2)
    glaze = (
        floats(base(part, "texture"))
        if hand.chance(0.6)
        else np.full((part.height, part.width, 3), hand.colour(40, 230), np.float32)
    )
    if hand.chance(0.5):
        rings = np.sin(rows / part.height * hand.between(10, 60)) > hand.between(0.3, 0.9)
        glaze = np.where(rings[..., None], np.array(hand.colour(20, 220), np.float32), glaze)
    shine = np.exp(-((place - hand.between(-0.5, 0.1)) ** 2) / 0.01) * hand.between(0, 120)
    turned = image(glaze * light[..., None] + shine[..., None])
    turned.putalpha(Image.fromarray((inside * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.8)))
    return turned


# --------------------------------------------------------------------------- scans


def scan(hand: Hand) -> Image.Image:
    """A sheet of some kind on a scanner or copy stand, with the furniture of digitisation around it."""
    if hand.chance(0.3):
        hand.kind = "text"
        return book(hand)
    picture = backdrop(hand)
    share = hand.between(0.72, 0.96)
    wide, tall = round(hand.width * share), round(hand.height * hand.between(0.72, 0.96))
    hand.kind, sheet = _sheet(hand.sized(wide, tall))
    at = (hand.whole(0, hand.width - sheet.width), hand.whole(0, hand.height - sheet.height))
    mask = Image.new("L", hand.size, 255)
    mask.paste(0, (*at, at[0] + sheet.width, at[1] + sheet.height))
    if hand.chance(0.6):
        turn = hand.between(-1.5, 1.5)
        card, where = Image.new("RGB", hand.size), Image.new("L", hand.size)
        card.paste(sheet, at)
        where.paste(255, (*at, at[0] + sheet.width, at[1] + sheet.height))
        card = card.rotate(turn, Image.Resampling.BICUBIC)
        where = where.rotate(turn)
        edge = floats(where.filter(ImageFilter.GaussianBlur(hand.unit * 0.5))) / 255
        picture = multiplied(picture, 1 - 0.5 * edge)
        pasted(picture, card, (0, 0), where)
        mask = Image.eval(where, lambda value: 255 - value)
    else:
        pasted(picture, sheet, at)
    hand.masks["border"] = mask
    if hand.chance(0.75):
        furnish(hand, picture)
    return picture


#: What is scanned, and its kind.
SHEETS: tuple[tuple[str, Callable[[Hand], Image.Image]], ...] = (
    ("print", oldart.engraving),
    ("print", oldart.woodcut),
    ("print", oldart.ukiyo_e),
    ("painting", oldart.watercolour),
    ("painting", oldart.oil),
    ("text", text_page),
    ("text", handwriting),
    ("drawing", line_art),
    ("drawing", sketch),
    ("map", map_page),
)


def _sheet(hand: Hand) -> tuple[str, Image.Image]:
    """What was scanned, and its kind. Its own masks are not kept: it fills its sheet."""
    if hand.chance(0.15):
        sheet = graded(hand, base(hand)).convert("L").convert("RGB")
        return "photo", oldart.framed(hand, sheet) if hand.chance(0.6) else sheet
    kind, make = hand.one_of(SHEETS)
    return kind, make(hand)


def book(hand: Hand) -> Image.Image:
    """An open book: two pages that sink into the gutter, page edges, what lies beside it."""
    picture = backdrop(hand)
    margin = round(hand.unit * hand.between(0, 6))
    tall = hand.height - 2 * margin
    fold = round(hand.width * hand.between(0.42, 0.58))
    for left, right in ((margin, fold), (fold, hand.width - margin)):
        page = hand.sized(right - left, tall)
        sheet = text_page(page) if hand.chance(0.7) else oldart.engraving(page)
        pasted(picture, sheet.resize((right - left, tall)), (left, margin))
    away = np.abs(np.arange(hand.width) - fold) / hand.unit
    dark = hand.between(0.35, 0.85) * np.exp(-away / hand.between(0.8, 4))
    inside = np.zeros((hand.height, 1))
    inside[margin : hand.height - margin] = 1
    picture = multiplied(picture, 1 - dark[None, :] * inside)
    band = Image.new("L", hand.size)
    ImageDraw.Draw(band).rectangle(
        (fold - hand.unit * 3, margin, fold + hand.unit * 3, hand.height - margin), fill=255
    )
    hand.masks["gutter"] = band
    if margin > hand.unit * 1.5:
        border = Image.new("L", hand.size, 255)
        border.paste(0, (margin, margin, hand.width - margin, hand.height - margin))
        hand.masks["border"] = border
    if hand.chance(0.4):
        furnish(hand, picture)
    return picture


def furnish(hand: Hand, picture: Image.Image) -> None:
    """Lay a colour chart, a ruler or both along the edges of a picture."""
    edges = list(hand.rng.permutation(4))
    if hand.chance(0.65):
        _lay(hand, picture, "colour_chart", _chart(hand), int(edges[0]))
    if hand.chance(0.55) or not hand.masks.keys() & {"colour_chart"}:
        _lay(hand, picture, "ruler", _ruler(hand), int(edges[1]))


def _lay(hand: Hand, picture: Image.Image, name: str, thing: Image.Image, edge: int) -> None:
    """Put a thing at an edge: 0 bottom, 1 top, 2 left, 3 right; what lies upright is turned."""
    if edge > 1:
        thing = thing.rotate(hand.one_of((90, 270)), expand=True)
    thing = thing.rotate(hand.between(-1.2, 1.2), Image.Resampling.BICUBIC, expand=True)
    room = (max(0, hand.width - thing.width), max(0, hand.height - thing.height))
    inset = hand.whole(0, round(hand.unit * 2))
    spots = (
        (hand.whole(0, room[0]), room[1] - inset),
        (hand.whole(0, room[0]), inset),
        (inset, hand.whole(0, room[1])),
        (room[0] - inset, hand.whole(0, room[1])),
    )
    at = (max(0, spots[edge][0]), max(0, spots[edge][1]))
    pasted(picture, thing, at)
    mask = hand.masks.setdefault(name, Image.new("L", hand.size))
    mask.paste(255, at, thing.getchannel("A"))


def _chart(hand: Hand) -> Image.Image:
    """A colour chart, RGBA: the 24-patch card, a control strip with its marks, or a wedge of greys."""
    tall = hand.unit * hand.between(4, 11)
    cast = np.array([hand.between(0.85, 1.1) for _ in range(3)])
    style = hand.whole(0, 3)
    if style == 0:
        patches, columns = list(CHART), 6
    elif style == 1:
        patches, columns = list(STRIP[: hand.whole(5, 8)]), 99
    elif style == 2:
        steps = hand.whole(6, 20)
        patches, columns = (
            [(value, value, value) for value in np.linspace(250, 12, steps).astype(int).tolist()],
            99,
        )
    else:
        patches, columns = (
            [
                *STRIP,
                *((value,) * 3 for value in np.linspace(245, 20, hand.whole(4, 10)).astype(int).tolist()),
            ],
            hand.one_of((9, 99)),
        )
    rows = -(-len(patches) // columns)
    side = tall / rows
    columns = min(columns, len(patches))
    wide = min(side, hand.width * 0.9 / columns)
    card = Image.new(
        "RGBA",
        (round(wide * columns + side * 0.4), round(side * rows + side * 0.4)),
        (*hand.one_of(((20, 20, 20), (250, 250, 250), (128, 128, 128))), 255),
    )
    draw = ImageDraw.Draw(card)
    gap = side * hand.one_of((0, 0.06, 0.14))
    for number, patch in enumerate(patches):
        x, y = side * 0.2 + (number % columns) * wide, side * 0.2 + (number // columns) * side
        tint = tuple(
            int(value) for value in np.clip(np.array(patch) * cast + hand.rng.normal(0, 4, 3), 0, 255)
        )
        draw.rectangle((x + gap, y + gap, x + wide - gap, y + side - gap), fill=tint)
    if style != 0 and hand.chance(0.5):
        font = hand.font(side * 0.22, "latin", "sans")
        draw.text((side * 0.3, side * 0.3), hand.phrase("latin", 1, 2), font=font, fill=(0, 0, 0))
    return card


def _ruler(hand: Hand) -> Image.Image:
    """A ruler, RGBA: centimetres or inches with ticks and numbers, or alternating blocks."""
    wide = round(max(hand.size) * hand.between(0.25, 0.95))
    tall = max(8, round(hand.unit * hand.between(1.5, 4.5)))
    ground, ink = hand.one_of(
        (
            ((246, 246, 242), (10, 10, 10)),
            ((20, 20, 22), (245, 245, 245)),
            ((236, 206, 90), (20, 16, 10)),
            ((190, 192, 196), (20, 20, 24)),
            ((206, 168, 110), (40, 24, 10)),
        )
    )
    bar = Image.new("RGBA", (wide, tall), (*ground, 255))
    draw = ImageDraw.Draw(bar)
    unit = hand.unit * hand.between(2, 7)
    if hand.chance(0.25):
        for number, x in enumerate(np.arange(0, wide, unit)):
            if number % 2 == 0:
                draw.rectangle((x, 0, x + unit, tall * 0.5), fill=ink)
            else:
                draw.rectangle((x, tall * 0.5, x + unit, tall), fill=ink)
        return bar
    parts = hand.one_of((2, 5, 10, 10, 8))
    line = max(1, round(unit / parts * 0.25))
    font = hand.font(tall * 0.4, "latin", "sans")
    both = hand.chance(0.2)
    for number, x in enumerate(np.arange(unit * 0.3, wide, unit / parts)):
        reach = (
            0.55 if number % parts == 0 else 0.4 if parts % 2 == 0 and number % parts == parts // 2 else 0.25
        )
        draw.line((x, 0, x, tall * reach), fill=ink, width=line)
        if both:
            draw.line((x, tall, x, tall * (1 - reach * 0.5)), fill=ink, width=line)
        if number % parts == 0:
            draw.text((x + line, tall * 0.55), str(number // parts), font=font, fill=ink)
    return bar
