"""Whether a picture carries a mark of a generator: in its pixels (`curation.dwt_dct`) or in its metadata
(`kyodaku.signals.protocols.ai_made`: C2PA actions, XMP source types, texts that generators leave).

Nothing here judges by looks. A picture without any mark may be generated all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from curation.annotators.base import Finding, Picture, Status, versioned
from curation.dwt_dct import correlations
from kyodaku.c2pareader import C2paReader
from kyodaku.recipe import Annotators
from kyodaku.signals.carriers.c2pa import holds_jumbf
from kyodaku.signals.carriers.embedded import read_embedded
from kyodaku.signals.protocols.ai_made import Mark, read_marks

#: What reads the metadata of a file.
METADATA_CODE = (
    "kyodaku.signals.carriers.bmff",
    "kyodaku.signals.carriers.c2pa",
    "kyodaku.signals.carriers.containers",
    "kyodaku.signals.carriers.embedded",
    "kyodaku.signals.carriers.found",
    "kyodaku.signals.carriers.rights",
    "kyodaku.signals.carriers.tiff",
    "kyodaku.signals.carriers.xmp",
    "kyodaku.urls",
)

_CODE = (
    "curation.annotators.ai_made",
    "curation.dwt_dct",
    "kyodaku.signals.protocols.ai_made",
    "kyodaku.c2pareader",
    "kyodaku.children",
    "kyodaku._child",
    "kyodaku._c2pa_child",
    *METADATA_CODE,
)

#: From this score on the mark in the pixels counts as there.
LIMIT = 0.5


class AiMade:
    """`score`: 1.0 where metadata says so, else the strongest mark in the pixels, which counts from LIMIT on.
    `level`: "" for none, `composite` if only parts were generated, else `ai`. `text`: the evidence, as
    `dwt:sd1`, `c2pa-action:trainedAlgorithmicMedia`, `text:parameters`. `values`: by mark in the pixels.

    `unknown` where nothing was found and metadata could not be read.
    """

    name = "ai_made"

    def __init__(self) -> None:
        self.version = versioned(1, _CODE)

    @classmethod
    def build(cls, section: Annotators) -> AiMade:
        """The annotator of a recipe; nothing about it can be set."""
        return cls()

    def look(self, pictures: Sequence[Picture], before: Sequence[Mapping[str, Finding]]) -> list[Finding]:
        """See the class."""
        with _reader(pictures) as reader:
            return [self._look(picture, reader) for picture in pictures]

    def _look(self, picture: Picture, reader: C2paReader | None) -> Finding:
        embedded = read_embedded(picture.body, c2pa=reader)
        said = read_marks(embedded)
        seen = correlations(picture.pixels)
        hidden = [f"dwt:{name}" for name, value in seen.items() if value >= LIMIT]
        evidence = list(dict.fromkeys([*hidden, *(f"{mark.rule}:{mark.detail}" for mark in said)]))
        if not evidence and embedded.unreadable:
            return Finding(self.name, self.version, Status.UNKNOWN, text=embedded.unreadable[0][:200])
        return Finding(
            self.name,
            self.version,
            Status.OK,
            score=1.0 if said else max(seen.values()),
            level=_level(hidden, said),
            text=" ".join(evidence)[:1000],
            values=seen,
        )


def _level(hidden: Sequence[str], said: Sequence[Mark]) -> str:
    if not hidden and not said:
        return ""
    only_parts = not hidden and all(mark.kind == "ai-composite" for mark in said)
    return "composite" if only_parts else "ai"


@contextmanager
def _reader(pictures: Sequence[Picture]) -> Iterator[C2paReader | None]:
    """Children that read manifest stores, if any picture may have one."""
    if not any(holds_jumbf(picture.body) for picture in pictures):
        yield None
        return
    with C2paReader() as reader:
        yield reader
