"""What a page brings into the crawl: links, and candidates with their context."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from crawler.answers.scope import Scope
from crawler.frontier.budgets import Budgets
from crawler.frontier.frontier import Frontier
from crawler.frontier.requests import Place, Requests
from crawler.store.codec import dump, dump_evidence, dump_signals, load_evidence, load_signals, merged
from crawler.store.schema import Kind, State
from crawler.store.store import Store
from kyodaku.decision import LACKING
from kyodaku.errors import UnsafeAddressError
from kyodaku.fingerprint import candidate_id, sha256_bytes
from kyodaku.gate import GateResult
from kyodaku.reasons import NotRequestedReason
from kyodaku.signals.model import excerpt
from kyodaku.urls import normalise_url

#: Links to such files are no pages.
_NO_PAGES = re.compile(
    r"\.(?:7z|apk|avi|bin|bz2|css|csv|dmg|docx?|epub|exe|gz|ico|iso|jar|js|json|mid|mkv|mov|mp[34]|mpe?g|ogg|pdf"
    r"|pptx?|rar|svg|tar|tgz|ttf|wasm|wav|webm|woff2?|xlsx?|xz|zip)(?:[?#]|$)",
    re.IGNORECASE,
)
_STRICTNESS = {"proceed": 0, "hold": 1, "refuse": 2}


#: Columns of a candidate with words.
_WORDS = (
    "alt", "title", "caption", "link_text", "page_title", "schema_name", "schema_description",
    "schema_creator", "schema_credit",
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """An image that a page, a sitemap or a list shows, and what is said beside it."""

    url: str
    alt: str = ""
    title: str = ""
    caption: str = ""
    link_text: str = ""
    page_title: str = ""
    schema_name: str = ""
    schema_description: str = ""
    schema_creator: str = ""
    schema_credit: str = ""
    language: str = ""
    variants: tuple[str, ...] = ()
    limit: NotRequestedReason | None = None  # why it is not asked for, whatever the page says

    def with_words(self, other: Found) -> Found:
        """This one, its gaps filled with what `other` says of the same picture; what differs stands with the
        words of the link, where no caption is taken from."""
        filled = {name: getattr(self, name) or getattr(other, name) for name in _WORDS}
        words = filled["link_text"]
        for more in (getattr(other, name) for name in _WORDS if getattr(other, name) != filled[name]):
            if more not in words:
                words = f"{words} / {more}" if words else more
        return replace(self, **{**filled, "link_text": words}, language=self.language or other.language)

    def aside(self) -> Found:
        """Its words as those of a link: it speaks about a picture that is wanted under other words."""
        words = dict.fromkeys(getattr(self, name) for name in _WORDS if name != "page_title")
        return Found(self.url, link_text=" / ".join(filter(None, words)), page_title=self.page_title)

    def context(self) -> str:
        """The texts as stored in the candidates table."""
        texts = (*(getattr(self, name) for name in _WORDS), self.language)
        return dump([*(excerpt(text) for text in texts), list(self.variants)])


@dataclass(frozen=True)
class Shown:
    """Where an image was found. `request` is the page's (0 for none), `host` the page's host or ""."""

    request: int
    url: str
    host: str
    depth: int
    sha256: str = ""


class Intake:
    """Admits links and candidates: G0, scope, budgets, then the frontier."""

    def __init__(
        self,
        store: Store,
        requests: Requests,
        frontier: Frontier,
        scope: Scope,
        budgets: Budgets,
        max_depth: int,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._requests = requests
        self._frontier = frontier
        self._scope = scope
        self._budgets = budgets
        self._max_depth = max_depth
        self._clock = clock

    def links(self, urls: Iterable[str], depth: int) -> None:
        """Pages that a page links to; `depth` is theirs."""
        if depth > self._max_depth:
            return
        for url in dict.fromkeys(urls):
            if _NO_PAGES.search(url) is None:
                self.page(url, depth)

    def page(self, url: str, depth: int, *, follow: bool = True, anywhere: bool = False) -> Place | None:
        """One page, if it is in scope (or `anywhere`) and its host's budget has room. Where it lies."""
        place = self._scope.place(url)
        if not isinstance(place, Place) or not (anywhere or self._scope.has_page(place)):
            return None
        if not self._budgets.room_for_page(place.host):
            return None
        _, new = self._frontier.add(Kind.PAGE, place, depth=depth, follow=follow)
        if new:
            self._budgets.page_found(place.host)
        return place

    def sitemap(self, url: str, depth: int) -> None:
        """One sitemap; it may lie on any host that G0 lets us speak to."""
        place = self._scope.place(url)
        if isinstance(place, Place):
            self._frontier.add(Kind.SITEMAP, place, depth=depth)

    def listed(self, page_url: str, image_url: str, caption: str, title: str = "") -> None:
        """An image that a list or sitemap names for a page: it waits until the page was asked. A page
        that was asked already is asked once more, since only it can say what holds for this image. What is
        no URL waits for nothing: G0 has the last word on it."""
        place = self._scope.place(image_url)
        if not isinstance(place, Place) and not _is_url(image_url):
            self.candidate(Found(image_url, caption=caption, title=title), Shown(0, page_url, "", 0), place)
            return
        cursor = self._store.write(
            "INSERT OR IGNORE INTO listed VALUES (?, ?, ?, ?)",
            (page_url, image_url, excerpt(caption), excerpt(title)),
        )
        page = self._requests.find(Kind.PAGE, page_url) if cursor.rowcount else None
        if page is not None and page[1] is State.DONE:
            self._frontier.ask_again(page[0])

    def listed_for(self, page_url: str) -> list[Found]:
        """Images that lists and sitemaps name for a page."""
        rows = self._store.rows(
            "SELECT image_url, caption, title FROM listed WHERE page_url = ? ORDER BY image_url", (page_url,)
        )
        return [Found(url, caption=caption, title=title) for url, caption, title in rows]

    def candidate(self, found: Found, shown: Shown, page_says: GateResult) -> None:
        """One image on one page: recorded always, requested where nothing speaks against it."""
        place = self._scope.place(found.url)
        if not isinstance(place, Place):
            self._insert(found, shown, found.url, place, 0, "")
            return
        why = self._own_limit(found, place)
        image = 0
        if why is None:
            image, new = self._frontier.add(Kind.IMAGE, place, depth=shown.depth, page_host=shown.host)
            if not new and page_says.open and page_says.evidence:
                self._maybe_again(place.url)
        self._insert(found, shown, place.url, page_says, image, why.value if why else "")

    def variant(self, url: str, of: Found, shown: Shown, page_says: GateResult) -> None:
        """A smaller variant of a picture: listed, never asked for."""
        place = self._scope.place(url)
        if isinstance(place, Place):
            found = replace(of, url=url, variants=())
            self._insert(found, shown, place.url, page_says, 0, NotRequestedReason.SMALLER_VARIANT.value)

    def _own_limit(self, found: Found, place: Place) -> NotRequestedReason | None:
        if found.limit is not None:
            return found.limit
        if not self._scope.has_image(place):
            return NotRequestedReason.OUT_OF_SCOPE
        return self._frontier.stop_of(place.host)

    def _maybe_again(self, url: str) -> None:
        """Ask once more for an image that was refused only because nothing entitled us then."""
        request, state, again = self._requests.find(Kind.IMAGE, url) or (0, State.PENDING, True)
        if state is not State.DONE or again:
            return
        gate, reason = self._store.row("SELECT gate, reason FROM requests WHERE id = ?", (request,))
        if gate == "g5" and reason in LACKING:
            self._frontier.ask_again(request)

    def _insert(
        self, found: Found, shown: Shown, url: str, gate: GateResult, image: int, not_requested: str
    ) -> None:
        url, page_url = known_as(url), known_as(shown.url)
        key = candidate_id(url, page_url)
        row = (
            key,
            image,
            shown.request,
            url,
            page_url,
            shown.depth,
            self._clock(),
            found.context(),
            gate.gate,
            gate.verdict.value,
            gate.reason,
            not_requested,
            dump_signals(gate.signals),
            dump_evidence(gate.evidence),
        )
        cursor = self._store.write(
            "INSERT INTO candidates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            row,
        )
        if not cursor.rowcount:
            self._merge(key, found, gate, image, not_requested)

    def _merge(self, key: str, found: Found, gate: GateResult, image: int, not_requested: str) -> None:
        """The same image on the same page, seen again: facts and words only grow, the stricter verdict stays.
        A picture of its own is one, whatever else shows it as a smaller variant."""
        *old, context, limit = self._store.row(
            "SELECT gate, verdict, reason, signals, evidence, context, not_requested FROM candidates"
            " WHERE candidate_id = ?",
            (key,),
        )
        word = [gate.gate, gate.verdict.value, gate.reason]
        if _STRICTNESS.get(old[1], 2) >= _STRICTNESS.get(word[1], 2):
            word = old[:3]
        signals = dump_signals(merged(load_signals(old[3]), gate.signals))
        evidence = dump_evidence(merged(load_evidence(old[4]), gate.evidence))
        before = Found("", **load_context(context))
        if limit == NotRequestedReason.SMALLER_VARIANT and not_requested != limit:
            context, limit = found.with_words(before.aside()).context(), not_requested
        else:
            aside = not_requested == NotRequestedReason.OUT_OF_SCOPE and not limit
            context = before.with_words(found.aside() if aside else found).context()
        self._store.write(
            "UPDATE candidates SET gate = ?, verdict = ?, reason = ?, signals = ?, evidence = ?,"
            " context = ?, image = max(image, ?), not_requested = ? WHERE candidate_id = ?",
            (*word, signals, evidence, context, image, "" if image else limit, key),
        )


def known_as(url: str) -> str:
    """The name of `url` in records and candidate ids: its normal form. What is no URL is cut to an excerpt
    and told apart by its digest, in a form that no URL has."""
    with suppress(UnsafeAddressError):
        return normalise_url(url)
    text = excerpt(url)
    if text == url:
        return text
    return f"{text} sha256:{sha256_bytes(url.encode('utf-8', 'surrogatepass'))}"


def _is_url(url: str) -> bool:
    try:
        normalise_url(url)
    except UnsafeAddressError:
        return False
    return True


def load_context(text: str) -> dict[str, Any]:
    """The texts of a candidate, by the names of its record's columns."""
    *texts, variants = json.loads(text)
    return {**dict(zip((*_WORDS, "language"), texts, strict=True)), "variants": tuple(variants)}
