"""`X-Robots-Tag`, the response header: on an image it speaks about the image, on a page about all that
the page shows."""

from __future__ import annotations

from kyodaku.reasons import RefuseReason
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.model import Binding, Reading, Signal, Use, Where, excerpt
from kyodaku.signals.protocols.base import About, Peers, Protocol
from kyodaku.signals.protocols.directives import findings, unread_finding

HEADER = "X-Robots-Tag"
_MAX_LINES = 64


class XRobotsTag(Protocol):
    """noai, noimageai and the index rules in a header."""

    name = "x-robots-tag"
    title = "X-Robots-Tag response header: noai, noimageai and, by policy, noindex and its like"
    vector_signals = ("x-robots-tag",)
    about = About(
        where="response headers of page and image",
        scope="page, image",
        status="convention of search engines; `noai` by DeviantArt, 2022",
        spec="`noai` and `noimageai`, unscoped or for our name, reserve; never a grant",
        policy=(
            "also `noml`, `noindex`, `none`, `noimageindex`, `noarchive`, `nocache`, a past "
            "`unavailable_after`, and what is said to crawlers that train"
        ),
        peers=Peers(
            datadiligence="yes, letters' case counts; `noindex` if asked to",
            img2dataset="yes, of the image's own response; not `none`",
            common_crawl="not known",
        ),
    )
    image_bound = True

    def read_page_head(self, head: ResponseHead, reading: Reading) -> list[Signal]:
        return _signals(head, Binding.PAGE, reading)

    def read_image_head(self, head: ResponseHead, reading: Reading) -> list[Signal]:
        return _signals(head, Binding.IMAGE, reading)


def _signals(head: ResponseHead, binding: Binding, reading: Reading) -> list[Signal]:
    lines = head.values(HEADER)
    said = [(line, finding) for line in lines[:_MAX_LINES] for finding in findings(line, reading)]
    if len(lines) > _MAX_LINES:
        said.append((lines[_MAX_LINES], unread_finding()))
    return [
        Signal(
            protocol=XRobotsTag.name,
            where=Where.HEADER,
            binding=binding,
            use=Use.TRAINING,
            effect=finding.effect,
            raw=excerpt(f"{HEADER}: {line}"),
            parsed=finding.parsed,
            rule=f"x-robots-tag:{finding.rule}",
            reason=finding.reason_or(RefuseReason.X_ROBOTS_TAG),
            source_url=head.url,
            digest=head.digest(),
            complete=True,
            fetched_at=head.fetched_at,
        )
        for line, finding in said
    ]


PROTOCOL = XRobotsTag()
