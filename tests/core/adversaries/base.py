"""What an adversary is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.core.worlds import ORIGIN, World

#: As long as an address may be that anything here compares, nearly.
LONG_URL = ORIGIN + "/art/" + "a" * 8000 + "/cat.jpg"
#: Stars and letters: a match has to look everywhere.
PATTERN = "/" + "*a" * 30


@dataclass(frozen=True)
class Adversary:
    """`build(size)` is a world of about `size` bytes; `heard` are the protocols that must not stay silent
    about the no behind it, `aimed` others that it is made to hurt."""

    build: Callable[[int], World]
    heard: tuple[str, ...] = ()
    aimed: tuple[str, ...] = ()


def filled(piece: str | bytes, size: int) -> bytes:
    """`piece` again and again, up to `size` bytes."""
    octets = piece.encode() if isinstance(piece, str) else piece
    return octets * max(1, size // len(octets))
