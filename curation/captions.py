"""Cleaning the words that a page gives a picture. Pure, and any text is survived.

What is done, in this order: HTML entities and tags become text; half- and full-width forms are folded
(NFKC on those alone, so that x² stays x²) and the rest is composed (NFC); control characters,
zero-width and direction marks go; web addresses go; a leading "image of", "Photo:", 「写真：」 goes, and
a trailing "Licence", which is the text of a link; white space is one space. What is then no description
is rejected: file names, camera numbers, a lone generic word, no letters, too short or too long.

The alt text is asked first: it is there to describe. A figcaption, asked next, also names terms and
makers, so the licence names and credit lines at its end go before it is judged.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_WIDTH_FORMS = re.compile(r"[\u3000\uff00-\uffef]+")
_TAG = re.compile(r"<[/!]?[A-Za-z][^<>]{0,300}>")
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"'、。）」]{1,2000}", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_LEAD = re.compile(
    r"^(?:an? |the )?(?:image|picture|photo|photograph|pic|thumbnail|screenshot)"
    r"(?: (?:of|showing|shows)\b:?| ?: ?)\s*|^(?:画像|写真|イメージ|図)\s?[:：]\s*",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?<=[).|,;:–—-])\s?[(\[]?(?:licen[cs]e|credits?|source|ライセンス|出典)[)\].]?$", re.IGNORECASE
)
_TAIL_LENGTH = 16  # no longer than this, and looked for only there
_TERM = re.compile(
    r"(?:^|(?<=[^\w-]))[(\[]?(?:"
    r"Licen[cs]e|LICEN[CS]E|(?i:all rights reserved|public domain(?: mark)?(?: 1\.0)?|(?:cc )?pdm(?: 1\.0)?"
    r"|cc ?0(?: 1\.0)?|cc[ -]by(?:[ -](?:nc|nd|sa))*(?: \d\.\d)?(?: (?:intl|international|[a-z]{2}))?"
    r"|creative commons(?: [a-z-]{2,20}){0,4}(?: \d\.\d)?(?: international)?)"
    r"|ライセンス|パブリックドメイン)[)\].]?$"
)
_TERM_LENGTH = 120
_CREDIT = re.compile(
    r"(?:[(\[]?(?:©|\([cC]\)(?= )|(?i:\bcopyright(?= ?[©\d]))))"
    r"|(?:^|(?<=[.|;,(\[–—] ))"
    r"(?i:(?:photo(?:graph)?|image|picture) (?:by|courtesy)\b|courtesy of\b|credits?:)"
)
_MAX_TERMS = 8
_ENDS = " \t|/\\_-–—·•:;,"
_FILE = re.compile(
    r"^\S{1,200}\.(?:jpe?g|png|gif|webp|avif|tiff?|bmp|svg|heic)$|^[\w .()-]{1,100}\.(?:jpe?g|png|gif|webp)$",
    re.IGNORECASE,
)
_CAMERA = re.compile(
    r"^(?:img|image|dsc[fn]?|pict?|photo|p|gopr|mvi|pxl|screen ?shot|スクリーンショット)"
    r"[ _-]?[\d_ .:-]{2,}$",
    re.IGNORECASE,
)
_CODE = re.compile(r"^(?:[0-9a-f]{8,}|[\w-]*\d[\w-]*_[\w-]*)$", re.IGNORECASE)
_GENERIC = frozenset(
    (
        *("image", "images", "picture", "pictures", "photo", "photos", "photograph", "thumbnail", "thumb"),
        *("logo", "icon", "banner", "avatar", "placeholder", "untitled", "loading", "enlarge", "screenshot"),
        *("no image", "image not available", "no caption", "click to enlarge", "featured image"),
        *(
            "cover image",
            "profile picture",
            "画像",
            "写真",
            "イメージ",
            "無題",
            "ロゴ",
            "アイコン",
            "サムネイル",
        ),
    )
)


@dataclass(frozen=True)
class WebText:
    """Texts of one candidate, as the page had them."""

    candidate_id: str
    caption: str
    alt: str
    schema_description: str
    schema_name: str
    title: str


@dataclass(frozen=True)
class ChosenText:
    """A kept text, the field it came from (`caption`, `alt`, `schema`, `title`), and whose page it was."""

    text: str
    source: str
    candidate_id: str


def clean_caption(text: str, min_characters: int, max_characters: int) -> str:
    """`text` as a caption, or "" if it is none.

    Lengths are in characters; a wide one (kanji, kana, hangul) counts as two for the minimum, since it
    says as much.
    """
    return _accepted(normalise(text), min_characters, max_characters)


def _accepted(cleaned: str, min_characters: int, max_characters: int) -> str:
    if not cleaned or _describes_nothing(cleaned):
        return ""
    length = sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in cleaned)
    return cleaned if length >= min_characters and len(cleaned) <= max_characters else ""


def choose_text(candidates: Sequence[WebText], min_characters: int, max_characters: int) -> ChosenText | None:
    """The first text that passes, candidate by candidate: alt, figcaption, schema.org, title."""
    for candidate in candidates:
        for source, cleaned in (
            ("alt", normalise(candidate.alt)),
            ("caption", without_terms(normalise(candidate.caption))),
            ("schema", normalise(candidate.schema_description)),
            ("schema", normalise(candidate.schema_name)),
            ("title", normalise(candidate.title)),
        ):
            accepted = _accepted(cleaned, min_characters, max_characters)
            if accepted:
                return ChosenText(accepted, source, candidate.candidate_id)
    return None


def without_terms(text: str) -> str:
    """A normalised figcaption without the credit line and the licence names that end it.

    A credit line runs to the end of the text; licence names are looked for only there, so that a picture
    *of* a driving licence keeps its words.
    """
    credit = _CREDIT.search(text)
    text = (text[: credit.start()] if credit else text).rstrip(_ENDS)
    for _ in range(_MAX_TERMS):
        tail = text[-_TERM_LENGTH:]
        found = _TERM.search(tail)
        if found is None:
            break
        text = (text[: len(text) - len(tail)] + tail[: found.start()]).rstrip(_ENDS)
    return text


def normalise(text: str) -> str:
    """`text` cleaned as the module says, before anything is rejected."""
    text = _TAG.sub(" ", html.unescape(html.unescape(text)))
    text = _WIDTH_FORMS.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    text = unicodedata.normalize("NFC", "".join(_visible(sign) for sign in text))
    text = _SPACE.sub(" ", _URL.sub(" ", text)).strip()
    text = _LEAD.sub("", text)
    text = text[:-_TAIL_LENGTH] + _TAIL.sub("", text[-_TAIL_LENGTH:])
    return text.strip(_ENDS)


def _visible(sign: str) -> str:
    """The sign itself, a space for a control character, nothing for an invisible one."""
    category = unicodedata.category(sign)
    if category in ("Cc", "Zl", "Zp", "Zs"):
        return " "
    if category in ("Cs", "Co", "Cn"):
        return ""
    # Joiners shape letters and emoji; every other format character only hides.
    return "" if category == "Cf" and sign not in "\u200c\u200d" else sign


def _describes_nothing(text: str) -> bool:
    if not any(unicodedata.category(sign).startswith("L") for sign in text):
        return True
    return bool(text.casefold() in _GENERIC or _FILE.match(text) or _CAMERA.match(text) or _CODE.match(text))
