"""Folding text so that what people write, and what a recogniser makes of it, compares equal.

NFKC and casefold; spaces, dots and other punctuation are dropped but remembered as breaks; accents and the
long vowel mark go; small kana become large; forms of one Han sign (Japanese, traditional, simplified) become
one; signs that recognisers mix up become one. `respelt` is for rules that compare words as they are written,
`years` folds Japanese eras into years. Never raises; time is linear in the length.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

#: What says an earlier year, and no later one, belongs to an old print or postcard.
MODERN = 1956

#: What nothing from before MODERN bears.
_LATER = re.compile(
    r"[©@]|\bwww\b|https?:|\.(?:com|net|org|jp|de|fr|art)\b|instagram|pixiv|patreon", re.IGNORECASE
)

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

#: A bar is none of them: it parts what stands on its sides as often as it is a letter (`respelt`).
_LATIN = {"l": "i", "1": "i", "ı": "i", "0": "o", "5": "s", "ø": "o", "ł": "i"}
_SMALL = dict(
    zip(
        "ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ",
        "あいうえおつやゆよわアイウエオツヤユヨワカケ",
        strict=True,
    )
)


#: What may be AI, IA or KI with its I misread: no part of a longer Latin word (but of NoAI and GenAI).
_WORD = r"0-9A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"
_MISREAD = re.compile(
    rf"(?<![{_WORD}])(?P<ahead>(?i:no|gen)?)(?:A(?P<ai>[l1|])|(?P<ia>[l1|])A|K(?P<ki>[l1|]))(?![{_WORD}])"
)
_BAR_INSIDE = re.compile(rf"(?<=[{_WORD}])\|(?=[{_WORD}])")
#: Signs looked at on either side.
_NEAR = 24
#: What makes a name or a word of another language of an Al that it stands right behind.
_NAMED = re.compile(
    r"['’]s\b"
    r"|-(?!train|learn|gener|model|art|based|assist|free|driven|power|creat|tool|bot|data|scrap|use|using|nutz"
    r"|verw|lern|zweck|system|compan|imag|bild|made|ml\b|purpose|develop|research|program|softw|techn|edit|modif"
    r"|process|content|crawl|analy|anwend|erkenn|entwick|no\b|and\b|or\b)"
    r"(?-i:[A-ZÀ-Þ][a-zß-ɏ])"
    r"| (?:qa[ei]da|pacino|gore\b|capone|jazeera|jolson|franken|jarreau|hirschfeld|bundy|yankovic|roker"
    r"|sharpton|arabiya|aqsa|ahly|nassr|hilal|fayed|assad|andalus|azhar|unser|michaels|alloys?\b|foil\b"
    r"|maltrato|aborto|racismo|bullying|acoso|fracking|golpe|desalojo|entrar|entren|dente|fresco|forno|pastor"
    r"|pesto|gusto|aire|segno|vapor|ajillo|carb[oó]n|paso\b|p[uú]blico)",
    re.IGNORECASE,
)
#: What A1 and 1A are on signs: roads, sizes, numbers.
_NUMBER_OF = re.compile(
    r"\b(?:autobahn|autoroute|block|class|din|exit|fig|format|gate|grade|junction|level|motorway|paper|plate"
    r"|platform|road|room|route|row|seat|sheet|size|the|unit|zone)\.? $|\b(?:no\.|nr\.?) $",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r" ?(?:[:=–—-] ?no \w|format|motorway|paper|poster|print|road|route|sauce|sheet|size|traffic|vehicle)",
    re.IGNORECASE,
)
#: What IA follows in the languages that write it.
_ROMANCE = re.compile(
    r"(?:\b(?:para|de|di|da|na|con|com|por|per|pour|par|avec|una?|une|la|en|em|in|nella|pela|usar|uso|a|à)\s"
    r"|\b(?:entrenar|treinar|addestrare|alimentar)\s|\b(?:d|l|all|dell|dall|nell)['’])$",
    re.IGNORECASE,
)


#: No size (1920 x 1080) and no inventory number (1937.1.34).
_YEAR = re.compile(
    r"(?<!\d)(?<!\d[x×*])(?<!\d [x×*] )(1[5-9]\d\d|20\d\d)(?!\.?\d| ?[x×*] ?\d| ?(?:px|mm|cm)\b)",
    re.IGNORECASE,
)
_ERA = re.compile(r"(明治|大正|昭和|平成|令和) ?([元〇一二三四五六七八九十廿卅\d]{1,4}) ?年")
_BEGAN = {"明治": 1868, "大正": 1912, "昭和": 1926, "平成": 1989, "令和": 2019}
_TENS = {"十": 1, "廿": 2, "卅": 3}


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


def respelt(text: str) -> str:
    """The text as it reads where recognisers took the I of AI, IA and KI for another stroke, sign for sign:
    `Not for Al`, `A1学習`, `para lA`, `TRA|N|NG`. Names (Al Pacino), roads and sizes (A1) stay."""
    return _BAR_INSIDE.sub("I", _MISREAD.sub(_as_read, text))


def _as_read(match: re.Match[str]) -> str:
    text, found = match.string, match.group()
    before, after = (
        text[max(0, match.start() - _NEAR) : match.start()],
        text[match.end() : match.end() + _NEAR],
    )
    if match["ai"] == "l" and _NAMED.match(after):
        return found
    if match["ai"] == "1" and (_NUMBERED.match(after) or _NUMBER_OF.search(before)):
        return found
    if match["ki"] and after[:1] == ".":  # Klasse
        return found
    if match["ia"] == "1" and not _ROMANCE.search(before):
        return found
    return match["ahead"] + ("AI" if match["ai"] else "IA" if match["ia"] else "KI")


def years(text: str) -> list[int]:
    """The years that a text names, from 1500 on: Western ones, and those of Japanese eras."""
    text = unicodedata.normalize("NFKC", text)
    eras = [_BEGAN[era] + _number(count) - 1 for era, count in _ERA.findall(text)]
    return [int(year) for year in _YEAR.findall(text)] + eras


def is_old(text: str) -> bool:
    """Whether a text names years of old prints alone, and bears nothing that only later pictures do."""
    named = years(text)
    return bool(named) and max(named) < MODERN and not _LATER.search(text)


def _number(count: str) -> int:
    """三十二, 廿八, 二五, 32 or 元 as a number."""
    tens = ones = 0
    for sign in count.replace("元", "1"):
        if sign in _TENS:
            tens, ones = _TENS[sign] * (ones or 1), 0
        else:
            ones = 10 * ones + (
                "〇一二三四五六七八九".find(sign) if sign in "〇一二三四五六七八九" else int(sign)
            )
    return 10 * tens + ones
