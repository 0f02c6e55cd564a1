"""Pictures that somebody else may have uploaded: copies with other publishers that do not say the same.

The rule, for one allowed picture and each of its copies (equal bytes, equal pixels, near, or by an embedding)
with another publisher:

1. What rests on an institution of the recipe stands: whoever wrote the recipe vouches for it.
2. Both state a licence: it stands if they state the same one (all ways to say public domain are one) and,
   where credit is owed, name the same creator, or one of them names none.
3. Else they disagree. Where neither states one nobody knows whose it is: no date tells. A server may write
   any Last-Modified, and that of an artist is of today where her site was moved; when we came by says less.

A candidate states what stands beside it, never what another copy lends it. Who is allowed by what others
state stands only as long as one of those does: neither a page that disagrees with a copy nor one of a listed
host (`on_listed_hosts`) lets another one in.

The publisher of a picture is the site (registrable domain) of its page, or of its address where no page is
known. A copy whose page is on that site too, or that lies there, is the same publisher's. A page that shows
what lies on another site and states no licence speaks for nobody. With a licence it is a publisher of its
own: whatever else shows that address is then its copy, and mostly says something else.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from curation.likeness import Likeness
from kyodaku.copies import MAX_DISTANCE
from kyodaku.decision import Decision, addresses, page_addresses
from kyodaku.reasons import AllowReason, Verdict
from kyodaku.records import Candidate
from kyodaku.signals.model import LicenceBinding
from kyodaku.urls import registrable_domain

#: More than 1 - cosine can be: match writes only those that the recipe calls copies.
_ANY_EMBEDDING = 3.0
_PUBLIC_DOMAIN = "public domain"
_FREE_OF_CLAIMS = frozenset({"pdm-1.0", "cc0-1.0", "institution"})
_VERSION = re.compile(r"-\d.*$")


def on_listed_hosts(
    candidates: Sequence[Candidate], decisions: Sequence[Decision], hosts: Collection[str]
) -> dict[int, str]:
    """The candidates whose picture or page is on one of `hosts` or below it, at any hop; and the allowed ones
    to whom only such a candidate lends its licence, with its candidate_id ("" for what is there itself)."""
    if not hosts:
        return {}
    there = {index: "" for index, candidate in enumerate(candidates) if _is_on(candidate, hosts)}
    return {**_left_alone(candidates, decisions, there), **there}


def _is_on(candidate: Candidate, hosts: Collection[str]) -> bool:
    names = {urlsplit(url).hostname or "" for url in (*addresses(candidate), *page_addresses(candidate))}
    return any(name == host or name.endswith(f".{host}") for name in names for host in hosts)


def _left_alone(
    candidates: Sequence[Candidate], decisions: Sequence[Decision], without: Collection[int]
) -> dict[int, str]:
    """Of the candidates that are allowed by what another one states, those for which nobody but `without`
    states it, with the candidate_id of one of these. Who lends has the same bytes or an address in common, or
    is named by the decision."""
    lent = [i for i, one in enumerate(decisions) if one.verdict is Verdict.ALLOW and one.because_of]
    if not (lent and without):
        return {}
    heard: set[str] = set()
    for index in _stating(decisions):
        if index not in without:
            heard.update(_places(candidates[index]), (candidates[index].candidate_id,))
    return {
        index: decisions[index].because_of
        for index in lent
        if heard.isdisjoint((*_places(candidates[index]), decisions[index].because_of))
    }


def _stating(decisions: Sequence[Decision]) -> list[int]:
    """Those that are allowed by a licence that they state themselves."""
    return [i for i, one in enumerate(decisions) if one.verdict is Verdict.ALLOW and one.evidence]


def _places(candidate: Candidate) -> tuple[str, ...]:
    """Its bytes and its addresses."""
    return (*((candidate.uid,) if candidate.uid else ()), *addresses(candidate))


def reposts(
    candidates: Sequence[Candidate],
    decisions: Sequence[Decision],
    standing: Collection[int],
    listed: Collection[int],
    likeness: Likeness,
) -> dict[int, str]:
    """Of the allowed candidates `standing` those that do not stand, with the candidate_id of a copy that
    disagrees, or of who lent a licence and does not stand itself. Pure; the order of the candidates changes
    nothing.

    `decisions` are of all candidates, `listed` those that `on_listed_hosts` found. Copies that are refused
    for an objection are not asked: what that means for near copies is another rule.
    """
    asked = {*standing, *_stating(decisions)} if any(decisions[i].because_of for i in standing) else standing
    against = _disagreements(candidates, decisions, asked, likeness)
    alone = _left_alone(candidates, decisions, {*against, *listed})
    found = {**{index: cause for index, cause in alone.items() if index not in listed}, **against}
    return {index: found[index] for index in standing if index in found}


def _disagreements(
    candidates: Sequence[Candidate],
    decisions: Sequence[Decision],
    asked: Collection[int],
    likeness: Likeness,
) -> dict[int, str]:
    """Of `asked` those with a copy that disagrees, and the candidate_id of one."""
    claims = [Claim.of(*pair) for pair in zip(candidates, decisions, strict=True)]
    by_place = _claims_by_place(candidates, claims)
    by_pixels: dict[str, list[str]] = defaultdict(list)
    for uid, cluster in likeness.pixels.items():
        by_pixels[cluster].append(uid)
    found = {}
    for index in asked:
        own, uid = claims[index], candidates[index].uid
        like = {*_places(candidates[index]), *by_pixels.get(likeness.pixels.get(uid, ""), ())}
        like.update(
            other for one in tuple(like) for other in likeness.copies(one, MAX_DISTANCE, _ANY_EMBEDDING)
        )
        against = [
            name
            for one in like
            for other, name in by_place.get(one, {}).items()
            if not own.vouched and not own.is_of(other) and not own.stands_beside(other)
        ]
        if against:
            found[index] = min(against)
    return found


def _claims_by_place(candidates: Sequence[Candidate], claims: Sequence[Claim]) -> dict[str, dict[Claim, str]]:
    """By uid and by address the different claims, each with the first candidate_id that makes it: a page
    shows a picture even if nobody asked for it there."""
    found: dict[str, dict[Claim, str]] = defaultdict(dict)
    for candidate, claim in zip(candidates, claims, strict=True):
        name = candidate.candidate_id
        for place in _places(candidate):
            own = found[place]
            own[claim] = min(own.get(claim, name), name)
    return found


@dataclass(frozen=True)
class Claim:
    """What one candidate says about whose picture it is."""

    addresses: frozenset[str]
    page_site: str
    image_site: str
    has_page: bool
    vouched: bool
    licences: frozenset[str]
    creator: frozenset[str]

    @classmethod
    def of(cls, candidate: Candidate, decision: Decision) -> Claim:
        """The claim of a candidate, by what itself states."""
        bound = [item for item in candidate.evidence if item.binding is not LicenceBinding.UNBOUND]
        used = [candidate.evidence[i] for i in decision.evidence] if not decision.because_of else []
        stated = {item.licence or item.licence_url for item in bound}
        granted = {"grant"} if decision.reason is AllowReason.GRANT else set()
        image_site = _site(candidate.final_url or candidate.image_url)
        allowed = decision.verdict is Verdict.ALLOW
        return cls(
            frozenset(addresses(candidate)),
            _site(candidate.page_url) if candidate.page_url else image_site,
            image_site,
            bool(candidate.page_url),
            allowed and any(item.institution for item in used),
            frozenset(_family(licence) for licence in {*stated, *granted} if licence),
            _words(candidate.schema_creator),
        )

    def is_of(self, other: Claim) -> bool:
        """True if both are of one publisher, as far as this one may say so: a page with a licence of its own
        is not of the site that it only shows a picture of."""
        if self.page_site in (other.page_site, other.image_site):
            return True
        together = not self.addresses.isdisjoint(other.addresses)
        if together and not (self.has_page and other.has_page):
            return True
        at_home = self.image_site == other.page_site
        return not self.licences and (at_home or (together and not other.licences))

    def stands_beside(self, other: Claim) -> bool:
        """True if this one stands although another publisher has a copy: rule 2."""
        return bool(self.licences) and self.licences == other.licences and self._credits_like(other)

    def _credits_like(self, other: Claim) -> bool:
        owed = self.licences != {_PUBLIC_DOMAIN}
        named = bool(self.creator and other.creator)
        return not owed or not named or not self.creator.isdisjoint(other.creator)


def _family(licence: str) -> str:
    return _PUBLIC_DOMAIN if licence in _FREE_OF_CLAIMS else _VERSION.sub("", licence)


def _words(name: str) -> frozenset[str]:
    """The words of a name, as compared: the order of given name and family name says nothing."""
    return frozenset(re.findall(r"\w+", unicodedata.normalize("NFKC", name).casefold()))


@lru_cache(maxsize=65536)
def _site(url: str) -> str:
    """The registrable domain of an address, hosts of a shared platform apart."""
    return registrable_domain(urlsplit(url).hostname or "", private_suffixes=True)
