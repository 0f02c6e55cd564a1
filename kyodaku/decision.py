"""Facts + policy -> decision. Pure: the same facts give the same verdict, offline, for ever.

The lattice (docs/architecture.md): each protocol's observations are first resolved by that protocol's own
precedence; then any `reserved` refuses, any `error` holds, and only then does the basis decide what
silence means. Nothing in this module returns ALLOW except `basis_decision`, at its named grounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from kyodaku.errors import UnsafeAddressError
from kyodaku.reasons import AllowReason, HoldReason, ReasonEnum, RefuseReason, Verdict
from kyodaku.recipe import Deny, Recipe
from kyodaku.records import Candidate
from kyodaku.registry_client import RegistrySnapshot
from kyodaku.signals.model import Effect, LicenceBinding, LicenceEvidence, Signal, Use, strongest
from kyodaku.signals.platforms import domains_of
from kyodaku.urls import host_of, normalise_url

if TYPE_CHECKING:
    from kyodaku.signals.protocols import Protocol


@dataclass(frozen=True)
class DenyList:
    """What is never taken, whatever else is said. A domain covers its subdomains; prefixes and URLs are
    compared with the normalised URL and with the URL as written."""

    domains: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()

    @classmethod
    def of(cls, deny: Deny) -> DenyList:
        """The deny section of a recipe; URLs count as written and as they are normalised."""
        return cls(deny.domains, _spellings(deny.prefixes), _spellings(deny.urls))

    def names(self, url: str) -> bool:
        """True if the list names `url`, its host or what lies above it. A URL that cannot be read is
        compared as text; the address policy of G0 never lets one through."""
        if not url or not (self.domains or self.prefixes or self.urls):
            return False
        try:
            host = host_of(url)
        except UnsafeAddressError:
            host = ""
        return any(host == domain or host.endswith("." + domain) for domain in self.domains) or any(
            spelling in self.urls or spelling.startswith(self.prefixes) for spelling in _spellings((url,))
        )


@dataclass(frozen=True)
class Policy:
    """What a recipe lets in. `accept` holds grades, `licences` canonical ids, `grants` protocol names.

    It can be changed after the crawl: a decision is computed from facts, and what a new policy would let in
    although no gate was ever passed for it stays a hold.
    """

    basis: str
    accept: frozenset[str]
    licences: frozenset[str]
    grants: frozenset[str]
    deny: DenyList = DenyList()
    platforms: DenyList = DenyList()

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> Policy:
        """The permission section of a recipe, as the decision needs it."""
        section = recipe.permission
        return cls(
            basis=section.basis,
            accept=frozenset(section.public_domain.accept),
            licences=frozenset(section.licences),
            grants=frozenset(section.grants),
            deny=DenyList.of(recipe.deny),
            platforms=DenyList(domains_of(section.platforms)),
        )


@dataclass(frozen=True)
class Decision:
    """A verdict, its reason, and what it rests on.

    `signals` and `evidence` are indices into the candidate's own lists; `licence` is the canonical id
    of the accepted licence or ""; `because_of` the candidate whose facts decided, when not its own.
    """

    verdict: Verdict
    reason: ReasonEnum
    signals: tuple[int, ...] = ()
    evidence: tuple[int, ...] = ()
    licence: str = ""
    because_of: str = ""


#: Refusals that only say "nothing entitles us": facts about other copies may still supply the ground.
LACKING = frozenset({RefuseReason.NO_LICENCE_EVIDENCE, RefuseReason.NO_GRANT})
#: Holds that say nothing against a copy: no gate was asked, or one page of a host that shows the picture on
#: another has moved on.
MILD_HOLDS = frozenset({HoldReason.NOT_FINISHED, HoldReason.NO_LONGER_SHOWN})
#: Refusals that rest on licence statements which were found.
ON_LICENCES = frozenset({RefuseReason.LICENCE_NOT_ACCEPTED, RefuseReason.LICENCE_AMBIGUOUS})


def resolve_protocols(signals: Sequence[Signal]) -> dict[str, Effect]:
    """The effect of each protocol over its own signals. A protocol this code does not know gets the
    restrictive union, so that facts from a newer version never read as milder.

    Every picture is shown to models on its way, so a no to inference is a no; a yes to it is nothing.
    """
    if not signals:
        return {}
    known = _protocols()
    by_name: dict[str, list[Signal]] = {}
    for signal in signals:
        by_name.setdefault(signal.protocol, []).append(signal)
    effects: dict[str, Effect] = {}
    for name, own in by_name.items():
        training = [signal for signal in own if signal.use is Use.TRAINING]
        effect = known[name].resolve(training) if name in known else strongest([s.effect for s in training])
        if len(training) < len(own):
            other = [signal.effect for signal in own if signal.use is not Use.TRAINING]
            effect = strongest([effect, *(word for word in other if word is not Effect.PERMITTED)])
        effects[name] = effect
    return effects


def _protocols() -> dict[str, Protocol]:
    from kyodaku.signals.protocols import all_protocols

    return _by_name(all_protocols())


@cache
def _by_name(protocols: tuple[Protocol, ...]) -> dict[str, Protocol]:
    return {protocol.name: protocol for protocol in protocols}


def objections(signals: Sequence[Signal]) -> Decision | None:
    """REFUSE or HOLD when the signals demand it, else None. None is not a yes: the basis comes next."""
    if not signals:
        return None
    effects = resolve_protocols(signals)
    for effect, verdict in ((Effect.RESERVED, Verdict.REFUSE), (Effect.ERROR, Verdict.HOLD)):
        found = [
            index
            for index, signal in enumerate(signals)
            if effects[signal.protocol] is effect and signal.effect is effect
        ]
        if found:
            return Decision(verdict, _objection_reason(signals[found[0]], verdict), tuple(found))
        if effect in effects.values():
            # A protocol resolved to a no without a single signal saying so: its own precedence did.
            fallback = (
                RefuseReason.PROTOCOL_RESERVED if verdict is Verdict.REFUSE else HoldReason.SIGNAL_UNREADABLE
            )
            return Decision(verdict, fallback)
    return None


def decide(candidate: Candidate, policy: Policy, snapshot: RegistrySnapshot) -> Decision:
    """The verdict on one candidate by its own facts. See `decide_all` for what other copies add.

    ALLOW needs: no objection, every gate passed (G5 proceeded), bytes with a digest, and the basis.
    """
    registry = [
        *snapshot.lookup(urls=[*addresses(candidate), *page_addresses(candidate)], services=False),
        *(snapshot.lookup_sha256(candidate.sha256) if candidate.sha256 else ()),
    ]
    objection = objections([*candidate.signals, *registry])
    if objection is not None:
        own = tuple(index for index in objection.signals if index < len(candidate.signals))
        return replace(objection, signals=own)
    if any(policy.deny.names(url) for url in (*page_addresses(candidate), *addresses(candidate))):
        return Decision(Verdict.REFUSE, RefuseReason.DENY_LIST)
    if any(policy.platforms.names(url) for url in (*page_addresses(candidate), *addresses(candidate))):
        return Decision(Verdict.REFUSE, RefuseReason.PLATFORM)
    if candidate.gate_verdict == "refuse" and _refuse_reason(candidate.gate_reason) not in LACKING:
        reason = _refuse_reason(candidate.gate_reason)
        rests_on = tuple(index for index, _ in _bound(candidate.evidence)) if reason in ON_LICENCES else ()
        return Decision(Verdict.REFUSE, reason, evidence=rests_on)
    if candidate.gate_verdict == "hold":
        return Decision(Verdict.HOLD, _hold_reason(candidate.gate_reason))
    if snapshot.unheard(candidate.signals):
        return Decision(Verdict.HOLD, HoldReason.REGISTRY_UNREACHABLE)
    passed = candidate.gate == "g5" and candidate.gate_verdict == "proceed" and candidate.sha256 != ""
    basis = basis_decision(candidate.signals, candidate.evidence, policy)
    if basis.verdict is Verdict.ALLOW and not passed:
        return Decision(Verdict.HOLD, HoldReason.NOT_FINISHED)
    return basis


def decide_all(candidates: Sequence[Candidate], policy: Policy, snapshot: RegistrySnapshot) -> list[Decision]:
    """Verdicts over all facts, in the order given: copies of one picture share their fate.

    Candidates with the same bytes, or with one address in common (image URL, a hop, the final URL), form a
    group. Inside it an objection of one refuses (or holds) all; licence evidence bound to one serves all,
    unless it contradicts another's, which refuses all. A missing ground never spreads. Whether the page that
    states a licence may speak for a picture that others show, `curation.reposts` asks.
    """
    decisions = [decide(candidate, policy, snapshot) for candidate in candidates]
    for group in _groups(candidates):
        _taken_down(candidates, decisions, group)
        if len(group) > 1:
            _decide_group(candidates, decisions, group, policy)
    return decisions


def addresses(candidate: Candidate) -> tuple[str, ...]:
    """Every address on the way to the image: its URL, each hop, the final URL."""
    urls = (candidate.image_url, *(hop.url for hop in candidate.hops), candidate.final_url)
    return tuple(dict.fromkeys(url for url in urls if url))


def page_addresses(candidate: Candidate) -> tuple[str, ...]:
    """Every address on the way to the page that shows the image."""
    return tuple(dict.fromkeys(url for url in (*candidate.page_hops, candidate.page_url) if url))


def basis_decision(
    signals: Sequence[Signal], evidence: Sequence[LicenceEvidence], policy: Policy
) -> Decision:
    """What silence means under the recipe's basis, given that nobody objected."""
    if policy.basis == "not-opted-out":
        return Decision(Verdict.ALLOW, AllowReason.NOT_OPTED_OUT)
    bound = _bound(evidence)
    if policy.basis == "public-domain":
        return _licence_ground(bound, policy.accept, AllowReason.PUBLIC_DOMAIN, grade)
    if policy.basis == "opt-in":
        effects = resolve_protocols(signals)
        granted = tuple(
            index
            for index, signal in enumerate(signals)
            if effects[signal.protocol] is Effect.PERMITTED and _is_grant(signal, policy)
        )
        licensed = _licence_ground(bound, policy.licences, AllowReason.LICENCE, _licence_id)
        if licensed.verdict is Verdict.ALLOW:
            return licensed
        if granted:
            return Decision(Verdict.ALLOW, AllowReason.GRANT, granted)
        if licensed.reason is RefuseReason.NO_LICENCE_EVIDENCE:
            return Decision(Verdict.REFUSE, RefuseReason.NO_GRANT)
        return licensed
    return Decision(Verdict.REFUSE, RefuseReason.NO_GRANT)


