"""A collecting institution's own words on its pages, as a recipe names them: licence evidence.

The words have to stand there as a statement. Where what stands around them turns them round or doubts them
("not in the public domain", "public domain unless ..."), they are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from kyodaku.signals.carriers.html import HtmlPage
from kyodaku.signals.model import Institution, LicenceBinding, LicenceEvidence, excerpt

#: Characters on either side that may turn a statement round.
_NEAR = 80
#: A word that turns round what follows it, and the little words that may stand between.
_TURNED_BEFORE = re.compile(
    r"(?:n['\u2019]t|\b(?:not|no|non|never|nor|unless|until|whether|if|unclear|unknown|may|might|nicht|kein\w*|ob|"
    r"pas|ni|si))"
    r"(?:\s+(?:yet|in|into|the|a|an|of|part|to|be|been|being|considered|necessarily|currently|always|under|any|"
    r"all|that|it|is|are|this|work|image|item|object|im|in|der|die|das|dem|dans|le|la|les|de|du|un|une))*\s*\Z",
    re.IGNORECASE,
)
_TURNED_BEHIND = re.compile(
    r"\s*,?\s*(?:(?:is|are|was|status|does|do|can|could|may|might|has|have|ist|est)\s+)*"
    r"(?:not\b|unless\b|except\b|only\b|unknown\b|unclear\b|uncertain\b|nicht\b|sauf\b|"
    r"\u3067\u306f(?:\u306a|\u3042\u308a\u307e\u305b)|\u3067\u306a|\u304b(?:\u3069\u3046\u304b|\u4e0d\u660e)|\u4e0d|\u7684?\u4e0d|\s?\uc544\ub2c8|\s?\uc544\ub2d9)",
    re.IGNORECASE,
)


def institution_of(page: HtmlPage, institutions: Iterable[Institution]) -> Institution | None:
    """The institution whose host a page is of, or None."""
    host = (urlsplit(page.url).hostname or "").lower()
    return next((known for known in institutions if known.host.lower() == host), None)


def statement_of(page: HtmlPage, institution: Institution) -> Iterator[LicenceEvidence]:
    """The institution's exact words, where they stand in the page's visible text and nowhere turned round."""
    statement = " ".join(institution.statement.split())
    if statement and _says(page.text, statement):
        yield LicenceEvidence(
            licence=institution.licence,
            licence_url=institution.statement,
            binding=LicenceBinding.INSTITUTION_PAGE,
            institution=institution.host,
            source_url=page.url,
            element=excerpt(statement),
            digest=page.digest,
        )


def _says(text: str, statement: str) -> bool:
    """True when `statement` stands in `text` as words of its own, and is meant wherever it does."""
    said = False
    at = text.find(statement)
    while at >= 0:
        end = at + len(statement)
        before, behind = text[max(0, at - _NEAR) : at], text[end : end + _NEAR]
        joined = before[-1:].isalnum() and statement[0].isalnum()
        if not joined and not (behind[:1].isalnum() and statement[-1].isalnum()):
            if _TURNED_BEFORE.search(before) or _TURNED_BEHIND.match(behind):
                return False
            said = True
        at = text.find(statement, end)
    return said
