"""Pages and screens: print, handwriting, windows, maps, and writing in the scene."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from curation.train.scenes import words
from curation.train.scenes.graphic import blob
from curation.train.scenes.hand import INKS, Colour, Hand, floats, image, multiplied, pasted
from curation.train.scenes.nature import base, graded


def text_page(hand: Hand) -> Image.Image:
    """A printed page: columns, headings, sometimes a small picture, sometimes downwards."""
    page = hand.paper() if hand.chance(0.75) else hand.plain((255, 255, 255))
    script, ink = hand.script(0.5), hand.near(hand.one_of(INKS), 8)
    style = "mono" if hand.chance(0.12) else "serif" if hand.chance(0.65) else "sans"
    size = hand.unit * hand.between(1.3, 3.2)
    margin = hand.unit * hand.between(4, 11)
    if script == "ja" and hand.chance(0.6):
        _downwards(hand, page, size, margin, ink, style)
    else:
        _across(hand, page, script, size, margin, ink, style)
    return worn(hand, page)


def _across(
    hand: Hand, page: Image.Image, script: str, size: float, margin: float, ink: Colour, style: str
) -> None:
    draw = ImageDraw.Draw(page)
    y = margin
    if hand.chance(0.4):
        head = hand.font(size * hand.between(1.4, 2.6), script, style)
        draw.text((margin, y), hand.phrase(script, 2, 4), font=head, fill=ink)
        y += size * 3.6
    columns = hand.one_of((1, 1, 1, 2, 2, 3))
    gap = size * 1.5
    wide = (hand.width - 2 * margin - gap * (columns - 1)) / columns
    font = hand.font(size, script, style)
    hole = None
    if hand.chance(0.2):
        hole = (
            hand.whole(0, columns - 1),
            hand.between(0.1, 0.5) * hand.height,
            hand.between(0.15, 0.3) * hand.height,
        )
    for column in range(columns):
        x, row = margin + column * (wide + gap), y
        while row < hand.height - margin - size:
            if hole and hole[0] == column and hole[1] < row < hole[1] + hole[2]:
                picture = (
                    base(hand.sized(int(wide), int(hole[2])), "photo", "drawing").convert("L").convert("RGB")
                )
                pasted(page, picture, (int(x), int(row)))
                row += hole[2] + size
                continue
            if hand.chance(0.08):
                row += size * 0.8
            draw.text((x, row), fitted(hand, script, font, wide), font=font, fill=ink)
            row += size * 1.35
    draw.text((hand.width / 2, hand.height - margin * 0.7), str(hand.whole(1, 400)), font=font, fill=ink)


def fitted(hand: Hand, script: str, font: ImageFont.FreeTypeFont, wide: float) -> str:
    """A line of running text that is about `wide` long."""
    sign = font.getlength("あ" if script in words.SIGNS else "n")
    text = words.paragraph(hand.rng, script, max(4, int(wide / max(4.0, sign))))
    while len(text) > 3 and font.getlength(text) > wide:
        text = text[: -max(1, len(text) // 12)]
    return text if hand.chance(0.93) else text[: max(3, int(len(text) * hand.between(0.2, 0.8)))]


def _downwards(hand: Hand, page: Image.Image, size: float, margin: float, ink: Colour, style: str) -> None:
    draw = ImageDraw.Draw(page)
    font = hand.font(size, "ja", style)
    x, ruled = hand.width - margin - size, hand.chance(0.3)
    while x > margin:
        text = words.paragraph(hand.rng, "ja", int(hand.height / size))
        y = margin
        for sign in text:
            if y > hand.height - margin - size:
                break
            draw.text((x, y), sign, font=font, fill=ink)
            y += size * 1.06
        if ruled:
            draw.line(
                (x - size * 0.25, margin, x - size * 0.25, hand.height - margin), fill=hand.near(ink, 4)
            )
        x -= size * 1.7


def handwriting(hand: Hand) -> Image.Image:
    """A letter, a notebook or calligraphy: lines that do not keep their place."""
    page, ink = hand.paper(), hand.near(hand.one_of(((20, 24, 60), (30, 26, 22), (60, 40, 30))), 10)
    draw = ImageDraw.Draw(page)
    script = hand.script(0.6)
    size = hand.unit * hand.between(2, 6)
    if hand.chance(0.35):
        for y in np.arange(size, hand.height, size * 1.5):
            draw.line((0, y, hand.width, y), fill=hand.near((150, 170, 205), 15))
    if script == "ja" and hand.chance(0.7):
        size *= hand.between(1, 2.5)
        for x in np.arange(hand.width - size * 1.5, size * 0.5, -size * 1.5):
            hand.column(draw, hand.phrase("ja", 4, 12), (x, hand.between(0, size)), size, fill=ink)
        return worn(hand, page)
    font = hand.font(size, script, "hand" if script == "latin" or hand.chance(0.5) else "brush")
    for y in np.arange(size * 0.6, hand.height - size, size * 1.5):
        x = hand.unit * hand.between(3, 7)
        while x < hand.width - size * 3:
            word = hand.phrase(script, 1, 1)
            draw.text((x, y + hand.between(-0.12, 0.12) * size), word, font=font, fill=hand.near(ink, 12))
            x += font.getlength(word) + size * hand.between(0.25, 0.5)
        if hand.chance(0.1):
            break
    return worn(hand, page)


def worn(hand: Hand, page: Image.Image) -> Image.Image:
    """What a camera or scanner does to a page: a slope, a shadow, soft ink."""
    if hand.chance(0.5):
        corner = page.getpixel((2, 2))
        page = page.rotate(hand.between(-1.5, 1.5), Image.Resampling.BICUBIC, fillcolor=corner)
    if hand.chance(0.4):
        page = page.filter(ImageFilter.GaussianBlur(hand.between(0.3, 1.1)))
    if hand.chance(0.5):
        page = multiplied(page, 1 - hand.between(0.05, 0.3) * hand.noise(1, 1))
    return page


# --------------------------------------------------------------------------- screens


def screenshot(hand: Hand) -> Image.Image:
    """Windows with bars, buttons, lists and running text, on a desktop or filling the screen."""
    screen = base(hand, "abstract", "photo") if hand.chance(0.5) else hand.plain(hand.colour(20, 120))
    dark, script = hand.chance(0.35), hand.script(0.6)
    for _ in range(hand.whole(1, 3)):
        full = hand.chance(0.45)
        wide = hand.width if full else int(hand.width * hand.between(0.35, 0.85))
        tall = hand.height if full else int(hand.height * hand.between(0.35, 0.85))
        at = (hand.whole(0, hand.width - wide), hand.whole(0, hand.height - tall))
        pasted(screen, _window(hand.sized(wide, tall), dark, script), at)
    return screen


def _window(hand: Hand, dark: bool, script: str) -> Image.Image:
    ground, ink = ((34, 36, 40), (222, 224, 228)) if dark else ((250, 250, 251), (36, 38, 42))
    accent = hand.colour(40, 220)
    window = hand.plain(ground)
    draw = ImageDraw.Draw(window)
    size = max(9.0, hand.unit * hand.between(1.2, 2.4))
    font, bar = hand.font(size, script, "sans"), size * 2.4
    draw.rectangle((0, 0, hand.width, bar), fill=hand.near(ground, 18))
    draw.text((size, size * 0.6), hand.phrase(script, 1, 4), font=font, fill=ink)
    for number in range(3):
        x = hand.width - (number + 1) * size * 1.8
        draw.ellipse(
            (x, bar * 0.3, x + size, bar * 0.3 + size), fill=accent if number == 0 else hand.near(ink, 40)
        )
    side = hand.width * hand.between(0.15, 0.3) if hand.chance(0.5) else 0
    if side:
        draw.rectangle((0, bar, side, hand.height), fill=hand.near(ground, 10))
        for y in np.arange(bar + size, hand.height - size, size * 2):
            draw.rectangle((size * 0.6, y, size * 1.5, y + size * 0.9), fill=hand.near(accent, 60))
            draw.text(
                (size * 2, y), fitted(hand, script, font, max(10, side - size * 3)), font=font, fill=ink
            )
    y = bar + size
    while y < hand.height - size * 2:
        choice = hand.between(0, 1)
        if choice < 0.12:
            draw.rounded_rectangle((side + size, y, side + size * 8, y + size * 2), size / 3, fill=accent)
            draw.text(
                (side + size * 1.5, y + size * 0.4), hand.phrase(script, 1, 1)[:10], font=font, fill=ground
            )
            y += size * 3
        elif choice < 0.18 and hand.height > 200:
            part = hand.sized(int((hand.width - side) * 0.4), int(hand.height * 0.25))
            pasted(window, base(part, "photo", "drawing"), (int(side + size), int(y)))
            y += part.height + size
        else:
            draw.text(
                (side + size, y),
                fitted(hand, script, font, max(20, hand.width - side - 2 * size)),
                font=font,
                fill=ink,
            )
            y += size * 1.6
    return window


# --------------------------------------------------------------------------- maps


def map_page(hand: Hand) -> Image.Image:
    """Land and sea with relief, rivers, borders and names, or a town with streets; old or new."""
    old = hand.chance(0.5)
    picture = _town(hand, old) if hand.chance(0.35) else _country(hand, old)
    lettered(hand, picture, old)
    if old:
        picture = multiplied(picture, 1 - 0.25 * hand.noise(2, 4)).convert("RGB")
        picture = worn(hand, picture)
    return picture


def _country(hand: Hand, old: bool) -> Image.Image:
    height = hand.noise(hand.between(1.5, 5), 7)
    shore = hand.between(0.3, 0.6)
    if old:
        land, sea = floats(hand.paper((228, 212, 176))), np.array(hand.near((214, 208, 184), 16), np.float32)
        tones = land + (hand.noise(3, 2)[..., None] > 0.5) * np.array([-6, -10, -24], np.float32)
    else:
        low, high = (
            np.array(hand.near((190, 214, 160), 25), float),
            np.array(hand.near((196, 164, 120), 25), float),
        )
        rise = np.clip((height - shore) / (1 - shore), 0, 1)[..., None]
        tones = low * (1 - rise) + high * rise
        sea = np.array(hand.near((170, 206, 232), 20), np.float32)
    scene = np.where((height > shore)[..., None], tones, sea)
    ink = np.array(hand.one_of(INKS), np.float32)
    edge = _level(height, shore) if old else _level(height, shore, 0.6)
    scene = scene * (1 - edge[..., None]) + ink * edge[..., None]
    if hand.chance(0.6):
        for level in np.arange(shore + 0.05, 1, hand.between(0.03, 0.09)):
            line = _level(height, level)[..., None] * 0.5
            scene = scene * (1 - line) + np.array([140, 90, 50]) * line
    picture = image(scene)
    draw = ImageDraw.Draw(picture)
    for _ in range(hand.whole(2, 10)):
        x, y = hand.between(0, hand.width), hand.between(0, hand.height)
        path = [(x, y)]
        for _step in range(hand.whole(10, 60)):
            x, y = x + hand.unit * hand.between(-2, 3), y + hand.unit * hand.between(-2, 2.4)
            path.append((x, y))
        road = hand.chance(0.5)
        colour = (
            hand.near((200, 70, 60), 30)
            if road
            else (70, 120, 190)
            if not old
            else tuple(ink.astype(int).tolist())
        )
        draw.line(path, fill=colour, width=max(1, round(hand.unit * hand.between(0.08, 0.3))), joint="curve")
    return picture


def _level(height: np.ndarray, level: float, thickness: float = 1.0) -> np.ndarray:
    """A contour line (h, w), 0 to 1, about `thickness` pixels wide."""
    down, across = np.gradient(height)
    slope = np.hypot(down, across) + 1e-6
    return np.asarray(np.clip(thickness + 0.5 - np.abs(height - level) / slope, 0, 1))


def _town(hand: Hand, old: bool) -> Image.Image:
    ground = (232, 220, 190) if old else hand.near((242, 239, 233), 6)
    picture = hand.paper(ground) if old else hand.plain(ground)
    draw = ImageDraw.Draw(picture)
    for _ in range(hand.whole(1, 6)):
        part = blob(
            hand, hand.between(0, hand.width), hand.between(0, hand.height), hand.unit * hand.between(5, 20)
        )
        draw.polygon(
            part, fill=hand.near(hand.one_of(((200, 225, 180), (170, 211, 223), (220, 214, 206))), 10)
        )
    lean = hand.between(-0.4, 0.4)
    for step in (hand.unit * hand.between(3, 7), hand.unit * hand.between(12, 25)):
        wide = step * hand.between(0.08, 0.2)
        street = hand.near((255, 255, 255) if step < hand.unit * 8 else (250, 214, 110), 6)
        for offset in np.arange(-max(hand.size), 2 * max(hand.size), step):
            shift = hand.between(-0.2, 0.2) * step
            across = [(0, offset + shift), (hand.width, offset + shift + lean * hand.width)]
            down = [(offset + shift, 0), (offset + shift - lean * hand.height, hand.height)]
            for line in (across, down):
                if hand.chance(0.8):
                    draw.line(line, fill=(150, 146, 140), width=max(1, round(wide) + 2))
                    draw.line(line, fill=street, width=max(1, round(wide)))
    return picture


def lettered(hand: Hand, picture: Image.Image, old: bool) -> None:
    """Names, some spaced and sloping, dots for towns, a frame or grid, sometimes a cartouche with a title."""
    draw = ImageDraw.Draw(picture)
    script, ink = hand.script(0.7), hand.near(hand.one_of(INKS), 10)
    for _ in range(hand.whole(10, 50)):
        size = hand.unit * hand.between(0.9, 2.6)
        font = hand.font(size, script, "serif" if old else "sans")
        name = hand.phrase(script, 1, 1)[:14]
        x, y = hand.between(0, hand.width * 0.92), hand.between(0, hand.height * 0.97)
        if hand.chance(0.15):
            for number, sign in enumerate(name):
                draw.text((x + number * size * 1.8, y + number * size * 0.4), sign, font=font, fill=ink)
        else:
            draw.text((x, y), name, font=font, fill=ink)
            draw.ellipse((x - size * 0.5, y, x - size * 0.2, y + size * 0.3), fill=ink)
    for share in np.arange(0.1, 1, hand.between(0.12, 0.3)) if hand.chance(0.5) else ():
        draw.line((share * hand.width, 0, share * hand.width, hand.height), fill=hand.near(ink, 20))
        draw.line((0, share * hand.height, hand.width, share * hand.height), fill=hand.near(ink, 20))
    if hand.chance(0.6):
        wide, tall = hand.width * hand.between(0.2, 0.4), hand.height * hand.between(0.08, 0.2)
        x, y = hand.between(0, hand.width - wide), hand.between(0, hand.height - tall)
        box = (x, y, x + wide, y + tall)
        draw.rectangle(
            box, fill=hand.near((240, 230, 205), 10), outline=ink, width=max(1, round(hand.unit * 0.2))
        )
        font = hand.font(tall * 0.3, script, "serif")
        draw.text((x + tall * 0.2, y + tall * 0.15), hand.phrase(script, 1, 3), font=font, fill=ink)
        draw.text((x + tall * 0.2, y + tall * 0.55), f"1 : {hand.whole(5, 900)} 000", font=font, fill=ink)


# --------------------------------------------------------------------------- writing in the scene


def scene_text(hand: Hand) -> Image.Image:
    """A photograph with signs, posters or print on cloth in it, in its perspective and light."""
    picture = graded(hand, base(hand))
    for _ in range(hand.whole(1, 3)):
        part = hand.sized(
            int(hand.width * hand.between(0.2, 0.6)), int(hand.height * hand.between(0.1, 0.35))
        )
        board = _board(part)
        x, y = hand.between(0, hand.width - part.width), hand.between(0, hand.height - part.height)
        lean = [hand.between(-0.12, 0.12) * part.height for _ in range(8)]
        corners = (x, y, x, y + part.height, x + part.width, y + part.height, x + part.width, y)
        target = [corner + shift for corner, shift in zip(corners, lean, strict=True)]
        coefficients = _perspective(target, (0, 0, 0, part.height, part.width, part.height, part.width, 0))
        moved = board.transform(
            hand.size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC
        )
        light = Image.new("L", part.size, 255).transform(hand.size, Image.Transform.PERSPECTIVE, coefficients)
        shade = (
            0.55 + 0.6 * floats(picture.convert("L").filter(ImageFilter.GaussianBlur(hand.unit * 4))) / 255
        )
        pasted(picture, multiplied(moved, shade), (0, 0), light)
    return picture.filter(ImageFilter.GaussianBlur(hand.between(0, 0.8)))


def _board(hand: Hand) -> Image.Image:
    ground = hand.colour()
    board = hand.plain(ground) if hand.chance(0.7) else base(hand, "texture", "photo")
    draw, script = ImageDraw.Draw(board), hand.script(0.5)
    ink = (255, 255, 255) if sum(ground) < 380 else hand.colour(0, 90)
    rows = hand.whole(1, 3)
    for row in range(rows):
        text = hand.phrase(script, 1, 2)[:16]
        font = hand.font(
            hand.height / rows * hand.between(0.4, 0.75),
            script,
            hand.one_of(("sans", "display", "serif", "brush")),
        )
        draw.text(
            (hand.width * hand.between(0.03, 0.15), hand.height / rows * (row + 0.1)),
            text,
            font=font,
            fill=ink,
        )
    if hand.chance(0.5):
        draw.rectangle((2, 2, hand.width - 3, hand.height - 3), outline=ink, width=max(1, hand.height // 30))
    return board


def _perspective(target: list[float], source: tuple[float, ...]) -> list[float]:
    """The eight numbers of Pillow's PERSPECTIVE transform that put `source` corners onto `target` corners."""
    rows, wanted = [], []
    for number in range(4):
        x, y = target[2 * number : 2 * number + 2]
        u, v = source[2 * number : 2 * number + 2]
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    return np.linalg.solve(np.array(rows, float), np.array(wanted, float)).tolist()  # type: ignore[no-any-return]


def title_card(hand: Hand) -> Image.Image:
    """Big lettering over a picture or a plain ground: title cards, captions burnt in, covers."""
    picture = (
        graded(hand, base(hand, "photo", "abstract", "drawing"))
        if hand.chance(0.7)
        else hand.plain(hand.colour())
    )
    draw, script = ImageDraw.Draw(picture), hand.script(0.5)
    bottom = hand.chance(0.5)
    for row in range(hand.whole(1, 3)):
        size = hand.unit * (hand.between(2.5, 5) if bottom else hand.between(5, 16))
        font = hand.font(size, script, hand.one_of(("sans", "display", "serif", "hand")))
        text = hand.phrase(script, 1, 4)[: max(2, int(hand.width / size * 1.6))]
        y = hand.height - size * 1.5 * (3 - row) if bottom else hand.height * 0.1 + row * size * 1.5
        x = max(0.0, (hand.width - font.getlength(text)) / 2)
        ink = (255, 255, 255) if hand.chance(0.6) else hand.colour()
        draw.text((x, y), text, font=font, fill=ink, stroke_width=round(size / 14), stroke_fill=(0, 0, 0))
    return picture
