"""The child that takes fingerprints of pictures which are not kept. Started by `kyodaku.prints`, never
imported by anything else.

It decodes as `kyodaku._decode_child` does, but its pixels stay in it: a reply holds what ANNOTATIONS calls
pixel_sha256, pdq, pdq_quality and pdq_trimmed, and as payload pdq_frames.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

from kyodaku import _decode_child
from kyodaku._child import Reply, serve
from kyodaku.copies import copy_prints

_DIGESTS = ("pixel_sha256", "pdq", "pdq_quality")


def main(options: dict[str, Any]) -> None:
    """Serve until standard input ends."""
    serve(options, lambda head, body: _answer(head, body, options), lambda: _decode_child.prepare(options))


def _answer(head: dict[str, Any], body: bytes, options: dict[str, Any]) -> Reply:
    facts, raw = _decode_child.answer({**head, "task": "decode"}, body, options)
    if "error" in facts:
        return facts, b""
    height, width = facts["height"], facts["width"]
    pixels = np.frombuffer(raw, np.uint8, height * width * 3).reshape(height, width, 3)
    prints = copy_prints(pixels, facts["pdq"], facts["pdq_quality"])
    return {**{name: facts[name] for name in _DIGESTS}, "pdq_trimmed": prints.trimmed}, prints.frames


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
