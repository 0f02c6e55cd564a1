"""Annotator `notices`: does a text in the picture say no to AI training, or to copying and re-use.

Pure over the lines that the annotator `text` read. Level `notice`: it refuses; `mention`: a sentence that
only talks about such notices; `none`. `text`: the sentences that refuse (or mention), one a line. `values`:
`ai` and `reuse` (1.0 where a phrase of that category refuses), `exact` (0.0 where only phrases with a sign
wrong were found). `score` is 1.0 for a notice. The mask is that of the text. Where nobody could read, or
not all of it and no notice stands in the rest, nothing is known: `unknown`. The phrases stand in
curation/phrases/notices.toml; docs/notices.md lists them for creators.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from curation.annotators.base import Finding, Picture, Status, versioned
from curation.annotators.text import Text, not_all_read
from curation.phrases import notices
from curation.steps import digest_files
from kyodaku.recipe import Annotators

_CODE = (
    "curation.annotators.notices",
    "curation.phrases.notices",
    "curation.phrases.folding",
    "curation.phrases.fuzzy",
    "kyodaku.signals.keywords",
)

NOTICE, MENTION, NONE = "notice", "mention", "none"


@dataclass(frozen=True)
class Notices:
    """The annotator."""

    name: str
    version: str

    @classmethod
    def build(cls, section: Annotators) -> Notices:
        """Who reads is part of the version: what was found in other lines is not found in these."""
        reads = Text.build(section).version
        return cls("notices", versioned(1, _CODE, digest_files(notices.data_files()), reads))

    def look(self, pictures: Sequence[Picture], before: Sequence[Mapping[str, Finding]]) -> list[Finding]:
        """One finding a picture, from what `text` found in it."""
        return [self.judge(known.get("text")) for known in before]

    def judge(self, text: Finding | None) -> Finding:
        """The finding about a picture in which `text` was read."""
        if text is None or text.status is not Status.OK:
            return Finding(self.name, self.version, Status.UNKNOWN, text="nobody could read the picture")
        found = notices.read(text.text)
        refusing = notices.refusing(found)
        if not refusing and not_all_read(text):
            return Finding(self.name, self.version, Status.UNKNOWN, text="not all of its text could be read")
        if not refusing:
            said = "\n".join(dict.fromkeys(one.said for one in found))
            level = MENTION if found else NONE
            return Finding(self.name, self.version, Status.OK, level=level, text=said)
        values = {
            "ai": float(any(one.category == "ai" for one in refusing)),
            "reuse": float(any(one.category == "reuse" for one in refusing)),
            "exact": float(any(one.exact for one in refusing)),
        }
        said = "\n".join(one.said for one in refusing)
        return Finding(self.name, self.version, Status.OK, 1.0, NOTICE, said, values, text.mask)
