"""What of a picture's embedded metadata may be published: rights, credit and how to show it.

Everything is rebuilt from lists of what may stay. What cannot be read is dropped; nothing is copied
through because nobody thought of it. Where a place, a person or a device could hide (GPS, serial
numbers, maker notes, comments, thumbnails, edit history, document ids) there is no list entry.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape, quoteattr

ExifValue = str | int | float


@dataclass(frozen=True)
class Metadata:
    """Metadata blocks of one picture, without the headers of their container. Empty: not there.

    `exif` a TIFF stream, `xmp` an XML packet, `iim` IPTC-IIM datasets, `icc` a colour profile.
    """

    exif: bytes = b""
    xmp: bytes = b""
    iim: bytes = b""
    icc: bytes = b""


@dataclass(frozen=True)
class CleanMetadata(Metadata):
    """Metadata that may be published; `values` shows the EXIF that was kept, by tag name."""

    values: dict[str, ExifValue] = field(default_factory=dict)


def clean(found: Metadata, *, upright: bool = False) -> CleanMetadata:
    """The part of `found` that may be published.

    `upright` leaves out what describes the old raster (orientation, size, colour), for pixels encoded anew.
    """
    exif, values = clean_exif(found.exif, upright=upright)
    return CleanMetadata(
        exif=exif,
        xmp=clean_xmp(found.xmp),
        iim=clean_iim(bytes(found.iim)),
        icc=b"" if upright else found.icc,
        values=values,
    )


# --- EXIF (CIPA DC-008, TIFF 6.0) -------------------------------------------------------------------

_ASCII, _SHORT, _LONG, _RATIONAL, _UNDEFINED = 2, 3, 4, 5, 7
_SSHORT, _SLONG, _SRATIONAL = 8, 9, 10
_FORMATS = {1: "B", 2: "s", 3: "H", 4: "I", 5: "II", 6: "b", 7: "s", 8: "h", 9: "i", 10: "ii"}
_SIZES = {kind: struct.calcsize("=" + code) for kind, code in _FORMATS.items()}
_MAX_TEXT = 1024
_MAX_ENTRIES = 1000
_EXIF_IFD = 0x8769
_NUMBER = frozenset({_SHORT, _LONG, _SSHORT, _SLONG})
_FRACTION = frozenset({_RATIONAL, _SRATIONAL})
_TEXT = frozenset({_ASCII})

_IFD0: Mapping[int, tuple[str, frozenset[int]]] = {
    0x010F: ("Make", _TEXT),
    0x0110: ("Model", _TEXT),
    0x0112: ("Orientation", frozenset({_SHORT})),  # of another type some viewers follow it, others do not
    0x011A: ("XResolution", _FRACTION),
    0x011B: ("YResolution", _FRACTION),
    0x0128: ("ResolutionUnit", _NUMBER),
    0x0132: ("DateTime", _TEXT),
    0x013B: ("Artist", _TEXT),
    0x0213: ("YCbCrPositioning", _NUMBER),
    0x8298: ("Copyright", _TEXT),
}
_EXIF: Mapping[int, tuple[str, frozenset[int]]] = {
    0x829A: ("ExposureTime", _FRACTION),
    0x829D: ("FNumber", _FRACTION),
    0x8822: ("ExposureProgram", _NUMBER),
    0x8827: ("ISOSpeedRatings", _NUMBER),
    0x9000: ("ExifVersion", frozenset({_UNDEFINED})),
    0x9003: ("DateTimeOriginal", _TEXT),
    0x9004: ("DateTimeDigitized", _TEXT),
    0x9201: ("ShutterSpeedValue", _FRACTION),
    0x9202: ("ApertureValue", _FRACTION),
    0x9204: ("ExposureBiasValue", _FRACTION),
    0x9205: ("MaxApertureValue", _FRACTION),
    0x9207: ("MeteringMode", _NUMBER),
    0x9209: ("Flash", _NUMBER),
    0x920A: ("FocalLength", _FRACTION),
    0xA001: ("ColorSpace", _NUMBER),
    0xA002: ("PixelXDimension", _NUMBER),
    0xA003: ("PixelYDimension", _NUMBER),
    0xA402: ("ExposureMode", _NUMBER),
    0xA403: ("WhiteBalance", _NUMBER),
    0xA405: ("FocalLengthIn35mmFilm", _NUMBER),
    0xA406: ("SceneCaptureType", _NUMBER),
    0xA433: ("LensMake", _TEXT),
    0xA434: ("LensModel", _TEXT),
}
_OF_THE_RASTER = frozenset({0x0112, 0x0213, 0xA001, 0xA002, 0xA003})


@dataclass(frozen=True)
class _Entry:
    tag: int
    kind: int
    raw: bytes


def clean_exif(tiff: bytes, *, upright: bool = False) -> tuple[bytes, dict[str, ExifValue]]:
    """`tiff` rebuilt from the listed tags, in its own byte order, and their values by name.

    Empty if nothing is left or nothing can be read.
    """
    tiff = tiff.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return b"", {}
    main, pointer = _read_ifd(tiff, struct.unpack_from(order + "I", tiff, 4)[0], order, _IFD0)
    detail, _ = _read_ifd(tiff, pointer, order, _EXIF) if pointer else ({}, 0)
    if upright:
        main = {tag: entry for tag, entry in main.items() if tag not in _OF_THE_RASTER}
        detail = {tag: entry for tag, entry in detail.items() if tag not in _OF_THE_RASTER}
    if not main and not detail:
        return b"", {}
    named = [(_IFD0[tag][0], entry) for tag, entry in sorted(main.items())]
    named += [(_EXIF[tag][0], entry) for tag, entry in sorted(detail.items())]
    return _write_tiff(main, detail, order), {name: _shown(entry, order) for name, entry in named}


def _read_ifd(
    tiff: bytes, offset: int, order: str, listed: Mapping[int, tuple[str, frozenset[int]]]
) -> tuple[dict[int, _Entry], int]:
    """The listed entries of one directory, and where its Exif directory starts (0: it has none)."""
    entries: dict[int, _Entry] = {}
    pointer = 0
    if offset + 2 > len(tiff):
        return entries, pointer
    count = min(struct.unpack_from(order + "H", tiff, offset)[0], _MAX_ENTRIES)
    for at in range(offset + 2, min(offset + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind, number, start = struct.unpack_from(order + "HHII", tiff, at)
        if tag == _EXIF_IFD and kind == _LONG:
            pointer = start
        elif tag in listed and kind in listed[tag][1]:
            size = number * _SIZES[kind]
            begin = at + 8 if size <= 4 else start
            raw = _bounded(kind, number, tiff[begin : begin + min(size, _MAX_TEXT)], size)
            if raw:
                entries[tag] = _Entry(tag, kind, raw)
            else:
                entries.pop(tag, None)  # the last of two says nothing: so do we
    return entries, pointer


def _bounded(kind: int, number: int, raw: bytes, size: int) -> bytes:
    """The raw value without hiding places: one number, four undefined bytes, or text up to its NUL."""
    if kind == _ASCII:
        text = raw.partition(b"\0")[0]
        return text + b"\0" if text.strip() else b""
    if kind == _UNDEFINED:
        return raw if size == 4 and raw.isdigit() else b""
    return raw if number == 1 and len(raw) == size else b""


def _write_tiff(main: Mapping[int, _Entry], detail: Mapping[int, _Entry], order: str) -> bytes:
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    pointers = 1 if detail else 0
    main_size = _ifd_size(main, pointers)
    extra = [_Entry(_EXIF_IFD, _LONG, struct.pack(order + "I", 8 + main_size))] if detail else []
    block = _write_ifd([*main.values(), *extra], 8, order)
    return head + block + (_write_ifd(list(detail.values()), 8 + main_size, order) if detail else b"")


def _ifd_size(entries: Mapping[int, _Entry], pointers: int) -> int:
    outside = sum(len(e.raw) + len(e.raw) % 2 for e in entries.values() if len(e.raw) > 4)
    return 2 + 12 * (len(entries) + pointers) + 4 + outside


def _write_ifd(entries: list[_Entry], offset: int, order: str) -> bytes:
    rows = struct.pack(order + "H", len(entries))
    values = b""
    values_at = offset + 2 + 12 * len(entries) + 4
    for entry in sorted(entries, key=lambda e: e.tag):
        rows += struct.pack(order + "HHI", entry.tag, entry.kind, len(entry.raw) // _SIZES[entry.kind])
        if len(entry.raw) <= 4:
            rows += entry.raw.ljust(4, b"\0")
        else:
            rows += struct.pack(order + "I", values_at + len(values))
            values += entry.raw + b"\0" * (len(entry.raw) % 2)
    return rows + struct.pack(order + "I", 0) + values


def _shown(entry: _Entry, order: str) -> ExifValue:
    if entry.kind in {_ASCII, _UNDEFINED}:
        return _text(entry.raw.rstrip(b"\0"))
    numbers = struct.unpack(order + _FORMATS[entry.kind], entry.raw)
    if len(numbers) == 1:
        return int(numbers[0])
    return round(numbers[0] / numbers[1], 6) if numbers[1] else 0.0


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


# --- XMP (ISO 16684-1) ------------------------------------------------------------------------------

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_NAMESPACES: Mapping[str, tuple[str, frozenset[str]]] = {
    "http://creativecommons.org/ns#": (
        "cc",
        frozenset({"license", "attributionName", "attributionURL", "morePermissions", "useGuidelines"}),
    ),
    "http://purl.org/dc/elements/1.1/": ("dc", frozenset({"creator", "rights", "title"})),
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": ("Iptc4xmpExt", frozenset({"DigitalSourceType"})),
    "http://ns.adobe.com/photoshop/1.0/": ("photoshop", frozenset({"Credit"})),
    "http://ns.useplus.org/ldf/xmp/1.0/": (
        "plus",
        frozenset({"CopyrightStatus", "CreditLineRequired", "DataMining", "OtherConstraints"}),
    ),
    "http://www.w3.org/ns/tdmrep/": ("tdm", frozenset({"policy", "reservation"})),
    "http://ns.adobe.com/xap/1.0/rights/": (
        "xmpRights",
        frozenset({"Certificate", "Marked", "Owner", "UsageTerms", "WebStatement"}),
    ),
}
_MAX_XMP = 1 << 20
_MAX_ITEMS = 20
_MAX_CHARACTERS = 1000
_PACKET_START = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'


def clean_xmp(packet: bytes) -> bytes:
    """A new packet with the listed properties of `packet`: plain texts, arrays of texts, and links.

    Not `tiff:Orientation`: browsers pass over it, programs that train may turn the picture by it.
    Empty if nothing is left, or if it is not XML, has a DTD or is larger than a megabyte.
    """
    root = _parse_xml(packet)
    if root is None:
        return b""
    found: dict[str, _Property] = {}
    for element in _descriptions(root):
        for name, attribute, content in _properties(element):
            namespace, _, local = name.removeprefix("{").partition("}")
            prefix, listed = _NAMESPACES.get(namespace, ("", frozenset[str]()))
            if local in listed:
                found.setdefault(f"{prefix}:{local}", _Property(prefix, namespace, attribute, content))
    if not found:
        return b""
    prefixes = sorted({(each.prefix, each.namespace) for each in found.values()})
    declared = "".join(f" xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in prefixes)
    content = "".join(f"<{name}{p.attribute}>{p.content}</{name}>" for name, p in sorted(found.items()))
    text = (
        f'{_PACKET_START}<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}">'
        f'<rdf:Description rdf:about=""{declared}>{content}</rdf:Description></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="r"?>'
    )
    return text.encode("utf-8")


@dataclass(frozen=True)
class _Property:
    prefix: str
    namespace: str
    attribute: str  # of its element, with a leading space
    content: str  # escaped


def _parse_xml(packet: bytes) -> Element | None:
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    packet = packet.strip(b"\0 \t\r\n")
    if not packet or len(packet) > _MAX_XMP:
        return None
    try:
        root: Element = fromstring(packet, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError):
        return None
    return root


def _descriptions(root: Element) -> list[Element]:
    rdf = root if root.tag == f"{{{_RDF}}}RDF" else root.find(f"{{{_RDF}}}RDF")
    return [] if rdf is None else rdf.findall(f"{{{_RDF}}}Description")


def _properties(description: Element) -> Iterator[tuple[str, str, str]]:
    """(qualified name, attribute, content) of each property that is simple enough to publish."""
    for name, text in description.attrib.items():
        if text.strip():
            yield name, "", _escaped(text)
    for element in description:
        link = element.get(f"{{{_RDF}}}resource")
        content = _escaped(element.text) if len(element) == 0 else _array(element[0])
        if link:
            yield element.tag, f" rdf:resource={quoteattr(link[:_MAX_CHARACTERS])}", ""
        elif content:
            yield element.tag, "", content


def _array(array: Element) -> str:
    """An array of texts; nothing for a structure, since contact details live in those."""
    kind = array.tag.removeprefix(f"{{{_RDF}}}")
    items = [_item(item) for item in array[:_MAX_ITEMS] if len(item) == 0 and (item.text or "").strip()]
    if kind not in {"Alt", "Bag", "Seq"} or not items:
        return ""
    return f"<rdf:{kind}>{''.join(items)}</rdf:{kind}>"


def _escaped(text: str | None) -> str:
    return escape((text or "").strip()[:_MAX_CHARACTERS])


def _item(item: Element) -> str:
    language = item.get(_XML_LANG)
    attribute = f" xml:lang={quoteattr(language[:20])}" if language else ""
    return f"<rdf:li{attribute}>{_escaped(item.text)}</rdf:li>"


# --- IPTC-IIM 4.2 -----------------------------------------------------------------------------------

_IIM_LISTED = frozenset(
    {
        (1, 90),  # coded character set: how to read the texts
        (2, 80),  # by-line
        (2, 110),  # credit
        (2, 115),  # source
        (2, 116),  # copyright notice
    }
)
_MAX_DATASET = 2000
_MAX_IIM = 30_000


def clean_iim(datasets: bytes) -> bytes:
    """The listed datasets of an IIM block, in their order. Reading stops at the first malformed one."""
    kept = b""
    at = 0
    while at + 5 <= len(datasets) and datasets[at] == 0x1C:
        record, number, size = struct.unpack_from(">BBH", datasets, at + 1)
        end = at + 5 + size
        if size & 0x8000 or end > len(datasets):
            break
        if (record, number) in _IIM_LISTED and size <= _MAX_DATASET and len(kept) < _MAX_IIM:
            kept += datasets[at:end]
        at = end
    texts = any(kept[i : i + 2] == b"\x1c\x02" for i in range(len(kept) - 1))
    return kept if texts else b""