def _bound(evidence: Sequence[LicenceEvidence]) -> list[tuple[int, LicenceEvidence]]:
    """The statements that are tied to the image, with their places."""
    return [
        (index, item) for index, item in enumerate(evidence) if item.binding is not LicenceBinding.UNBOUND
    ]


def grade(item: LicenceEvidence) -> str:
    """The grade of bound evidence under a public-domain basis, or "" for none.

    `pdm`, `institution` (a named institution's own statement), `cc0-institution`, `cc0`.
    rightsstatements.org never has a grade.
    """
    if item.licence == "pdm-1.0":
        return "pdm"
    if item.licence == "institution" and item.institution:
        return "institution"
    if item.licence == "cc0-1.0":
        return "cc0-institution" if item.institution else "cc0"
    return ""


def _licence_id(item: LicenceEvidence) -> str:
    return item.licence


def _licence_ground(
    bound: Sequence[tuple[int, LicenceEvidence]],
    accepted: frozenset[str],
    reason: AllowReason,
    measure: Callable[[LicenceEvidence], str],
) -> Decision:
    if not bound:
        return Decision(Verdict.REFUSE, RefuseReason.NO_LICENCE_EVIDENCE)
    good = [(index, item) for index, item in bound if measure(item) in accepted and measure(item)]
    indices = tuple(index for index, _ in bound)
    if not good:
        return Decision(Verdict.REFUSE, RefuseReason.LICENCE_NOT_ACCEPTED, evidence=indices)
    if len(good) < len(bound):
        return Decision(Verdict.REFUSE, RefuseReason.LICENCE_AMBIGUOUS, evidence=indices)
    return Decision(Verdict.ALLOW, reason, evidence=indices, licence=good[0][1].licence)


