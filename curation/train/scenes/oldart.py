"""Imitations of old art: paintings, prints, and what time and museums left on them."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from scipy.spatial import cKDTree

from curation.train.scenes import words
from curation.train.scenes.graphic import traced
from curation.train.scenes.hand import (
    INKS,
    PAPERS,
    Colour,
    Floats,
    Hand,
    blurred,
    floats,
    image,
    luma,
    multiplied,
    pasted,
)
from curation.train.scenes.nature import base, graded, landscape

SEAL_RED: Colour = (176, 40, 30)


def oil(hand: Hand) -> Image.Image:
    """A painting in oil after a photograph: strokes that follow its forms, canvas, varnish, often cracks
    and a signature."""
    source = graded(hand, base(hand) if hand.chance(0.8) else landscape(hand))
    picture = strokes(hand, source)
    picture = woven(hand, picture)
    if hand.chance(0.5):
        picture = multiplied(
            picture,
            np.array([1.0, hand.between(0.86, 0.97), hand.between(0.6, 0.9)])
            * np.ones((hand.height, hand.width, 1)),
        )
    if hand.chance(0.5):
        picture = cracked(hand, picture)
    if hand.chance(0.5):
        signed(hand, picture)
    return picture


def strokes(hand: Hand, source: Image.Image) -> Image.Image:
    """Brush strokes of falling size, along the edges of what they show (Hertzmann, SIGGRAPH 1998)."""
    smooth = source.filter(ImageFilter.GaussianBlur(hand.unit * 0.5))
    grey = luma(smooth)
    down, across = np.gradient(blurred(grey, hand.unit))
    along = np.arctan2(down, across) + np.pi / 2
    loose = hand.between(0.1, 0.7)
    picture = smooth.filter(ImageFilter.GaussianBlur(hand.unit * 2))
    draw = ImageDraw.Draw(picture)
    colours = np.asarray(smooth)
    finest = hand.between(0.25, 0.9)
    for radius in (hand.unit * 3, hand.unit * 1.5, hand.unit * finest):
        count = min(9000, int(0.7 * hand.width * hand.height / (radius * radius * 3)))
        xs, ys = hand.rng.integers(0, hand.width, count), hand.rng.integers(0, hand.height, count)
        turns = along[ys, xs] + hand.rng.normal(0, loose, count)
        lengths = radius * hand.rng.uniform(1.5, 5, count)
        tints = np.clip(colours[ys, xs] + hand.rng.normal(0, 9, (count, 3)), 0, 255).astype(int)
        for x, y, turn, length, tint in zip(xs, ys, turns, lengths, tints, strict=True):
            dx, dy = np.cos(turn) * length / 2, np.sin(turn) * length / 2
            draw.line(
                (x - dx, y - dy, x + dx, y + dy), fill=tuple(tint.tolist()), width=max(1, round(radius))
            )
    detail = hand.between(0.0, 0.45)
    picture = Image.blend(picture, source, detail).filter(ImageFilter.GaussianBlur(hand.between(0.3, 0.9)))
    relief = np.asarray(picture.convert("L").filter(ImageFilter.EMBOSS), np.float32) - 128
    return image(floats(picture) + hand.between(0.05, 0.3) * relief[..., None])


def woven(hand: Hand, picture: Image.Image) -> Image.Image:
    """Canvas under paint: crossing threads with uneven pitch, or a panel's grain."""
    pitch = hand.between(2.5, 8)
    wander = hand.noise(6, 3) * pitch
    y, x = np.mgrid[0 : hand.height, 0 : hand.width].astype(np.float32)
    threads = np.sin((x + wander) * 2 * np.pi / pitch) * np.sin((y - wander) * 2 * np.pi / pitch)
    if hand.chance(0.5):
        threads = np.maximum(
            np.sin((x + wander) * 2 * np.pi / pitch), np.sin((y + wander) * 2 * np.pi / pitch)
        )
    return image(floats(picture) + (threads * hand.between(1, 9))[..., None])


