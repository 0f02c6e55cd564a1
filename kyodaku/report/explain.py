"""`kyodaku explain`: the whole story of one image, page or host, from the facts on the disk.

`explain` gathers, `tell.render` draws it for a terminal, `Story.to_json` gives it to a program. Texts from
the web stay verbatim in a Story and are made harmless where they are drawn.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from difflib import SequenceMatcher
from itertools import islice

from kyodaku.errors import UnsafeAddressError, UsageError
from kyodaku.netguard import normalise_url
from kyodaku.report.data import HostFile, Row, RunFacts
from kyodaku.report.explain_images import IN_THE_SET, Publication, image_story
from kyodaku.report.explain_pages import host_story, page_stories
from kyodaku.report.listed import with_lines
from kyodaku.report.pages import all_pages
from kyodaku.report.published import Published, Releases
from kyodaku.report.story import (
    ImageStory,
    PageStory,
    Story,
)
from kyodaku.report.tell import render
from kyodaku.runs import RunFolder

__all__ = ["Story", "explain", "render"]

#: Candidates told in full; a page may show thousands.
TOLD = 20
_SUGGESTIONS = 3
_COMPARED = 20_000
_NAMES = "give an image URL, a page URL, a uid, a candidate_id, a sha256 or a host"


def explain(run: RunFolder, what: str) -> Story:
    """The story of the image, page, digest or host that `what` names in this run.

    Raises UsageError, with the nearest known addresses, when the run knows nothing of it, RunStateError
    while its crawl has not ended, and RecordError for a file that cannot be read or has another schema.
    """
    if not what.strip():
        raise UsageError(f"nothing to explain; {_NAMES}")
    facts = RunFacts(run)
    facts.require_ended()
    releases = Releases(facts)
    names = _spellings(what)
    found, asked_as = _find(facts, releases, names)
    files = facts.hosts()
    pages = page_stories(facts, names, files, TOLD) if asked_as in ("", "page_url") else ()
    if not found:
        return _without_images(facts, what, names, pages, files)
    told = found[:TOLD]
    related = _related(facts, told)
    candidates = facts.candidates({row.candidate_id: row for row in [*told, *related]}.values())
    candidates = with_lines(facts.run, [*told, *related], candidates)
    known = {row.candidate_id: (row, candidates[row.candidate_id]) for row in [*told, *related]}
    published = releases.holding({row.uid for row in [*found, *related] if row.uid})
    images = tuple(
        image_story(facts, row, known, files, Publication.of(row, known, published, releases)) for row in told
    )
    return Story(
        asked=what,
        asked_as=asked_as,
        run=str(run.path),
        sentence=_about_all(asked_as, found, images, published),
        images=images,
        not_told=len(found) - len(told),
        pages=pages,
    )


def _without_images(
    facts: RunFacts, what: str, names: frozenset[str], pages: tuple[PageStory, ...], files: list[HostFile]
) -> Story:
    """The story of a page or host that shows no image we know."""
    if pages:
        return Story(what, "page_url", str(facts.run.path), pages[0].sentence, (), 0, pages)
    host = host_story(facts, what, names, files)
    if host is None:
        raise UsageError(_unknown(facts, what))
    return host


# --- finding -----------------------------------------------------------------------------------------


def _spellings(what: str) -> frozenset[str]:
    """What is asked for, as given and as the crawl would have written it."""
    asked = what.strip()
    names = {asked, asked.lower()} if "://" not in asked else {asked}
    if "://" in asked:
        with suppress(UnsafeAddressError):
            names.add(normalise_url(asked))
    return frozenset(names)


def _find(facts: RunFacts, releases: Releases, names: frozenset[str]) -> tuple[list[Row], str]:
    """Matching rows, by the first kind of name that matches anything."""
    sources = releases.sources(names)
    for asked_as, wanted in (
        ("image_url", {"image_url": names, "final_url": names}),
        ("candidate_id", {"candidate_id": names}),
        ("uid", {"uid": names}),
        ("sha256", {"sha256": names, "uid": sources}),
        ("page_url", {"page_url": names}),
    ):
        found = list(facts.matching(wanted))
        if found:
            return found, asked_as
    return [], ""


def _related(facts: RunFacts, told: list[Row]) -> list[Row]:
    """Rows that share an address, bytes or pixels with those told, or decided them."""
    urls = {url for row in told for url in (row.image_url, row.final_url) if url}
    uids = {row.uid for row in told if row.uid}
    uids |= {member["uid"] for uid in tuple(uids) for member in facts.cluster(uid)}
    causes = {row.because_of for row in told if row.because_of}
    wanted = {"image_url": urls, "final_url": urls, "uid": uids | causes, "candidate_id": causes}
    own = {row.candidate_id for row in told}
    found = (row for row in facts.matching(wanted) if row.candidate_id not in own)
    return list(islice(found, 50 * TOLD))


def _unknown(facts: RunFacts, what: str) -> str:
    """The words for a name that the run does not know, with the nearest that it does."""
    near = heapq.nlargest(_SUGGESTIONS, _scored(facts, what))
    words = f"this run knows nothing of {what[:200]!r}"
    if near and near[0][0] > 0.6:
        return f"{words}; nearest: {', '.join(name for score, name in near if score > 0.6)}"
    return f"{words}; {_NAMES}"


def _scored(facts: RunFacts, what: str) -> Iterable[tuple[float, str]]:
    names: dict[str, None] = {}
    for row in facts.rows():
        names.update(
            dict.fromkeys((row.image_url, row.page_url) if ":" in what else (row.uid, row.candidate_id))
        )
        if len(names) > _COMPARED:
            break
    if ":" in what:
        names.update((page.url, None) for page in islice(all_pages(facts.run), _COMPARED))
    matcher = SequenceMatcher(None, b=what[:300], autojunk=False)
    for name in names:
        if name and len(name) < 1000:
            matcher.set_seq1(name)
            if matcher.real_quick_ratio() > 0.6 and matcher.quick_ratio() > 0.6:
                yield matcher.ratio(), name


def _about_all(
    asked_as: str,
    found: list[Row],
    images: tuple[ImageStory, ...],
    published: Mapping[str, list[Published]],
) -> str:
    if asked_as == "page_url" and len(found) == 1:
        return f"1 image was found on this page. {images[0].sentence}"
    if asked_as == "page_url":
        counts = Counter(row.outcome or "not decided" for row in found)
        listed = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(counts.items()))
        gone = {row.uid for row in found if row.outcome not in IN_THE_SET and row.uid in published}
        gone |= {place.key for image in images for place in image.places if place.state == "still"}
        still = f"; {len(gone)} that left the set {'is' if len(gone) == 1 else 'are'} still in a release"
        return f"{len(found):,} images were found on this page: {listed}{still if gone else ''}."
    if len(images) == 1:
        return images[0].sentence
    best = next(
        (image for row, image in zip(found, images, strict=False) if row.outcome == "released"), images[0]
    )
    return f"Found at {len(found)} places. {best.sentence}"
