"""What an opt-out protocol is to the rest of Kyodaku. One file beside this one = one protocol.

A protocol reads carriers that were parsed once and gives `Signal`s. Every method may return an
empty list, which means: nothing was said here. It must not raise; `kyodaku.permission` turns an
exception into a hold, never into silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from kyodaku.signals.carriers.embedded import EmbeddedMetadata
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.carriers.html import HtmlPage
from kyodaku.signals.model import Declared, Effect, Fetched, LicenceEvidence, Reading, Signal, strongest


@dataclass(frozen=True)
class Peers:
    """What others do with the protocol, as read in the source of datadiligence 0.1.7, img2dataset 1.47.0 and
    NeMo Curator (2026-08-21), and for Common Crawl in what it publishes."""

    datadiligence: str = "no"
    img2dataset: str = "no"
    nemo_curator: str = "no"
    common_crawl: str = "no"


@dataclass(frozen=True)
class About:
    """A protocol in a few words, for docs/signals.md and `kyodaku signals list`.

    `where` it stands, the `scope` it can speak about, the `status` of its specification, and what we make of
    it by the letter (`spec`) and in crawls (`policy`).
    """

    where: str
    scope: str
    status: str
    spec: str
    policy: str
    peers: Peers = Peers()


class Protocol:
    """Base of all protocols. A module in this folder exposes one instance as `PROTOCOL`."""

    #: Name in records, recipes and pages, e.g. `x-robots-tag`.
    name: ClassVar[str]
    #: One line for `kyodaku signals list`.
    title: ClassVar[str]
    #: Its row in docs/signals.md.
    about: ClassVar[About]
    #: Paths asked of every origin, in this order, e.g. `("/robots.txt",)`.
    host_files: ClassVar[tuple[str, ...]] = ()
    #: The `signal` values of published vectors this protocol answers for.
    vector_signals: ClassVar[tuple[str, ...]] = ()
    #: True where a `permitted` signal is bound to the image itself.
    image_bound: ClassVar[bool] = False

    def read_host_file(self, path: str, file: Fetched, url: str, reading: Reading) -> list[Signal]:
        """What the host file `path` says about fetching or using `url` (scheme://host/path?query)."""
        return []

    def alike(self, path: str, file: Fetched, reading: Reading) -> bool:
        """True only where `read_host_file` gives the same for every URL of the origin, at any `reading.now`:
        gates then read the file once an origin. False claims nothing."""
        return False

    def wants(self, path: str, files: Mapping[str, Fetched], reading: Reading) -> bool:
        """Whether the host file `path` still has a say, given those of this origin that are there; at any
        `reading.now`."""
        return True

    def read_page_head(self, head: ResponseHead, reading: Reading) -> list[Signal]:
        """What a page's response headers say about the images it shows."""
        return []

    def read_page(self, page: HtmlPage, image_url: str | None, reading: Reading) -> list[Signal]:
        """What a page's markup says about the image `image_url` (None: about all of them)."""
        return []

    def read_image_head(self, head: ResponseHead, reading: Reading) -> list[Signal]:
        """What an image's response headers say about it."""
        return []

    def read_image(self, embedded: EmbeddedMetadata, reading: Reading) -> list[Signal]:
        """What metadata inside the image says about it."""
        return []

    def page_evidence(self, page: HtmlPage, image_url: str, reading: Reading) -> list[LicenceEvidence]:
        """Licence statements on a page, with how each is bound to `image_url`."""
        return []

    def head_evidence(self, head: ResponseHead) -> list[LicenceEvidence]:
        """Licence statements in an image's own response headers."""
        return []

    def image_evidence(self, embedded: EmbeddedMetadata) -> list[LicenceEvidence]:
        """Licence statements inside the image."""
        return []

    # Documents: what a carrier only points at. Each is fetched once, and then read for every URL.

    def host_documents(
        self, files: Mapping[str, Fetched], origin: str, reading: Reading
    ) -> Sequence[Declared]:
        """Documents that host files name for the whole origin, at any `reading.now`."""
        return ()

    def page_documents(self, head: ResponseHead, page: HtmlPage, reading: Reading) -> Sequence[Declared]:
        """Documents that a page names, in its headers or markup."""
        return ()

    def url_documents(self, url: str, reading: Reading) -> Sequence[Declared]:
        """Documents whose address follows from that of the image, by a published rule."""
        return ()

    def image_documents(self, head: ResponseHead, reading: Reading) -> Sequence[Declared]:
        """Documents that an image's response headers name."""
        return ()

    def read_document(
        self, document: Fetched, declared: Declared, url: str, reading: Reading
    ) -> list[Signal]:
        """What a document says about `url`. It may be a failure: `FetchError.BARRED` for one that robots
        does not let us ask for."""
        return []

    def resolve(self, signals: Sequence[Signal]) -> Effect:
        """This protocol's own precedence over its own training signals (default: restrictive union)."""
        return strongest([s.effect for s in signals])