def _is_grant(signal: Signal, policy: Policy) -> bool:
    """A whole, explicit yes to training by a protocol that the recipe names. A yes to another use is none."""
    named = signal.protocol in policy.grants or f"{signal.protocol}-{signal.where}" in policy.grants
    return named and signal.complete and signal.effect is Effect.PERMITTED and signal.use is Use.TRAINING


def _spellings(urls: Sequence[str]) -> tuple[str, ...]:
    """Each URL as written, and normalised where it can be read."""
    found = list(urls)
    for url in urls:
        with suppress(UnsafeAddressError):
            found.append(normalise_url(url))
    return tuple(dict.fromkeys(found))


def _objection_reason(signal: Signal, verdict: Verdict) -> ReasonEnum:
    return _refuse_reason(signal.reason) if verdict is Verdict.REFUSE else _hold_reason(signal.reason)


def _refuse_reason(value: str) -> RefuseReason:
    return RefuseReason.parse(value) or RefuseReason.PROTOCOL_RESERVED


def _hold_reason(value: str) -> HoldReason:
    return HoldReason.parse(value) or HoldReason.SIGNAL_UNREADABLE


def _groups(candidates: Sequence[Candidate]) -> Iterable[list[int]]:
    """Indices of candidates that share an address on the way to the image or its bytes (union-find)."""
    parent = list(range(len(candidates)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first: dict[tuple[str, str], int] = {}
    for index, candidate in enumerate(candidates):
        for key in (*(("url", url) for url in addresses(candidate)), ("bytes", candidate.sha256)):
            if key[1]:
                parent[root(index)] = root(first.setdefault(key, index))
    groups: dict[int, list[int]] = {}
    for index in range(len(candidates)):
        groups.setdefault(root(index), []).append(index)
    return groups.values()


def _taken_down(candidates: Sequence[Candidate], decisions: list[Decision], group: Sequence[int]) -> None:
    """A picture that its page shows no more is gone, unless another page of that host still shows it: lists
    move on, and then only that page's permission is gone."""
    missing = [i for i in group if decisions[i].reason is HoldReason.NO_LONGER_SHOWN]
    still = {_page_host(candidates[i]) for i in group if missing and decisions[i].verdict is Verdict.ALLOW}
    for index in missing:
        if _page_host(candidates[index]) not in still - {""}:
            decisions[index] = replace(decisions[index], reason=HoldReason.GONE_SINCE)


def _page_host(candidate: Candidate) -> str:
    with suppress(UnsafeAddressError):
        return host_of(candidate.page_url)
    return ""


def _decide_group(
    candidates: Sequence[Candidate], decisions: list[Decision], group: Sequence[int], policy: Policy
) -> None:
    refused = [
        i for i in group if decisions[i].verdict is Verdict.REFUSE and decisions[i].reason not in LACKING
    ]
    held = [
        i for i in group if decisions[i].verdict is Verdict.HOLD and decisions[i].reason not in MILD_HOLDS
    ]
    if refused or held:
        verdict = Verdict.REFUSE if refused else Verdict.HOLD
        source = min(refused or held, key=lambda i: candidates[i].candidate_id)
        for index in group:
            if decisions[index].verdict is verdict and decisions[index].reason not in LACKING:
                continue
            if decisions[index].reason is HoldReason.NOT_FINISHED:
                continue
            decisions[index] = _spread(candidates[source], candidates[index], verdict)
        return
    shared = [item for index in group for item in candidates[index].evidence]
    givers = [i for i in group if decisions[i].verdict is Verdict.ALLOW and decisions[i].evidence]
    if not givers:
        return
    giver = min(givers, key=lambda i: candidates[i].candidate_id)
    for index in group:
        own = decisions[index]
        if own.verdict is not Verdict.REFUSE or own.reason not in LACKING:
            continue
        candidate = candidates[index]
        if not (candidate.gate == "g5" and candidate.sha256):
            continue
        together = basis_decision(candidate.signals, shared, policy)
        if together.verdict is Verdict.ALLOW:
            decisions[index] = Decision(
                Verdict.ALLOW,
                together.reason,
                licence=together.licence,
                because_of=candidates[giver].candidate_id,
            )


def _spread(source: Candidate, target: Candidate, verdict: Verdict) -> Decision:
    same_url = not set(addresses(source)).isdisjoint(addresses(target))
    if verdict is Verdict.REFUSE:
        reason: ReasonEnum = RefuseReason.SAME_URL_REFUSED if same_url else RefuseReason.SAME_BYTES_REFUSED
    else:
        reason = HoldReason.SAME_URL_HELD if same_url else HoldReason.SAME_BYTES_HELD
    return Decision(verdict, reason, because_of=source.candidate_id)