def watercolour(hand: Hand) -> Image.Image:
    """Washes that pool at their edges and leave the paper's grain."""
    source = graded(hand, base(hand) if hand.chance(0.7) else landscape(hand))
    few = (
        source.filter(ImageFilter.ModeFilter(9))
        if max(hand.size) <= 512
        else source.filter(ImageFilter.MedianFilter(5))
    )
    few = (
        few.quantize(hand.whole(10, 28), dither=Image.Dither.NONE)
        .convert("RGB")
        .filter(ImageFilter.GaussianBlur(hand.unit * 0.15))
    )
    wash = floats(few) / 255
    edge = (
        np.asarray(
            few.convert("L").filter(ImageFilter.FIND_EDGES).filter(ImageFilter.GaussianBlur(1.2)), np.float32
        )
        / 255
    )
    edge[:4], edge[-4:], edge[:, :4], edge[:, -4:] = 0, 0, 0, 0
    bloom = hand.noise(8, 5)[..., None]
    wash = (
        1
        - (1 - wash) * (hand.between(0.5, 0.8) + 0.5 * (bloom - 0.5))
        - edge[..., None] * hand.between(0.3, 0.9)
    )
    paper = floats(hand.paper((246, 242, 230), hand.between(1, 3))) / 255
    picture = image(np.clip(wash, 0, 1) * paper * 255)
    if hand.chance(0.4):
        signed(hand, picture)
    return picture


