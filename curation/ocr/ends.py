"""Lines read anew beyond the ends of their boxes: where text is faint or slanting, boxes end too soon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from curation.ocr.boxes import Box, crop
from curation.ocr.lines import LEAST, Line, merged, ordered, signs
from curation.ocr.models import Reading
from curation.ocr.readers import LineReader
from curation.ocr.windows import stronger
from kyodaku.fingerprint import Pixels

#: From this confidence on a line that was read beyond its ends is taken for what stands there; how many lines
#: are read so, and how many times.
SURE_ENDS, _LENGTHENED, _TIMES = 0.75, 6, 4

#: Pixels of one line that is read beyond its ends.
_LINE_PIXELS = 4_000_000


def with_ends(reader: LineReader, pixels: Pixels, lines: Sequence[Line]) -> list[Line]:
    """The lines in reading order, some read beyond their ends. Where a word of theirs was lost over it (a
    stray sign at a word makes another word), they all stand before that as they were read first, since the
    end of a long text is cut off."""
    longer = ordered(merged(_lengthened(reader, pixels, lines)))
    said = {line.text for line in longer}
    if all(line.text in said for line in lines):
        return longer
    return [*(replace(line, again=True) for line in ordered(lines)), *longer]


def _lengthened(reader: LineReader, pixels: Pixels, lines: Sequence[Line]) -> list[Line]:
    """The lines, some of them read anew beyond both ends: where text is faint, boxes end before it does."""
    done = list(lines)
    growing = [at for at, line in enumerate(lines) if not line.korean][:_LENGTHENED]
    for _ in range(_TIMES):
        longer = [_longer(done[at].box) for at in growing]
        crops = [crop(pixels, box, _bearable(box)) for box in longer]
        readings = reader.read([*crops, *map(stronger, crops)])
        grown = []
        for at, box, *both in zip(growing, longer, readings, readings[len(crops) :], strict=False):
            best = max(both, key=lambda one: (_adds(one, done[at]), one.confidence))
            if _adds(best, done[at]):
                done[at] = replace(done[at], box=box, text=best.text.strip(), confidence=best.confidence)
                grown.append(at)
        growing = grown
        if not growing:
            break
    return done


def _adds(reading: Reading, line: Line) -> bool:
    """Whether a reading says what the line says, and more letters or figures; the signs at the ends of the
    line, which its box may have cut, may differ. One or two more are not worth a gap between words."""
    old, new = signs(line.text), signs(reading.text)
    more = len(new) - len(old)
    words = len(reading.text.split()) >= len(line.text.split())
    return (
        reading.confidence >= SURE_ENDS
        and len(old) > LEAST
        and more > (0 if words else 2)
        and old[1:-1] in new
    )


def _longer(box: Box) -> Box:
    """The box, and three times its height more at both ends."""
    along = (box.quad[1] - box.quad[0]) * np.float32(3 * box.height / max(1.0, box.width))
    return replace(box, quad=box.quad + np.stack([-along, along, along, -along]))


def _bearable(box: Box) -> float:
    """The scale at which what stands in a box of any size is no more than _LINE_PIXELS."""
    return float(
        min(1.0, (_LINE_PIXELS / max(1.0, box.width * box.height)) ** 0.5, 16_000 / max(1.0, box.width))
    )
