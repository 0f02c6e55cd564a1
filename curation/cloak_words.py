"""Words beside a picture that say it was protected from AI, or forbid training. With a perturbation they
refuse (`objections.cloaked`), alone they set it aside (`filters.words_beside`).

The names of the tools are words of their own: potters glaze, painters glaze, nightshade is a plant on many
botanical plates, and mist lies over landscapes. So `glaze`, `nightshade`, `mist`, `cloaked` and `poisoned`
alone say nothing; they count where the same text speaks of AI, or names two of the tools. `no ai` alone is
left out too: 心の愛 is written "kokoro no ai", and Ai is a name. What would refuse training if it were
written in the picture (`curation.phrases`) counts as well.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from curation.phrases import notices
from kyodaku.candidate import Candidate

#: Whole words, in this order, with anything but letters and digits between them.
PHRASES = (
    "noai", "noaiart", "notoai", "antiai", "anti ai", "no to ai", "no ai art", "no ai training",
    "no ai learning", "no ai use", "no ai scraping", "no generative ai", "no gen ai", "not for ai",
    "do not train", "ai training prohibited", "ai learning prohibited", "prohibited for ai",
    "protected from ai", "protected against ai", "ai protection", "ai protected", "ai disturbance",
    "ai disruption", "ai cloak", "ai cloaked", "ai poison", "ai poisoned", "style cloak", "style cloaking",
    "adversarial noise", "adversarial perturbation", "webglaze", "glaze project", "glaze cloak",
    "cloaked with glaze", "cloaked with nightshade", "nightshaded", "photoguard", "antidreambooth",
    "anti dreambooth", "anti ia", "no a la ia", "non à l ia", "gegen ki geschützt", "kein ki training",
)  # fmt: skip

#: Anywhere in the text without its blanks: scripts that put none between words.
UNSPACED = (
    "ai学習禁止", "ai学習対策", "ai学習防止", "ai学習妨害", "ai学習阻害", "ai無断学習", "無断学習禁止",
    "ai利用禁止", "ai使用禁止", "ai妨害", "ai対策", "ai防止ノイズ", "学習阻害ノイズ", "学習防止ノイズ",
    "学習妨害ノイズ", "glaze加工", "glaze済", "nightshade加工", "nightshade済", "mist加工", "mist済",
    "絵藻", "禁止ai训练", "禁止ai訓練", "禁止ai学习", "禁止ai學習", "禁ai训练", "反ai", "防ai", "拒绝ai",
    "拒絕ai", "ai학습금지", "ai학습방지", "ai학습거부",
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

_FIELDS = (
    "alt", "title", "caption", "link_text", "page_title", "schema_name", "schema_description",
    "schema_creator", "schema_credit",
)  # fmt: skip


def cloak_words(candidate: Candidate) -> str:
    """The first entry of the lists that stands beside the picture, or the first ban on training, or ""."""
    texts = [getattr(candidate, name) for name in _FIELDS]
    bans = (
        ban.said for text in texts for ban in notices.refusing(notices.find(text)) if ban.category == "ai"
    )
    return next((entry for text in texts for entry in said(text)), "") or next(bans, "")


def said(text: str) -> Iterator[str]:
    """Every entry of the lists that a text holds. NFKC and casefold first, `A.I.` is AI."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("a.i.", "ai")
    words = f" {' '.join(_WORDS.findall(text))} "
    yield from (phrase for phrase in PHRASES if f" {phrase} " in words)
    unspaced = "".join(words.split())
    yield from (phrase for phrase in UNSPACED if phrase in unspaced)
    named = [name for name in _NAMES if f" {name} " in words]
    if named and any(f" {phrase} " in words for phrase in _OF_AI):
        yield named[0]
    yield from (" ".join(pair) for pair in _PAIRS if set(pair) <= set(named))