def ukiyo_e(hand: Hand) -> Image.Image:
    """A colour woodcut: flat tones on paper, key-block lines, shaded sky, cartouche, signature and seals."""
    source = (base(hand) if hand.chance(0.6) else landscape(hand)).filter(ImageFilter.MedianFilter(5))
    few = source.filter(ImageFilter.GaussianBlur(hand.unit * 0.4)).quantize(
        hand.whole(4, 9), dither=Image.Dither.NONE
    )
    inks = [
        (36, 62, 104),
        (84, 120, 142),
        (190, 170, 120),
        (224, 210, 176),
        (60, 70, 60),
        (178, 96, 66),
        (120, 134, 96),
        (212, 180, 140),
        (44, 40, 44),
    ]
    order = hand.rng.permutation(len(inks))
    tones = np.array([hand.near(inks[int(k)], 14) for k in order], np.float32)
    indices = np.asarray(few)
    bright = np.argsort(
        np.argsort(
            [
                np.asarray(source.convert("L"))[indices == k].mean() if (indices == k).any() else 0
                for k in range(indices.max() + 1)
            ]
        )
    )
    ranked = tones[np.argsort(tones.sum(-1))]
    scene = ranked[np.clip(bright[indices] * len(ranked) // max(1, len(bright)), 0, len(ranked) - 1)]
    fade = np.clip(1 - np.arange(hand.height) / (hand.height * hand.between(0.08, 0.35)), 0, 1)[:, None, None]
    scene = scene * (1 - fade) + np.array(hand.near((40, 60, 110), 20), np.float32) * fade
    wood = 1 - hand.between(0, 0.12) * np.abs(np.sin(hand.noise(2, 3) * hand.between(40, 120)))
    paper = floats(hand.paper(hand.near(hand.one_of(PAPERS[1:4]), 10))) / 255
    picture = image(scene * wood[..., None] * (0.35 + 0.65 * paper))
    picture.paste(hand.near((30, 28, 34), 8), (0, 0), traced(hand, source))
    cartouche(hand, picture)
    for _ in range(hand.whole(1, 3)):
        seal(hand, picture)
    return framed(hand, picture) if hand.chance(0.5) else picture


def cartouche(hand: Hand, picture: Image.Image) -> None:
    """A title slip with a column or two of signs, and the artist's signature in a column nearby."""
    draw = ImageDraw.Draw(picture)
    size = hand.unit * hand.between(2, 4)
    signs = hand.whole(3, 8)
    x = hand.between(0.03, 0.12) * hand.width if hand.chance(0.5) else hand.between(0.8, 0.93) * hand.width
    y = hand.between(0.02, 0.12) * hand.height
    box = (x - size * 0.3, y - size * 0.3, x + size * 1.3, y + signs * size * 1.1 + size * 0.3)
    fill = hand.near(hand.one_of(((222, 206, 160), (190, 80, 60), (150, 170, 150), (236, 226, 200))), 10)
    draw.rectangle(box, fill=fill, outline=(40, 34, 30), width=max(1, round(hand.unit * 0.15)))
    hand.column(draw, words.kanji(hand.rng, signs), (x, y), size, fill=(30, 26, 26))
    at = (hand.between(0.05, 0.9) * hand.width, hand.between(0.4, 0.75) * hand.height)
    hand.column(draw, words.kanji(hand.rng, hand.whole(2, 5)), at, size * 0.8, fill=(30, 26, 26))


def seal(hand: Hand, picture: Image.Image) -> None:
    """A red seal: round, square or a gourd, cut in or raised."""
    size = max(12, round(hand.unit * hand.between(2.5, 6)))
    stamp = Image.new("L", (size * 3, size * 3))
    draw = ImageDraw.Draw(stamp)
    raised, box = hand.chance(0.5), (4, 4, size * 3 - 5, size * 3 - 5)
    outline = draw.ellipse if hand.chance(0.35) else draw.rectangle
    if raised:
        outline(box, outline=255, width=max(2, size // 5))
    else:
        outline(box, fill=255)
    signs = hand.one_of((1, 2, 4))
    side = size * 3 * (0.66 if signs == 1 else 0.38)
    font = hand.font(side, "ja", "brush")
    spots = {
        1: [(0.5, 0.5)],
        2: [(0.5, 0.3), (0.5, 0.7)],
        4: [(0.3, 0.3), (0.7, 0.3), (0.3, 0.7), (0.7, 0.7)],
    }[signs]
    for (x, y), sign in zip(spots, words.kanji(hand.rng, signs), strict=True):
        draw.text((x * size * 3, y * size * 3), sign, font=font, fill=255 if raised else 0, anchor="mm")
    worn = np.asarray(stamp.resize((size, size), Image.Resampling.BOX), float)
    worn *= 0.75 + 0.25 * hand.rng.random(worn.shape)
    turned = Image.fromarray(worn.astype(np.uint8)).rotate(hand.between(-4, 4))
    at = (hand.whole(0, max(0, hand.width - size)), hand.whole(0, max(0, hand.height - size)))
    picture.paste(hand.near(SEAL_RED, 25), at, turned)


def engraving(hand: Hand) -> Image.Image:
    """An engraving or etching: lines whose width carries the tone, on paper, with a caption cut below."""
    tall = int(hand.height * (0.9 if hand.chance(0.7) else 1.0))
    plate = hand.sized(hand.width, tall)
    source = graded(plate, base(plate, "photo", "photo", "painting"))
    dark = np.clip((1 - luma(source)) * hand.between(0.7, 1.1), 0, 1)
    ink = np.zeros_like(dark)
    pitch = hand.between(2.6, 6)
    y, x = np.mgrid[0 : plate.height, 0 : plate.width].astype(np.float32)
    bend = plate.noise(3, 3) * pitch * hand.between(0, 6)
    angles = [hand.between(-0.6, 0.6)]
    angles += [angles[0] + hand.between(0.9, 1.6)] if hand.chance(0.75) else []
    for number, angle in enumerate(angles):
        lines = 0.5 + 0.5 * np.cos((np.cos(angle) * y + np.sin(angle) * x + bend) * 2 * np.pi / pitch)
        need = np.clip(dark * 1.3 - 0.45 * number, 0, 1)
        ink = np.maximum(ink, np.clip((need - lines) * pitch + 0.5, 0, 1))
    edges = floats(traced(plate, source))[..., 0] / 255
    ink = np.maximum(ink, edges)[..., None] * hand.between(0.75, 0.95)
    colour = np.array(hand.near(hand.one_of(INKS), 6), np.float32)
    page = hand.paper()
    ground = floats(page)
    ground[:tall] = ground[:tall] * (1 - ink) + colour * ink
    page = image(ground)
    if tall < hand.height:
        draw = ImageDraw.Draw(page)
        size = (hand.height - tall) * hand.between(0.25, 0.42)
        text = hand.phrase("latin", 3, 7)
        draw.text(
            (hand.width * 0.5, tall + size * 0.4),
            text,
            font=hand.font(size, "latin", "serif"),
            fill=hand.one_of(INKS),
            anchor="ma",
        )
        small = hand.font(size * 0.55, "latin", "serif")
        draw.text(
            (hand.unit * 2, tall + size * 0.1),
            hand.phrase("latin", 1, 2) + " del.",
            font=small,
            fill=hand.one_of(INKS),
        )
        draw.text(
            (hand.width - hand.unit * 2, tall + size * 0.1),
            hand.phrase("latin", 1, 2) + " sculp.",
            font=small,
            fill=hand.one_of(INKS),
            anchor="ra",
        )
    if hand.chance(0.6):
        page = foxed(hand, page)
    return framed(hand, page) if hand.chance(0.4) else page


def woodcut(hand: Hand) -> Image.Image:
    """A black woodcut or lithograph: two tones, cut edges, or crayon grain."""
    source = luma(graded(hand, base(hand, "photo", "drawing")).filter(ImageFilter.MedianFilter(5)))
    tooth = hand.noise(60, 3) - 0.5 if hand.chance(0.6) else hand.rng.normal(0, 0.25, source.shape)
    dark = np.clip((hand.between(0.35, 0.6) - source + tooth * hand.between(0.2, 0.6)) * 14, 0, 1)[..., None]
    ink = np.array(hand.one_of(INKS), np.float32)
    page = image(floats(hand.paper()) * (1 - dark) + ink * dark)
    return foxed(hand, page) if hand.chance(0.4) else page


# --------------------------------------------------------------------------- time and museums


def framed(hand: Hand, picture: Image.Image) -> Image.Image:
    """The sheet around a print: a margin of paper, sometimes a plate mark, a stamp, a number."""
    margin = round(hand.unit * hand.between(2, 9))
    sheet = hand.paper()
    inner = picture.resize((hand.width - 2 * margin, hand.height - 2 * margin), Image.Resampling.LANCZOS)
    pasted(sheet, inner, (margin, margin))
    draw = ImageDraw.Draw(sheet)
    if hand.chance(0.5):
        draw.rectangle(
            (margin - 2, margin - 2, hand.width - margin + 1, hand.height - margin + 1),
            outline=hand.one_of(INKS),
        )
    if hand.chance(0.4):
        stamped(hand, sheet)
    if hand.chance(0.4):
        numbered(hand, sheet)
    return sheet


def signed(hand: Hand, picture: Image.Image) -> None:
    """A painter's name in a lower corner, in paint."""
    draw = ImageDraw.Draw(picture, "RGBA")
    size = hand.unit * hand.between(1.8, 4.5)
    name = hand.phrase("latin", 1, 2).title() + (f" {hand.whole(1610, 1930)}" if hand.chance(0.4) else "")
    font = hand.font(size, "latin", "hand")
    right = hand.chance(0.6)
    at = (hand.width - hand.unit * 2 if right else hand.unit * 2, hand.height - hand.unit * 2)
    tone = hand.near(hand.one_of(((40, 26, 16), (90, 50, 30), (200, 190, 160), (150, 30, 24))), 12)
    draw.text(at, name, font=font, fill=(*tone, hand.whole(150, 255)), anchor="rs" if right else "ls")


def stamped(hand: Hand, picture: Image.Image) -> None:
    """A collection's stamp: an oval or ring with its name, in violet, blue, black or red ink."""
    size = max(24, round(hand.unit * hand.between(6, 13)))
    stamp = Image.new("L", (size * 2, size * 2))
    draw = ImageDraw.Draw(stamp)
    flat = hand.between(0.5, 1)
    box = (4, size * (1 - flat) + 4, size * 2 - 5, size * (1 + flat) - 5)
    draw.ellipse(box, outline=230, width=max(2, size // 24))
    font = hand.font(size * 0.28, "latin", "serif")
    draw.text((size, size * 0.85), hand.phrase("latin", 1, 1).upper()[:9], font=font, fill=230, anchor="mm")
    draw.text(
        (size, size * 1.2),
        hand.one_of(("MUSEUM", "BIBLIOTHEK", "COLLECTION", "LIBRARY", "MUSEO")),
        font=font,
        fill=230,
        anchor="mm",
    )
    worn = np.asarray(stamp.resize((size, size), Image.Resampling.BOX).rotate(hand.between(-25, 25)), float)
    worn *= 0.45 + 0.55 * hand.rng.random(worn.shape)
    at = (hand.whole(0, max(0, hand.width - size)), hand.whole(0, max(0, hand.height - size)))
    ink = hand.near(hand.one_of(((80, 60, 130), (40, 50, 110), (30, 30, 30), (150, 40, 40))), 15)
    picture.paste(ink, at, Image.fromarray(worn.astype(np.uint8)))


def numbered(hand: Hand, picture: Image.Image) -> None:
    """An inventory number, written, typed or on a label, near an edge."""
    draw = ImageDraw.Draw(picture)
    size = hand.unit * hand.between(1.2, 2.6)
    text = hand.one_of(
        (
            f"{hand.whole(1800, 1999)}.{hand.whole(1, 900)}.{hand.whole(1, 99)}",
            f"Inv. {hand.whole(10, 99999)}",
            f"No {hand.whole(1, 999)}",
            f"A {hand.whole(100, 9999)}",
        )
    )
    font = hand.font(size, "latin", hand.one_of(("hand", "mono", "serif")))
    wide = font.getlength(text)
    x = hand.between(hand.unit, max(hand.unit, hand.width - wide - hand.unit))
    y = hand.unit * 1.2 if hand.chance(0.4) else hand.height - size * 2
    if hand.chance(0.4):
        draw.rectangle(
            (x - size * 0.4, y - size * 0.2, x + wide + size * 0.4, y + size * 1.3),
            fill=hand.near((244, 240, 228), 8),
            outline=(60, 50, 40),
        )
    draw.text((x, y), text, font=font, fill=hand.near(hand.one_of(INKS), 10))


def cracked(hand: Hand, picture: Image.Image) -> Image.Image:
    """Craquelure: a net of fine dark cracks, the borders between cells of random seeds."""
    cells = hand.whole(150, 1200)
    size = (max(8, hand.width // 2), max(8, hand.height // 2))
    seeds = hand.rng.random((cells, 2)) * size
    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    wander = np.stack([hand.sized(*size).noise(10, 4) * hand.unit * 2 for _ in range(2)], -1)
    near, _ = cKDTree(seeds).query(np.stack([x, y], -1) + wander, k=2, workers=1)
    net = np.clip(1.2 - (near[..., 1] - near[..., 0]) * hand.between(0.7, 1.6), 0, 1)
    net *= hand.sized(*size).noise(3, 3) > hand.between(0.1, 0.6)
    lines = (
        np.asarray(
            Image.fromarray((net * 255).astype(np.uint8)).resize(hand.size, Image.Resampling.BICUBIC),
            np.float32,
        )
        / 255
    )
    return image(floats(picture) * (1 - lines[..., None] * hand.between(0.15, 0.6)))


def foxed(hand: Hand, picture: Image.Image) -> Image.Image:
    """Foxing and damp: brown spots, thicker in places, and a tide line."""
    spots = Image.new("L", hand.size)
    draw = ImageDraw.Draw(spots)
    where: Floats = hand.noise(3, 3)
    for _ in range(hand.whole(20, 250)):
        x, y = hand.whole(0, hand.width - 1), hand.whole(0, hand.height - 1)
        if where[y, x] > 0.5:
            radius = hand.unit * hand.between(0.1, 0.9) ** 2
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=hand.whole(60, 200))
    stain = floats(spots.filter(ImageFilter.GaussianBlur(hand.unit * 0.15)))[..., :1] / 255
    damp = np.clip(hand.noise(1.5, 2) - hand.between(0.5, 0.9), 0, 1)[..., None] * 0.6
    return image(floats(picture) * (1 - np.clip(stain * 0.6 + damp, 0, 1) * np.array([0.25, 0.5, 0.8])))
