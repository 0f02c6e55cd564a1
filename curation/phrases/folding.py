"""Folding text so that what people write, and what a recogniser makes of it, compares equal.

NFKC and casefold; spaces, dots and other punctuation are dropped but remembered as breaks; accents and the
long vowel mark go; small kana become large; forms of one Han sign (Japanese, traditional, simplified) become
one; signs that recognisers mix up become one. Never raises; time is linear in the length.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache

#: Kinds of break before a sign, the stronger the larger: none; a space, or where scripts meet; the end of a
#: line; punctuation; the end of a sentence.
NONE, SOFT, LINE, HARD, END = range(5)

_ENDS = frozenset("。！？!?｡；;")
_SOFT = frozenset("'’‘`´\"-‐‑–—_~・·.,、，")

#: Forms of one sign, and signs that recognisers mix up, as far as they occur in phrases; the first stands
#: for all.
_ALIKE = (
    "转轉転 载載戴裁 学學 习習 无無旡 断斷 训訓 练練 盗盜 图圖図 权權権 经經経 许許 复複復 "
    "制製 传傳伝 发發発 严嚴厳 请請靖 绝絕絶 应應応 变變変 为為爲 喂餵 机機 艺藝芸 画畫 写寫 "
    "从從 认認 谢謝 读讀読 证證証 设設 试試 误誤 课課 译譯訳 责責 费費 进進 运運 "
    "违違 还還 难難 须須 类類 体體 点點 业業 样樣様 标標 气氣 状狀 产產産 种種 "
    "积積 约約 级級 给給 网網 线線 绘繪絵 续續続 视視 规規 见見 质質 辑輯 选選 "
    "录錄録 长長 开開 间間 页頁 觉覺覚 国國 东東 创創 汇匯 动動 红紅 愿願 "
    "用甩 勿匆 ニ二 ロ口 カ力 エ工 タ夕 ハ八 "
    "ト卜 ヘへべぺ リり 未末 止正 "
)

_LATIN = {"l": "i", "1": "i", "|": "i", "ı": "i", "0": "o", "5": "s", "ø": "o", "ł": "i"}
_SMALL = dict(
    zip(
        "ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ",
        "あいうえおつやゆよわアイウエオツヤユヨワカケ",
        strict=True,
    )
)


@cache
def _table() -> dict[str, str]:
    """Sign -> the one that stands for its kind."""
    table = dict(_LATIN)
    for group in _ALIKE.split():
        for sign in group[1:]:
            table.setdefault(sign, table.get(group[0], group[0]))
    return table


@dataclass(frozen=True)
class Folded:
    """`signs`: the folded text; `breaks[i]`: what stood before sign i (NONE to END), with one more for the
    end; `places[i]`: the index in the text given that sign i came from."""

    signs: str
    breaks: bytes
    places: tuple[int, ...]


def fold(text: str) -> Folded:
    """Text of any kind, folded. Phrases may run over line ends, as they do in pictures; a dot there ends a
    sentence, and a dash between blanks sets apart."""
    table, signs, breaks, places = _table(), [], bytearray(), []
    pending, last = END, ""
    for place, raw in enumerate(text):
        for sign in unicodedata.normalize("NFKD", raw).casefold():
            kind = unicodedata.category(sign)
            if kind[0] == "M" or sign == "ー":
                continue
            sign = _SMALL.get(sign, sign)
            if kind[0] not in "LN":
                ends = raw == "\n" and text[place - 1 : place] == "." and place > 3
                apart = kind == "Pd" and text[place - 1 : place + 2] == f" {raw} "
                pending = max(pending, END if ends else HARD if apart else _strength(raw, kind))
                continue
            script = _script(sign)
            if last and script != last and pending == NONE:
                pending = SOFT
            signs.append(table.get(sign, sign))
            breaks.append(pending)
            places.append(place)
            pending, last = NONE, script
    breaks.append(END)
    return Folded("".join(signs), bytes(breaks), tuple(places))


def folded(phrase: str) -> str:
    """Only the signs."""
    return fold(phrase).signs


def _strength(raw: str, kind: str) -> int:
    if raw in _ENDS:
        return END
    if raw == "\n":
        return LINE
    if kind[0] == "Z" or kind == "Cc" or raw in _SOFT:
        return SOFT
    return HARD


def _script(sign: str) -> str:
    """Latin, or anything else: where they meet, a word begins."""
    return "latin" if sign.isascii() or "\u00c0" <= sign <= "\u024f" else "other"
