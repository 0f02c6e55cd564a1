"""Inputs made to hurt a parser, of any size, in every channel. Behind each stands a no: what a cap leaves out
must not read as silence. A test fails for a protocol or a carrier that none of them is made for.
"""

from __future__ import annotations

from itertools import chain

from tests.core.adversaries import files, images, pages
from tests.core.adversaries.base import Adversary

__all__ = ["Adversary", "adversaries"]


def adversaries() -> dict[str, Adversary]:
    """All of them, by a name that begins with the channel: `robots: tiny groups`."""
    return dict(chain(files.named(), pages.named(), images.named()))
