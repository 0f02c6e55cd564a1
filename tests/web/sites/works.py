"""Works for the sites of one protocol: licensed CC0, so that nothing but the protocol keeps them out."""

from __future__ import annotations

import json

from kyodaku.reasons import Reason
from tests.web.model import RELEASED, Expected, Figure, Headers, Reply, ends
from tests.web.pictures import painted

JSON = (("Content-Type", "application/json"),)


def work(site: str, path: str, alt: str, expect: Expected = RELEASED, headers: Headers = ()) -> Figure:
    """A picture of its own for every site and path."""
    kind = "PNG" if path.endswith(".png") else "JPEG"
    return Figure(path, alt, painted(f"{site}{path}", kind=kind), headers=headers, expect=expect)


def both(site: str, reason: Reason) -> tuple[Figure, Figure]:
    """A work below /art/, which is refused, and one below /open/, which is not."""
    return (
        work(site, "/art/1.jpg", "A painting that its maker keeps from training", ends(reason)),
        work(site, "/open/1.jpg", "A painting that its maker offers for training"),
    )


def json_reply(value: object) -> Reply:
    """An answer in JSON."""
    return Reply(json.dumps(value).encode(), headers=JSON)
