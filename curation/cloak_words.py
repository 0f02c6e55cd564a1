"""Words beside a picture that say no: that it was protected from AI, that nobody may train on it or copy it.

What plainly forbids training was heard as a signal while the page was asked (`rights-text`); what is left
here is softer, and what a list or a sitemap says. With a likely perturbation it refuses
(`objections.cloaked`), alone it sets the picture aside (`filters.words_beside`).

The names of the tools are words of their own: potters glaze, painters glaze, nightshade is a plant on many
botanical plates, and mist lies over landscapes. So `glaze`, `nightshade`, `mist`, `cloaked` and `poisoned`
alone say nothing; they count where the same text speaks of AI, or names two of the tools. `no ai` alone is
left out of these lists: 心の愛 is written "kokoro no ai", and Ai is a name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from curation.phrases import notices
from kyodaku.candidate import Candidate
from kyodaku.signals.keywords import refuses_beside

#: Whole words, in this order, with anything but letters and digits between them.
PHRASES = (
    "noai", "noaiart", "notoai", "notoaiart", "stopai", "stop ai art", "antiai", "anti ai art",
    "anti ai artist", "no to ai art", "no ai art", "no ai training", "no ai learning", "no ai use",
    "no ai scraping",
    "no generative ai", "no gen ai", "not for ai", "ai training prohibited", "ai learning prohibited",
    "prohibited for ai", "protected from ai", "protected against ai", "safe from ai", "ai protected",
    "ai cloak", "ai cloaked", "ai poison", "ai poisoned", "style cloaking", "webglaze", "glaze project",
    "glaze cloak", "cloaked with glaze", "cloaked with nightshade", "glazed with glaze", "protected by glaze",
    "protected with glaze", "glaze protected", "nightshaded", "photoguard", "antidreambooth",
    "anti dreambooth",
    "ai artists dni", "ai bros dni", "ai users dni", "anti ia", "gegen ki geschützt", "vor ki geschützt",
    "protégé contre l ia", "protégée contre l ia", "protegido contra ia", "protegida contra ia",
    "protegido contra la ia", "protetto dall ia", "protetto contro l ia", "protegido contra a ia",
)  # fmt: skip

#: Anywhere in the text, blanks left out where a script without them stands on either side; a Latin end of one
#: is the end of a word.
UNSPACED = (
    "ai学習禁止", "ai学習対策", "ai学習防止", "ai学習妨害", "ai学習阻害", "ai無断学習", "無断学習禁止",
    "ai利用禁止", "ai使用禁止", "aiイラスト禁止", "ai妨害", "aiよけ", "ai避け", "ai防止ノイズ",
    "学習阻害ノイズ",
    "学習防止ノイズ", "学習妨害ノイズ", "ノイズ加工済", "glaze加工", "glaze済", "glaze使用", "glaze処理",
    "nightshade加工", "nightshade済", "nightshade使用", "mist加工", "mist済", "絵藻", "エモり", "エモった",
    "反ai绘画", "反ai繪畫", "防ai学习", "防ai训练", "防ai盗", "防ai噪", "防ai处理", "拒绝ai", "拒絕ai",
    "抵制ai", "ai退散", "禁止ai训练", "禁止ai訓練", "禁止ai学习", "禁止ai學習", "禁ai训练", "ai학습금지",
    "ai학습방지", "ai학습거부", "ai그림금지", "글레이즈처리", "글레이즈적용",
)  # fmt: skip

#: Names that are everyday words.
_NAMES = ("glaze", "glazed", "nightshade", "mist", "misted", "cloaked", "poisoned")

#: What makes them the tools' names.
_OF_AI = (
    "from ai", "against ai", "ai training", "ai scraping", "ai scrapers", "ai models", "ai generators",
    "ai theft", "ai bots", "generative ai", "image generators", "uchicago",
)  # fmt: skip

_PAIRS = (("glaze", "nightshade"), ("glazed", "nightshade"))

_WORDS = re.compile(r"[^\W_]+")
#: A blank beside a sign of a script that has none.
_BLANK = re.compile(r"(?<=[^a-z0-9 ]) | (?=[^a-z0-9 ])")

#: Columns of a candidate with what stands beside its picture.
COLUMNS = (
    "alt", "title", "caption", "link_text", "page_title", "schema_name", "schema_description",
    "schema_creator", "schema_credit",
)  # fmt: skip


@dataclass(frozen=True)
class Beside:
    """What says no: the `column` of the candidate that holds it, the `phrase`, and the whole text."""

    column: str
    phrase: str
    text: str


def beside(candidate: Candidate) -> Beside | None:
    """The first text beside the picture that says no, or None."""
    for column in COLUMNS:
        text = getattr(candidate, column)
        if phrase := says_no(text):
            return Beside(column, phrase, text)
    return None


@lru_cache(maxsize=1 << 14)  # titles of pages come again and again
def says_no(text: str) -> str:
    """The words of a text that forbid training or re-use, or that speak of a cloak; "" without any."""
    if not text:
        return ""
    found = refuses_beside(text) or next(said(text), "")
    return found or next((ban.said for ban in notices.refusing(notices.find(text))), "")


def said(text: str) -> Iterator[str]:
    """Every entry of the lists that a text holds. NFKC and casefold first, `A.I.` is AI."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("a.i.", "ai")
    words = f" {' '.join(_WORDS.findall(text))} "
    yield from (phrase for phrase in PHRASES if f" {phrase} " in words)
    unspaced = _BLANK.sub("", words)
    yield from (phrase for phrase in UNSPACED if phrase in unspaced and _is_whole(phrase, unspaced))
    named = [name for name in _NAMES if f" {name} " in words]
    if named and any(f" {phrase} " in words for phrase in _OF_AI):
        yield named[0]
    yield from (" ".join(pair) for pair in _PAIRS if set(pair) <= set(named))


def _is_whole(phrase: str, text: str) -> bool:
    """Whether it stands there without a Latin word that goes on at either end: no `AIDS`, no `Optimist`."""
    return re.search(rf"(?<![a-z]){phrase}(?![a-z])", text) is not None
