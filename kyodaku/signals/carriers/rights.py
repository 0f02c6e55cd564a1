"""Rights statements and free texts inside an image file, as plain data: XMP, IPTC-IIM 4.2, EXIF, comments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from kyodaku.signals.carriers.xmp import XmpProperties

#: Limits of one file, in characters: what is longer is unreadable, not ignored.
MAX_VALUE = 64 * 1024
MAX_RIGHTS = 128 * 1024
MAX_FIELDS = 2000

_DC = "http://purl.org/dc/elements/1.1/"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_PLUS = "http://ns.useplus.org/ldf/xmp/1.0/"
_CORE = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
_EXTENSION = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
#: Namespace -> its usual prefix, and the names that hold rights; an empty set means all of them.
_NAMESPACES: dict[str, tuple[str, frozenset[str]]] = {
    "http://ns.adobe.com/xap/1.0/rights/": ("xmpRights", frozenset()),
    "http://creativecommons.org/ns#": ("cc", frozenset()),
    "http://purl.org/dc/terms/": ("dcterms", frozenset()),
    _PLUS: ("plus", frozenset()),
    _DC: ("dc", frozenset({"rights", "description", "title", "subject", "creator", "source"})),
    _PHOTOSHOP: (
        "photoshop",
        frozenset({"Credit", "Instructions", "Source", "Headline", "AuthorsPosition", "CaptionWriter"}),
    ),
    _CORE: (
        "Iptc4xmpCore",
        frozenset({"AltTextAccessibility", "ExtDescrAccessibility", "CreatorContactInfo"}),
    ),
    _EXTENSION: ("Iptc4xmpExt", frozenset({"AOCopyrightNotice", "EmbdEncRightsExpr", "LinkedEncRightsExpr"})),
    "http://ns.adobe.com/tiff/1.0/": ("tiff", frozenset({"Copyright", "Artist", "ImageDescription"})),
    "http://ns.adobe.com/exif/1.0/": ("exif", frozenset({"UserComment"})),
    "http://prismstandard.org/namespaces/prismusagerights/2.1/": ("pur", frozenset()),
}
#: Not a statement in words: the vocabulary of PLUS, which its own protocol reads.
_NOT_WORDS = frozenset({"plus:DataMining", "plus:Version"})

#: Record 2 of IIM: datasets with rights, credit and what is said about the picture.
_DATASETS = {
    5: "ObjectName",
    25: "Keywords",
    40: "SpecialInstructions",
    80: "By-line",
    105: "Headline",
    110: "Credit",
    115: "Source",
    116: "CopyrightNotice",
    118: "Contact",
    120: "Caption",
    122: "Writer",
}
_UTF8 = b"\x1b%G"
_EAST_ASIAN = ("cp932", "euc_jp", "gb18030", "big5hkscs", "cp949")

#: Texts that image generators leave behind: settings of a machine, no statements of a person.
GENERATOR_KEYS = frozenset(
    {
        "parameters",
        "prompt",
        "workflow",
        "dream",
        "sd-metadata",
        "invokeai_metadata",
        "invokeai_graph",
        "invokeai_workflow",
        "generation_data",
        "fooocus_scheme",
        "sui_image_params",
        "negative_prompt",
        "stealth_pnginfo",
    }
)


@dataclass(frozen=True)
class RightsField:
    """One field about rights: `source` is the block (`xmp:jpeg:app1`, `iim`, `exif`, `png:tEXt` ...), `name`
    the field's own (`dc:rights`, `CopyrightNotice`). `also` reads the same bytes in the encodings of East
    Asia, where they are no UTF-8 and nothing says what they are."""

    source: str
    name: str
    value: str
    also: tuple[str, ...] = ()

    @property
    def readings(self) -> tuple[str, ...]:
        """`value`, and what else its bytes may say."""
        return (self.value, *self.also)


@dataclass(frozen=True)
class TextChunk:
    """A free text: a PNG text chunk under its keyword, or a comment of a JPEG or GIF file (`Comment`)."""

    source: str
    key: str
    value: str
    also: tuple[str, ...] = ()


class Packet(Protocol):
    """What is read of an XMP packet here."""

    @property
    def source(self) -> str: ...

    @property
    def properties(self) -> XmpProperties | None: ...


def is_generator_key(key: str) -> bool:
    """Whether a text under `key` is what an image generator was told."""
    return key.strip().lower() in GENERATOR_KEYS


def decoded(raw: bytes) -> tuple[str, tuple[str, ...]]:
    """`raw` as UTF-8, else as latin-1 and in every East Asian encoding that it fits; with NULs inside or a
    byte order mark also as UTF-16 of either order, which some writers put where no standard has it."""
    whole, raw = raw, raw.strip(b"\x00 ")
    also = []
    if b"\x00" in raw or raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        also += [_utf16(whole, little) for little in (True, False)]
    try:
        return raw.decode("utf-8"), tuple(also)
    except UnicodeDecodeError:
        pass
    for name in _EAST_ASIAN:
        try:
            also.append(raw.decode(name))
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1"), tuple(dict.fromkeys(also))


def bounded(fields: Iterable[RightsField]) -> tuple[tuple[RightsField, ...], tuple[str, ...]]:
    """Those of `fields` that the limits of a file leave room for, each once, and what they leave out."""
    kept: dict[RightsField, None] = {}
    left_out: dict[str, None] = {}
    room = MAX_RIGHTS
    for item in fields:
        if not item.value.strip() or item in kept:
            continue
        size = sum(len(text) for text in item.readings)
        if len(item.value) > MAX_VALUE or size > room or len(kept) >= MAX_FIELDS:
            left_out[f"{item.source}: more rights text than the limit"] = None
            continue
        room -= size
        kept[item] = None
    return tuple(kept), tuple(left_out)[:8]


def of_xmp(packets: Iterable[Packet]) -> Iterator[RightsField]:
    """The rights properties of parsed packets, inside structures too."""
    for packet in packets:
        for prop in packet.properties.properties if packet.properties is not None else ():
            prefix, names = _NAMESPACES.get(prop.namespace, ("", frozenset[str]()))
            name = f"{prefix}:{prop.name}"
            if prefix and (not names or prop.name in names) and name not in _NOT_WORDS:
                for value in prop.values:
                    yield RightsField(f"xmp:{packet.source}", name, value)


def of_texts(texts: Iterable[TextChunk]) -> Iterator[RightsField]:
    """Free texts, but for the settings of generators."""
    for text in texts:
        if not is_generator_key(text.key):
            yield RightsField(text.source, text.key, text.value, text.also)


def of_tiff(source: str, texts: Iterable[tuple[str, bytes]], little: bool) -> Iterator[RightsField]:
    """The texts of TIFF tags: (name, bytes)."""
    for name, raw in texts:
        if name == "Software":
            continue
        if name.startswith("XP"):
            yield RightsField(source, name, _utf16(raw, True))
        elif name == "UserComment":
            yield _user_comment(source, raw, little)
        else:
            # Two parts of a copyright, of the photographer and the editor, stand one behind the other.
            value, also = decoded(raw)
            yield RightsField(
                source, name, value.replace("\x00", "\n"), tuple(t.replace("\x00", "\n") for t in also)
            )


def _user_comment(source: str, raw: bytes, little: bool) -> RightsField:
    """Exif 2.32, 4.6.5: eight bytes name the character code. Writers do not agree on the order of UTF-16."""
    code, text = raw[:8], raw[8:]
    if code.startswith(b"UNICODE"):
        return RightsField(
            source, "UserComment", _utf16(text, little), (_utf16(text, not little), decoded(text)[0])
        )
    if code.startswith(b"JIS"):
        value, also = decoded(text)
        return RightsField(source, "UserComment", text.decode("iso2022_jp", "replace"), (value, *also))
    known = code.startswith((b"ASCII", b"\x00"))
    return RightsField(source, "UserComment", *decoded(text if known else raw))


def _utf16(raw: bytes, little: bool) -> str:
    return raw.decode("utf-16-le" if little else "utf-16-be", "replace").strip("\x00 \ufeff")


def of_iim(datasets: bytes) -> tuple[list[RightsField], bool]:
    """The rights datasets of an IIM block (IIM 4.2, 1.6), and whether all of it could be read."""
    found: list[RightsField] = []
    utf8 = False
    at = 0
    while at + 5 <= len(datasets) and datasets[at] == 0x1C:
        record, number = datasets[at + 1], datasets[at + 2]
        size, start = int.from_bytes(datasets[at + 3 : at + 5], "big"), at + 5
        if size & 0x8000:  # an extended dataset: the length of its length stands here
            start, size = (
                start + (size & 0x7FFF),
                int.from_bytes(datasets[start : start + (size & 0x7FFF)][:8], "big"),
            )
        value = datasets[start : start + size]
        if len(value) < size:
            return found, False
        if (record, number) == (1, 90):
            utf8 = value.startswith(_UTF8)
        elif record == 2 and number in _DATASETS:
            text, also = (value.decode("utf-8", "replace"), ()) if utf8 else decoded(value)
            found.append(RightsField("iim", _DATASETS[number], text, also))
        at = start + size
    return found, not datasets[at:].strip(b"\x00 ")
