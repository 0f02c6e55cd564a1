"""Opt-out registries behind one interface: addresses or digests in, signals out, asked without a request.

Two kinds stand behind it. A **list** is there whole (opt-out files), and what it does not name it does not
name. A **service** was asked about single addresses beforehand; its answers are remembered here, and an
address that it never answered for is unknown: an error, by construction, never silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from kyodaku.optouts import OptOuts, load_optouts
from kyodaku.reasons import HoldReason, RefuseReason
from kyodaku.recipe import Recipe
from kyodaku.signals.model import Binding, Effect, Signal, Use, Where, excerpt


@dataclass(frozen=True)
class AboutRegistry:
    """One kind of registry, for people: its table in a recipe, what it is, what it speaks about, and what it
    sees of a crawl."""

    table: str
    what: str
    scope: str
    sees: str


#: Every kind that a recipe can name.
ABOUT_REGISTRIES = (
    AboutRegistry(
        "registries.files",
        "opt-out files, read here: any line that names it refuses",
        "addresses, what lies below a prefix, domains, pictures: exact bytes (sha256) and near copies (PDQ)",
        "nothing",
    ),
    AboutRegistry(
        "registries.spawning",
        "Spawning's Do-Not-Train API, asked in batches: `optOut: true` refuses, `false` is silence, anything "
        "else or no answer holds",
        "addresses of images and pages, and every hop to them",
        "every address, before the crawl asks for it: off unless the recipe names it",
    ),
)


class Registry(Protocol):
    """One registry, as the gates see it."""

    def about_url(self, url: str) -> Sequence[Signal]:
        """What it says about an address."""

    def about_picture(self, digest: str) -> Sequence[Signal]:
        """What it says about exact bytes (sha256 hex)."""


@dataclass(frozen=True)
class Answer:
    """What a service said about one address.

    `opt_out` is None where no answer could be had; then `raw` says why. Otherwise `raw` is its entry for the
    address and `digest` the sha256 hex of the whole reply. `answered_at` is Unix time in seconds.
    """

    url: str
    opt_out: bool | None
    raw: str
    digest: str
    answered_at: float


class Answers(Protocol):
    """What a service was asked so far, by normalised address."""

    def get(self, url: str) -> Answer | None:
        """The last answer for `url`; None where it was never asked."""

    def put(self, answers: Iterable[Answer]) -> None:
        """Remember answers. A later one takes the place of an earlier one."""


class KnownAnswers:
    """Answers in memory."""

    def __init__(self) -> None:
        self._known: dict[str, Answer] = {}

    def get(self, url: str) -> Answer | None:
        """The last answer for `url`; None where it was never asked."""
        return self._known.get(url)

    def put(self, answers: Iterable[Answer]) -> None:
        """Remember answers."""
        self._known.update((answer.url, answer) for answer in answers)


class Service:
    """A registry on the network, by what it answered. Whoever drives the gates asks it (`kyodaku.spawning`)
    and puts what came into `answers`; the crawl puts its database there."""

    def __init__(self, name: str, endpoint: str) -> None:
        self.name = name
        self.endpoint = endpoint
        self.answers: Answers = KnownAnswers()

    @property
    def rule(self) -> str:
        """The rule that its signals name."""
        return f"registry:{self.name}"

    def unanswered(self, url: str) -> bool:
        """True where it has to be asked (again) before a gate can open for `url`."""
        answer = self.answers.get(url)
        return answer is None or answer.opt_out is None

    def about_url(self, url: str) -> Sequence[Signal]:
        """Its word about a normalised address: always exactly one signal."""
        answer = self.answers.get(url)
        if answer is None:
            return (self._signal(Effect.ERROR, Answer(url, None, url, "", 0.0), "not asked"),)
        if answer.opt_out is None:
            return (self._signal(Effect.ERROR, answer, "no answer"),)
        effect = Effect.RESERVED if answer.opt_out is True else Effect.SILENT
        return (self._signal(effect, answer, "opted out" if answer.opt_out else "not opted out"),)

    def about_picture(self, digest: str) -> Sequence[Signal]:
        """Nothing: it knows addresses only."""
        return ()

    def _signal(self, effect: Effect, answer: Answer, parsed: str) -> Signal:
        reasons = {
            Effect.RESERVED: RefuseReason.REGISTRY_OPT_OUT.value,
            Effect.ERROR: HoldReason.REGISTRY_UNREACHABLE.value,
        }
        return Signal(
            protocol="registry",
            where=Where.REGISTRY,
            binding=Binding.IMAGE,
            use=Use.TRAINING,
            effect=effect,
            raw=excerpt(answer.raw),
            parsed=parsed,
            rule=self.rule,
            reason=reasons.get(effect, ""),
            source_url=self.endpoint,
            digest=answer.digest,
            complete=effect is not Effect.ERROR,
            fetched_at=answer.answered_at,
        )


@dataclass(frozen=True)
class RegistrySnapshot:
    """The registries of a recipe. `name`, `sequence` and `digest` go into decisions and the manifest; they
    are those of the lists. What `service` answered stands with the candidates, as signals."""

    name: str = "none"
    sequence: int = 0
    digest: str = ""
    optouts: OptOuts = field(default_factory=OptOuts, repr=False, compare=False)
    service: Service | None = field(default=None, repr=False, compare=False)

    def described(self) -> dict[str, str | int]:
        """What tells one snapshot from another: `name`, `sequence`, `digest`."""
        return {"name": self.name, "sequence": self.sequence, "digest": self.digest}

    def lookup(
        self, *, urls: Iterable[str] = (), hashes: Iterable[str] = (), services: bool = True
    ) -> list[Signal]:
        """What the registries hold on addresses (normalised) and on exact bytes (sha256 hex); without
        `services` what the lists hold."""
        asked: list[Registry] = [self.optouts]
        if services and self.service is not None:
            asked.append(self.service)
        urls, hashes = tuple(urls), tuple(hashes)
        return [
            *(signal for url in urls for registry in asked for signal in registry.about_url(url)),
            *(signal for digest in hashes for registry in asked for signal in registry.about_picture(digest)),
        ]

    def lookup_url(self, url: str, *, services: bool = True) -> Sequence[Signal]:
        """What the registries hold on a URL, its prefixes and its domain."""
        return self.lookup(urls=(url,), services=services)

    def lookup_sha256(self, sha256: str) -> Sequence[Signal]:
        """What the registries hold on exact bytes (sha256 hex)."""
        return self.lookup(hashes=(sha256,))

    def unheard(self, signals: Sequence[Signal]) -> bool:
        """True where the recipe names a service that says nothing among the signals of an image: it was not
        asked about it."""
        service = self.service
        return service is not None and not any(
            signal.rule == service.rule and signal.binding is Binding.IMAGE and signal.effect is Effect.SILENT
            for signal in signals
        )


EMPTY_SNAPSHOT = RegistrySnapshot()


def load_registries(recipe: Recipe, recipe_path: Path) -> RegistrySnapshot:
    """The registries of a recipe: its opt-out files, read now, and its service, not asked yet. `recipe_path`
    is the recipe's file.

    Raises UsageError, with the line, for a file that cannot be read: an opt-out must never be passed over.
    """
    section = recipe.registries
    files = [recipe_path.parent / name for name in section.files]
    if not files and section.spawning is None:
        return EMPTY_SNAPSHOT
    found = load_optouts(files)
    service, names, digest = None, ["files"] if files else [], found.digest
    if section.spawning is not None:
        service = Service("spawning", section.spawning.endpoint)
        names.append(service.name)
        digest = sha256(f"{digest}\n{service.name} {service.endpoint}".encode()).hexdigest()
    return RegistrySnapshot("+".join(names), found.count, digest, found, service)
