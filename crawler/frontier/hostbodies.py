"""What of a host file's body may be kept: text. A picture in its place is a picture all the same."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from kyodaku.gate import OriginFacts
from kyodaku.imagehead import sniff
from kyodaku.signals.carriers.robots import parse_robots

#: Stands for a body that is not kept. It is no text to any reader, so it holds; an empty body, which a
#: robots file may have, would read as "no rules".
NOT_KEPT = b"\x00"
NOT_KEPT_DIGEST = sha256(NOT_KEPT).hexdigest()


def may_be_kept(body: bytes) -> bool:
    """False for images, archives and anything else that is not plain text."""
    return sniff(body) is None and b"\x00" not in body and not parse_robots(body).not_text


def kept_part(facts: OriginFacts) -> OriginFacts:
    """`facts` as they can be read again from the store: with NOT_KEPT for a body that is not kept."""
    files = {
        path: file if may_be_kept(file.body) else replace(file, body=NOT_KEPT)
        for path, file in facts.files.items()
    }
    return replace(facts, files=files)
