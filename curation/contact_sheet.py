"""`kyodaku inspect --html`: a page with every file, its mask and what was found, written as it comes."""

from __future__ import annotations

import io
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self

from PIL import Image

from curation.annotators.base import Picture
from kyodaku.durable import atomic_write
from kyodaku.report import parts
from kyodaku.report.findings import findings_table, mask_of
from kyodaku.report.html import Html, around, join, say, tag
from kyodaku.report.texts import outcome_text, reason_text
from kyodaku.report.thumbnails import Thumbnail

if TYPE_CHECKING:
    from curation.inspect import Inspected

#: Longest side of a picture on the sheet, in pixels.
SIDE = 320


def small_jpeg(picture: Picture) -> Thumbnail:
    """A thumbnail of pixels that are decoded already."""
    pixels = picture.within(SIDE)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=85)
    return Thumbnail(file.getvalue(), pixels.shape[1], pixels.shape[0])


class Sheet:
    """The page as a context manager: it takes its name when the block ends well. Memory stays flat."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack = ExitStack()
        self._file: BinaryIO

    def __enter__(self) -> Self:
        title = "kyodaku inspect"
        before, _ = around(title)
        lead = say("What annotators see in these files. It says nothing about permission.")
        head = parts.heading(say("contact sheet"), title, lead, [])
        with ExitStack() as stack:
            self._file = stack.enter_context(atomic_write(self._path))
            self._write(before + tag("header", head) + '\n<main id="content">\n')
            self._stack = stack.pop_all()
        return self

    def add(self, inspected: Inspected, thumbnail: Thumbnail | None) -> None:
        """Append one file."""
        self._write(_card(inspected, thumbnail) + "\n")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._write("</main>" + around("")[1])
        self._stack.__exit__(kind, error, trace)

    def _write(self, text: str) -> None:
        self._file.write(text.encode("utf-8", "replace"))


def _card(inspected: Inspected, thumbnail: Thumbnail | None) -> Html:
    rows = [found.to_row() for found in inspected.findings.values()]
    reason = inspected.reason
    mask = mask_of(rows, reason) or mask_of(rows)
    size = f"{inspected.row['width']} × {inspected.row['height']}" if inspected.ok else ""
    verdict: Html = say("kept")
    if reason:
        verdict = join((outcome_text(inspected.outcome), reason_text(inspected.outcome, reason)), ": ")
    return tag(
        "section",
        tag("h2", tag("bdi", inspected.path.name), class_="file"),
        tag("p", tag("b", verdict), " ", tag("code", reason) if reason else None),
        tag("p", inspected.message, class_="note") if inspected.message else None,
        tag(
            "div",
            parts.frame(thumbnail, inspected.path.name, mask),
            tag("div", tag("p", size, class_="note"), findings_table(rows, reason)),
            class_="beside",
        ),
    )
