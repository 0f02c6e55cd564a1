"""Small inputs that unfold into large ones. All are made at the first visit; none is ever unfolded here."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

_BLOCK = 16 << 20


def _gzip_head() -> bytes:
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"


def _zero_block() -> bytes:
    """A deflate block of 16 MiB of zeros that may be repeated: a full flush forgets the past."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(bytes(_BLOCK)) + packer.flush(zlib.Z_FULL_FLUSH)


def gzip_bomb(gigabytes: int, prefix: bytes = b"") -> Iterator[bytes]:
    """Pieces of a gzip stream of `prefix` and then zeros: about 1 MB on the wire for each GB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    yield _gzip_head() + packer.compress(prefix) + packer.flush(zlib.Z_FULL_FLUSH)
    block = _zero_block()
    for _ in range(gigabytes * 1024**3 // _BLOCK):
        yield block


def double_gzip_bomb(gigabytes: int, prefix: bytes = b"") -> bytes:
    """A gzip of a gzip: some ten kilobytes for each ten gigabytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    outer = [packer.compress(piece) for piece in gzip_bomb(gigabytes, prefix)]
    return b"".join([*outer, packer.flush()])


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, depth: int, colour: int, *chunks: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + b"".join(chunks) + _chunk(b"IEND", b"")


def pixel_bomb(side: int) -> bytes:
    """A whole PNG of `side` x `side` black pixels at one bit each (a palette of one colour)."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (side + 7) // 8)
    rows = b"".join(packer.compress(row * 100) for _ in range(side // 100))
    rows += packer.compress(row * (side % 100)) + packer.flush()
    return _png(side, side, 1, 3, _chunk(b"PLTE", bytes(3)), _chunk(b"IDAT", rows))


def header_bomb(side: int) -> bytes:
    """A PNG whose header promises `side` x `side` pixels and whose data are one byte."""
    return _png(side, side, 8, 2, _chunk(b"IDAT", zlib.compress(b"\x00")))


def frame_bomb(frames: int, side: int = 300) -> bytes:
    """An animated PNG of `frames` frames: a still picture and then dots of one pixel."""
    still = zlib.compress(bytes(1 + side) * side)
    dot = zlib.compress(b"\x00\xff")
    chunks = [
        _chunk(b"acTL", struct.pack(">II", frames, 0)),
        _chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, side, side, 0, 0, 1, 100, 0, 0)),
        _chunk(b"IDAT", still),
    ]
    number = 1
    for _ in range(frames - 1):
        chunks.append(_chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, 1, 1, 0, 0, 1, 100, 0, 0)))
        chunks.append(_chunk(b"fdAT", struct.pack(">I", number + 1) + dot))
        number += 2
    return _png(side, side, 8, 0, *chunks)


def text_bomb(picture: bytes, megabytes: int) -> bytes:
    """`picture` (a PNG) with a compressed XMP chunk that unpacks to `megabytes` of spaces."""
    packed = zlib.compress(b" " * (megabytes << 20), 9)
    chunk = _chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x01\x00\x00\x00" + packed)
    end_of_header = 8 + 25
    return picture[:end_of_header] + chunk + picture[end_of_header:]


def laughing_xml(root: str, levels: int = 9) -> bytes:
    """XML whose entities multiply by ten at each level."""
    entities = ['<!ENTITY a0 "ha">']
    entities += [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, levels + 1)]
    return (
        f'<?xml version="1.0"?><!DOCTYPE {root} [{"".join(entities)}]><{root}>&a{levels};</{root}>'.encode()
    )
