"""Labelled pictures for what is read: notices written over photographs, and text that is no notice.

Whoever draws a case says what is written, in which script, how opaque and how it is laid out. Texts, fonts and
backgrounds are chosen by a seeded generator, so that a case can be drawn again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Pixels = npt.NDArray[np.uint8]
Rng = np.random.Generator

OPACITIES = (1.0, 0.5, 0.3, 0.18)
LAYOUTS = ("corner", "tiled", "rotated", "broken", "vertical")

#: What creators write, by language. Drawn here only; the phrase lists were not made from it.
NOTICES: Mapping[str, Sequence[str]] = {
    "ja": (
        "無断転載禁止", "無断転載・AI学習禁止", "AI学習禁止", "転載禁止", "AI学習・無断転載を禁じます",
        "無断使用・無断転載はお断りします", "生成AIへの利用禁止", "画像の無断転載を固く禁じます",
        "AI学習・加工・転載禁止", "自作発言禁止 無断転載禁止", "AIの学習に使用しないでください", "無断複製禁止",
    ),
    "en": (
        "NO AI TRAINING", "Do not repost", "DO NOT USE FOR AI TRAINING", "No AI", "Do not use, edit or repost",
        "AI learning prohibited", "No reposts / no AI", "Please do not repost my art",
        "Reproduction prohibited", "Do not feed to AI", "Do not use without permission", "NO AI / NO NFT",
    ),
    "zh": (
        "禁止转载", "禁止AI训练", "禁止AI学习 禁止转载", "请勿转载", "未经授权禁止转载", "禁止轉載", "禁止用于AI训练",
        "禁止二传二改", "禁止盗图", "严禁转载及AI学习",
    ),
    "ko": ("무단전재금지", "AI 학습 금지", "무단 도용 금지", "불펌 금지", "무단 전재 및 재배포 금지"),
    "de": ("Keine KI", "Kein KI-Training", "Nicht für KI-Training verwenden", "Vervielfältigung verboten"),
    "fr": ("Pas d'IA", "Interdit à l'IA", "Ne pas republier", "Reproduction interdite"),
    "es": ("No IA", "Prohibido entrenar IA", "No resubir", "Prohibida la reproducción"),
}  # fmt: skip

#: Text that stands in pictures and refuses nothing.
PLAIN_LINES: Mapping[str, Sequence[str]] = {
    "ja": (
        "本日の定食 八百円", "営業中", "春の夕暮れに、川のほとりを歩いていると、古い橋が見えた。",
        "出口はこちら", "東京駅 3番線", "新発売", "立入禁止", "駐車禁止", "撮影禁止", "火気厳禁", "学習塾", "AI学習教室",
        "第三章 山の上の小屋", "そのとき彼は、遠くの灯りをじっと見つめていた。", "天気予報によると、明日は雪になる。",
        "富嶽三十六景 神奈川沖浪裏", "前北斎為一笔", "手で触れないでください", "土足禁止", "禁煙",
        "係員以外の立入を禁じます", "人工知能とは何か", "みなさん、こんにちは！", "えっ、本当に？", "お问い合わせはこちら",
    ),
    "en": (
        "OPEN 24 HOURS", "NO PARKING", "No smoking", "NO ENTRY", "DO NOT ENTER", "DO NOT DISTURB", "Do not touch",
        "Central Station", "Fresh bread daily", "Chapter three: the house on the hill", "KEEP OUT",
        "The river ran slowly past the mill, and nobody remembered when the wheel had last turned.",
        "She put the letter back into the drawer and closed it without a word.", "Exit only", "Platform 9",
        "There is no aim in walking but the walk.", "Mona said no again.", "Published as the Act directs, 1793",
        "Drawn by J. Smith, engraved by W. Woollett", "Settings", "File  Edit  View  Help", "Save changes?",
        "Download complete", "No airbags", "Casino Aioli", "Report an issue", "Do not bend", "Training ground",
    ),
    "zh": ("欢迎光临", "禁止吸烟", "禁止停车", "今日特价", "请勿靠近", "学习园地", "北京西路", "清明上河图", "春江花月夜"),
    "de": ("Rauchen verboten", "Bitte nicht stören", "Frische Brötchen", "Kein Eingang", "Nach dem Stich von 1780"),
    "fr": ("Défense de fumer", "Boulangerie", "Sortie de secours", "Ne pas toucher", "Imprimé à Paris, 1842"),
    "es": ("Prohibido fumar", "Salida", "No pasar", "Panadería", "Prohibido estacionar"),
}  # fmt: skip

#: Text that talks about notices: title cards, articles, questions.
ABOUT: Mapping[str, Sequence[str]] = {
    "ja": (
        "AI学習禁止と書いても意味がない？", "無断転載禁止の効果とは", "イラストをAI学習から守る方法",
        "「AI学習禁止」マークの付け方", "無断転載されたときの対処法", "AI学習について考える", "無断転載を見つけたら",
    ),
    "en": (
        "How to protect your art from AI training", "What does 'no AI' really mean?", "Why artists write NO AI",
        "Is AI training fair use?", "Does a 'do not repost' notice work?", "The debate about AI training",
        "10 ways to stop reposts of your art",
    ),
    "zh": ("如何保护作品不被AI训练", "为什么要写禁止转载", "AI训练与版权问题", "“禁止转载”有用吗？"),
}  # fmt: skip

_ABOUT_BODY: Mapping[str, Sequence[str]] = {
    "ja": (
        "近年、生成AIの学習に作品が使われることへの不安が広がっている。",
        "プロフィールに「AI学習禁止」と書く人も多いが、その法的な効果については意見が分かれる。",
        "無断転載を完全に防ぐことはできないが、透かしを入れるなどの方法がある。",
        "まず、自分の作品がどこに載っているかを調べてみよう。", "作家の声を聞くことが大切だ。",
        "学習を禁止する意思表示の方法は、まだ統一されていない。",
    ),
    "en": (
        "Many artists now write that their work must not be used for AI training.",
        "Whether such a sentence has any legal effect is an open question, and courts disagree.",
        "A watermark that says no AI may help, but it can be cropped away.",
        "Some platforms let their users opt out of machine learning in the settings.",
        "In this chapter we look at what a notice can do, and what it cannot.",
        "The first step is to find out where your pictures have been reposted.",
    ),
    "zh": (
        "近年来，许多画师担心自己的作品被用于AI训练。", "在图片上写“禁止转载”是否有效，一直存在争议。",
        "水印可以提醒别人，但也可能被裁掉。", "首先要了解平台的规则。",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Written:
    """One case. `label`: notice, about, text or plain; `opacity` 0 where nothing is laid over."""

    pixels: Pixels
    label: str
    written: str = ""
    language: str = ""
    layout: str = ""
    opacity: float = 0.0
    font: str = ""


class Studio:
    """Backgrounds and fonts to draw with. Raises ValueError if a needed font or any background is missing."""

    def __init__(
        self, backgrounds: Sequence[Path], fonts: Mapping[str, Sequence[Path]], side: int = 1024
    ) -> None:
        if not backgrounds:
            raise ValueError("no backgrounds")
        self.backgrounds, self.fonts, self.side = backgrounds, fonts, side

    def background(self, rng: Rng) -> Pixels:
        """uint8 (h, w, 3): a photograph or a painting, its longer side `side`."""
        image = Image.open(self.backgrounds[int(rng.integers(len(self.backgrounds)))])
        image.draft("RGB", (2 * self.side, 2 * self.side))
        image = image.convert("RGB")
        portrait = rng.random() < 0.3
        size = (self.side * 3 // 4, self.side) if portrait else (self.side, self.side * 3 // 4)
        scale = max(size[0] / image.width, size[1] / image.height)
        image = image.resize(
            (round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS
        )
        left, top = (
            int(rng.integers(0, have - want + 1)) for have, want in zip(image.size, size, strict=True)
        )
        return np.asarray(image.crop((left, top, left + size[0], top + size[1])))

    def font(self, rng: Rng, language: str, size: int) -> ImageFont.FreeTypeFont:
        """A font that has the signs of a language."""
        paths = self.fonts[{"de": "en", "fr": "en", "es": "en"}.get(language, language)]
        return ImageFont.truetype(str(paths[int(rng.integers(len(paths)))]), size)


def notice(studio: Studio, rng: Rng, language: str, layout: str, opacity: float, text: str = "") -> Written:
    """A notice laid over a background; `text` is drawn from NOTICES unless given."""
    pixels = studio.background(rng)
    written = text or str(rng.choice(np.array(NOTICES[language], dtype=object)))
    height, width = pixels.shape[:2]
    size = int(max(height, width) * rng.uniform(0.022, 0.045))
    font = studio.font(rng, language, size)
    stamp = _stamp(written, font, layout, rng)
    while stamp.width > width * 0.94 and layout in ("corner", "broken") and size > 12:
        size = int(size * 0.85)
        font = font.font_variant(size=size)
        stamp = _stamp(written, font, layout, rng)
    alpha, box = _placed(stamp, height, width, layout, rng)
    under = pixels[box[1] : box[3], box[0] : box[2]].mean() if box[2] > box[0] and box[3] > box[1] else 128
    ink = 255.0 if under < 140 else 0.0
    cover = alpha[:, :, None].astype(np.float32) / 255 * opacity
    out = pixels * (1 - cover) + ink * cover
    name = Path(str(font.path)).stem
    return Written(out.round().astype(np.uint8), "notice", written, language, layout, opacity, name)


def _stamp(text: str, font: ImageFont.FreeTypeFont, layout: str, rng: Rng) -> Image.Image:
    """The text alone: 8-bit cover, cut close."""
    if layout == "vertical":
        signs = [sign for sign in text if sign != " "]
        step = int(font.size * 1.08)
        image = Image.new("L", (int(font.size * 1.4), step * len(signs) + font.size // 2))
        draw = ImageDraw.Draw(image)
        for row, sign in enumerate(signs):
            draw.text((font.size * 0.7, row * step + step * 0.55), sign, font=font, fill=255, anchor="mm")
        return image.crop(image.getbbox())
    if layout == "broken":
        text = _broken(text)
    draw = ImageDraw.Draw(Image.new("L", (1, 1)))
    left, top, right, bottom = draw.multiline_textbbox((0, 0), text, font=font)
    image = Image.new("L", (int(right - left) + 8, int(bottom - top) + 8))
    ImageDraw.Draw(image).multiline_text((4 - left, 4 - top), text, font=font, fill=255)
    return image.crop(image.getbbox())


def _broken(text: str) -> str:
    """The text in two lines, at a space near its middle if there is one."""
    spaces = [i for i, sign in enumerate(text) if sign == " "]
    middle = len(text) // 2
    at = min(spaces, key=lambda i: abs(i - middle)) if spaces else middle
    return text[:at].strip() + "\n" + text[at:].strip()


def _placed(
    stamp: Image.Image, height: int, width: int, layout: str, rng: Rng
) -> tuple[npt.NDArray[np.uint8], tuple[int, int, int, int]]:
    """Cover of the whole picture, and the box that it touches."""
    sheet = Image.new("L", (width, height))
    if layout == "tiled":
        turned = stamp.rotate(
            float(rng.choice([25, -25, 30, 45, -45])), expand=True, resample=Image.Resampling.BICUBIC
        )
        gap_x, gap_y = int(turned.width * 1.15), int(turned.height * 1.15)
        for row, y in enumerate(range(-turned.height // 2, height, gap_y)):
            for x in range(-turned.width // 2 + (row % 2) * gap_x // 2, width, gap_x):
                sheet.paste(255, (x, y), turned)
        return np.asarray(sheet), (0, 0, width, height)
    if layout == "rotated":
        angle = float(rng.choice([25, -25, 45, -45, 90, -90]))
        stamp = stamp.rotate(angle, expand=True, resample=Image.Resampling.BICUBIC)
    if stamp.width > width or stamp.height > height:
        scale = 0.95 * min(width / stamp.width, height / stamp.height)
        stamp = stamp.resize((int(stamp.width * scale), int(stamp.height * scale)), Image.Resampling.LANCZOS)
    margin = int(min(height, width) * rng.uniform(0.01, 0.03))
    most_x, most_y = width - stamp.width - margin, height - stamp.height - margin
    if layout == "rotated":
        x, y = int(rng.integers(0, max(1, most_x))), int(rng.integers(0, max(1, most_y)))
    else:
        x = int(rng.choice([margin, max(0, most_x), max(0, most_x // 2)]))
        y = int(rng.choice([margin, max(0, most_y)], p=[0.25, 0.75]))
    sheet.paste(255, (x, y), stamp)
    return np.asarray(sheet), (x, y, x + stamp.width, y + stamp.height)


# --- text that is no notice


def scene(studio: Studio, rng: Rng) -> Written:
    """Signs, captions and labels on a background."""
    image = Image.fromarray(studio.background(rng))
    draw = ImageDraw.Draw(image)
    said = []
    language = str(rng.choice(list(PLAIN_LINES)))
    for _ in range(int(rng.integers(1, 7))):
        text = str(rng.choice(np.array(PLAIN_LINES[language], dtype=object)))
        font = studio.font(rng, language, int(image.height * rng.uniform(0.025, 0.09)))
        x, y = int(rng.integers(0, image.width // 2)), int(rng.integers(0, image.height - 80))
        box = draw.textbbox((x, y), text, font=font)
        if rng.random() < 0.6:
            draw.rectangle((box[0] - 8, box[1] - 6, box[2] + 8, box[3] + 6), fill=_colour(rng))
        draw.text((x, y), text, font=font, fill=_colour(rng))
        said.append(text)
    return Written(np.asarray(image), "text", "\n".join(said), language, "scene")


def page(studio: Studio, rng: Rng, about: bool) -> Written:
    """A page of prose, or (`about`) an article or a title card about notices and AI training."""
    lines = _ABOUT_BODY if about else PLAIN_LINES
    language = str(rng.choice(list(lines)))
    width, height = studio.side * 3 // 4, studio.side
    paper = int(rng.integers(225, 256))
    image = Image.new("RGB", (width, height), (paper, paper, paper - 8))
    draw = ImageDraw.Draw(image)
    size = int(rng.uniform(0.018, 0.03) * height)
    font, head = studio.font(rng, language, size), studio.font(rng, language, int(size * 1.8))
    said = [str(rng.choice(np.array((ABOUT if about else PLAIN_LINES)[language], dtype=object)))]
    y = 50
    for part in _wrapped(said[0], head, width - 100):
        draw.text((50, y), part, font=head, fill=20)
        y += int(size * 2.6)
    card = about and rng.random() < 0.3
    while not card and y < height - 3 * size:
        sentence = " ".join(str(one) for one in rng.choice(np.array(lines[language], dtype=object), 3))
        said.append(sentence)
        for part in _wrapped(sentence, font, width - 100):
            if y < height - 2 * size:
                draw.text((50, y), part, font=font, fill=30)
            y += int(size * 1.6)
        y += size // 2
    return Written(np.asarray(image), "about" if about else "text", "\n".join(said), language, "page")


def plain(studio: Studio, rng: Rng) -> Written:
    """A background, nothing written on it."""
    return Written(studio.background(rng), "plain")


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> Iterator[str]:
    """Lines of at most `width` pixels, broken at spaces where there are any."""
    words = text.split(" ") if " " in text and text.isascii() else list(text)
    glue = " " if " " in text and text.isascii() else ""
    line = ""
    for word in words:
        longer = f"{line}{glue}{word}" if line else word
        if font.getlength(longer) > width and line:
            yield line
            longer = word
        line = longer
    if line:
        yield line


def _colour(rng: Rng) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in rng.integers(0, 256, 3))
    return red, green, blue
