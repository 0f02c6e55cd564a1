"""robots.txt (RFC 9309): may this URL be fetched, and do the names of training crawlers say no?

Two passes. Pass A asks the groups that speak to us, or else the star groups. Pass B, a policy of ours,
asks the groups that name crawlers with our purpose: an owner who lists ten training bots and forgets the
eleventh has said what they want. Crawl access is never a grant, so this protocol never permits.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from kyodaku.reasons import HoldReason, RefuseReason
from kyodaku.signals.carriers.robots import MAX_ROBOTS_BYTES, Grouping, RobotsFile, parse_robots
from kyodaku.signals.carriers.robots_match import GroupMatcher, Rule, asked_paths
from kyodaku.signals.letters import letter_for
from kyodaku.signals.model import (
    Binding,
    Effect,
    Fetched,
    FetchError,
    Reading,
    Signal,
    Use,
    Where,
    excerpt,
)
from kyodaku.signals.protocols.base import About, Peers, Protocol
from kyodaku.signals.tokens import CONTROL_TOKENS

PATH = "/robots.txt"
MAX_REDIRECTS = 5
#: How old a stored copy may be, in all, when it stands in for a file that cannot be reached.
MAX_CACHED_AGE_S = 48 * 3600
MAX_URL_LENGTH = 16 * 1024
#: Parsed files are remembered up to this many bytes of source.
_MEMORY_BYTES = 8 * 1024 * 1024

_TEXT_STATUSES = (200, 203, 204)
_GONE = (404, 410)


class Robots(Protocol):
    """RFC 9309 with the fetch outcomes and the purpose agents of our policy."""

    name = "robots"
    title = "robots.txt: crawl access (RFC 9309) and the groups of AI training crawlers"
    host_files = (PATH,)
    vector_signals = ("robots", "robots-fetch", "robots-purpose")
    about = About(
        where="/robots.txt of the page's and the image's origin, and of every redirect's",
        scope="site, path",
        status="RFC 9309 (IETF standard)",
        spec="our own name, else `*`: a Disallow that wins bars the fetch; never a grant",
        policy=(
            "also 401, 403, 407, 429 and web pages hold; groups that name a crawler which trains bar too, "
            "unless the file names us or its owner wrote us a letter; the strictest way to group the lines "
            "counts"
        ),
        peers=Peers(common_crawl="yes, for CCBot"),
    )

    def __init__(self) -> None:
        self._parsed: OrderedDict[bytes, RobotsFile] = OrderedDict()
        self._parsed_bytes = 0

    def alike(self, path: str, file: Fetched, reading: Reading) -> bool:
        """The fetch alone tells."""
        return fetch_outcome(file, reading.mode) is not None

    def read_host_file(self, path: str, file: Fetched, url: str, reading: Reading) -> list[Signal]:
        """At most one signal: reserved, or an error; nothing when `url` may be fetched."""
        if path != PATH:
            return []
        outcome = fetch_outcome(file, reading.mode)
        if outcome is not None:
            effect, reason, said = outcome
            if effect is Effect.SILENT:
                return []
            return [_signal(file, effect, Binding.HOST, said, said, f"robots:fetch:{_status(file)}", reason)]
        robots = self.parsed(file.body)
        unreadable = _unreadable(robots, file, reading.mode)
        if unreadable is None and len(url) > MAX_URL_LENGTH:
            unreadable = HoldReason.ROBOTS_TOO_COMPLEX
        if unreadable is not None:
            raw = file.body[:200].decode("utf-8", "replace")
            text = unreadable.text
            return [_signal(file, Effect.ERROR, Binding.HOST, raw, text, "robots:file", unreadable)]
        return _barred(robots, file, url, reading)

    def parsed(self, body: bytes) -> RobotsFile:
        """`parse_robots(body)`, remembered: a crawl asks one file about thousands of URLs."""
        robots = self._parsed.get(body)
        if robots is not None:
            self._parsed.move_to_end(body)
            return robots
        robots = self._parsed[body] = parse_robots(body)
        self._parsed_bytes += len(body) + 1024
        while self._parsed_bytes > _MEMORY_BYTES and len(self._parsed) > 1:
            oldest, _ = self._parsed.popitem(last=False)
            self._parsed_bytes -= len(oldest) + 1024
        return robots

    def crawl_delay(self, file: Fetched, own_tokens: Sequence[str]) -> float | None:
        """The Crawl-delay in seconds that `file` asks of us, or None."""
        return self.parsed(file.body).crawl_delay(own_tokens) if self._has_text(file) else None

    def sitemaps(self, file: Fetched) -> tuple[str, ...]:
        """The Sitemap lines of `file`, as written."""
        return self.parsed(file.body).sitemaps if self._has_text(file) else ()

    def _has_text(self, file: Fetched) -> bool:
        return fetch_outcome(file, "policy") is None and not self.parsed(file.body).not_text


def fetch_outcome(file: Fetched, mode: str) -> tuple[Effect, HoldReason | RefuseReason | str, str] | None:
    """What the fetch alone says (effect, reason, words), or None when there is a body to read.

    `spec` is RFC 9309 2.3.1: every 4xx and a redirect too many mean "no rules", everything else that is
    no answer means complete disallow. `policy` takes only 404 and 410 for "no rules".
    """
    fresh = file.error is None and file.cached_age is None and len(file.hops) <= 1
    if fresh and file.status == 200 and file.complete:
        return None  # nearly every file that is asked about again and again
    said = _status(file)
    strict = mode == "spec"
    redirects = sum(1 for hop in file.hops if 300 <= hop.status < 400)
    if file.error is FetchError.REDIRECTS or redirects > MAX_REDIRECTS:
        if strict:
            return Effect.SILENT, "", said
        return Effect.ERROR, HoldReason.ROBOTS_REDIRECTS, "more than five redirects"
    if file.cached_age is not None and _is_outage(file):
        if 0 <= file.cached_age <= MAX_CACHED_AGE_S:
            return None
        return Effect.ERROR, HoldReason.ROBOTS_UNREACHABLE, f"{said}, and the stored copy is too old"
    if file.error is FetchError.BLOCKED and file.hops:
        return Effect.ERROR, HoldReason.ROBOTS_REDIRECTS, "redirected to a place we may not go"
    if file.error in (FetchError.TOO_LARGE, FetchError.BOMB):
        from_start = _covers_cap(file) and file.error is FetchError.TOO_LARGE
        return None if from_start else (Effect.ERROR, HoldReason.ROBOTS_TOO_COMPLEX, said)
    if file.error is not None or file.status is None:
        return Effect.ERROR, HoldReason.ROBOTS_UNREACHABLE, said
    return _status_outcome(file.status, file, strict)


def _status_outcome(
    status: int, file: Fetched, strict: bool
) -> tuple[Effect, HoldReason | RefuseReason | str, str] | None:
    said = _status(file)
    if status in _TEXT_STATUSES or (strict and 200 <= status < 300):
        if file.complete or _covers_cap(file):
            return None
        return Effect.ERROR, HoldReason.ROBOTS_UNREACHABLE, "the body broke off"
    if status in _GONE or (strict and 400 <= status < 500):
        return Effect.SILENT, "", said
    if status == 402:
        return Effect.RESERVED, RefuseReason.ROBOTS_PAYMENT, said
    if 300 <= status < 400:
        return Effect.ERROR, HoldReason.ROBOTS_REDIRECTS, said
    if status >= 500:
        return Effect.ERROR, HoldReason.ROBOTS_UNREACHABLE, said
    hold = {
        401: HoldReason.ROBOTS_FORBIDDEN,
        403: HoldReason.ROBOTS_FORBIDDEN,
        407: HoldReason.ROBOTS_FORBIDDEN,
        429: HoldReason.ROBOTS_RATE_LIMITED,
        451: HoldReason.ROBOTS_LEGAL,
    }
    return Effect.ERROR, hold.get(status, HoldReason.ROBOTS_UNEXPECTED), said


def _is_outage(file: Fetched) -> bool:
    """True where a stored copy may stand in: no answer, a server error, or the copy's own 200."""
    if file.error is FetchError.BLOCKED:
        return False
    return file.error is not None or file.status is None or file.status >= 500 or file.status == 200


def _covers_cap(file: Fetched) -> bool:
    """True when the body was cut only because it is longer than what is read of any file."""
    return len(file.body) >= MAX_ROBOTS_BYTES


def _status(file: Fetched) -> str:
    if file.error is not None:
        return file.error.value
    return f"HTTP {file.status}" if file.status is not None else "no answer"


def _unreadable(robots: RobotsFile, file: Fetched, mode: str) -> HoldReason | None:
    """Why the body is no robots file we can go by. RFC 9309 reads any body as a file without rules."""
    if robots.too_complex:
        return HoldReason.ROBOTS_TOO_COMPLEX
    if mode == "spec":
        return None
    if robots.looks_like_html or robots.not_text or (robots.records == 0 and _other_type(file)):
        return HoldReason.ROBOTS_NOT_TEXT
    return None


def _other_type(file: Fetched) -> bool:
    """True for a body, not of comments only, that the server itself calls something else than plain text."""
    types = [value for key, value in file.headers if key.lower() == "content-type"]
    if not types or types[0].strip().lower().startswith("text/plain"):
        return False
    lines = (line.strip() for line in file.body[:MAX_ROBOTS_BYTES].splitlines())
    return any(line and not line.startswith(b"#") for line in lines)


@dataclass(frozen=True)
class _Asked:
    """Which rules of one grouping are asked about every URL.

    `own`: whose groups (a token of ours or `*`) and their rules. `purpose`: the rules of groups that name
    training crawlers, with the names that stand for exactly these; empty where the file names us.
    """

    own: tuple[tuple[str, GroupMatcher], ...]
    purpose: tuple[tuple[tuple[str, ...], GroupMatcher], ...]


def _barred(robots: RobotsFile, file: Fetched, url: str, reading: Reading) -> list[Signal]:
    paths = asked_paths(url)
    asked = robots.rfc.chosen(("asked", reading.listener), lambda: _asked(robots, reading))
    for each in asked:
        for who, matcher in each.own:
            rule = matcher.bars(paths)
            if rule is not None:
                parsed = f"disallow for {who}"
                where = f"robots:{'star' if who == '*' else 'own'}:L{rule.line}"
                said = RefuseReason.ROBOTS_DISALLOW.value
                effect = Effect.RESERVED
                return [_signal(file, effect, Binding.PATH, rule.raw, parsed, where, said, robots.digest)]
    for each in asked:
        barring = _barring(each, paths, reading)
        if barring:
            token, rule = next(iter(barring.items()))
            parsed = f"disallow for {', '.join(barring)}"
            where = f"robots:purpose:{token}:L{rule.line}"
            effect, said = Effect.RESERVED, RefuseReason.ROBOTS_PURPOSE.value
            letter = letter_for(url, reading)
            if letter is not None:  # the owner wrote us that these groups do not speak to us
                effect, said = Effect.SILENT, ""
                parsed += f", which the owner's letter {letter.sha256} lifts until {letter.until:%Y-%m-%d}"
                where = f"robots:letter:{letter.sha256}"
            return [_signal(file, effect, Binding.PATH, rule.raw, parsed, where, said, robots.digest)]
    return []


def _asked(robots: RobotsFile, reading: Reading) -> tuple[_Asked, ...]:
    """By RFC 9309 alone, or by policy in every way to group the lines."""
    groupings = (robots.rfc,) if reading.mode == "spec" else robots.groupings
    return tuple(_choose(robots, grouping, reading) for grouping in groupings)


def _choose(robots: RobotsFile, grouping: Grouping, reading: Reading) -> _Asked:
    strict = reading.mode == "spec"
    # What a forgiving reader hears beside RFC 9309 adds groups; their Allow opens nothing that was barred.
    indices = (grouping.by_token,) if strict else (grouping.by_name, grouping.by_token)
    sets = [
        (token, index[token.lower()])
        for token in reading.own_tokens
        for index in indices
        if token.lower() in index
    ]
    if not sets or not _addresses_us(grouping, reading):  # only a well-formed line takes us out of `*`
        sets += [("*", index.get("*", ())) for index in indices]
        if not strict:  # an empty name cannot have meant nobody
            sets.append(("*", grouping.by_name.get("", ())))
    own = tuple((who, grouping.matcher(numbers, strict)) for who, numbers in dict.fromkeys(sets))
    inferred = {} if strict or _addresses_us(robots.rfc, reading) else _purpose_groups(grouping, reading)
    purpose = ((tuple(names), grouping.matcher(numbers, False)) for numbers, names in inferred.items())
    return _Asked(own, tuple(purpose))


def _addresses_us(grouping: Grouping, reading: Reading) -> bool:
    return any(grouping.addresses(token.lower()) for token in reading.own_tokens)


def _purpose_groups(grouping: Grouping, reading: Reading) -> dict[tuple[int, ...], list[str]]:
    """Group numbers -> the names of training crawlers that stand for exactly these groups, as a forgiving
    reader finds them and as RFC 9309 does."""
    only_control = reading.purpose_threshold == "control-tokens-only"
    tokens = CONTROL_TOKENS if only_control else reading.purpose_tokens
    found: dict[tuple[int, ...], list[str]] = {}
    for name, token in {token.lower(): token for token in tokens}.items():
        heard = [index[name] for index in (grouping.by_name, grouping.by_token) if name in index]
        for numbers in dict.fromkeys(heard):
            found.setdefault(numbers, []).append(token)
    return found


def _barring(asked: _Asked, paths: Sequence[bytes], reading: Reading) -> dict[str, Rule]:
    """Pass B: purpose token -> the rule that bars it, when enough of the named ones are barred."""
    barring: dict[str, Rule] = {}
    for tokens, matcher in asked.purpose:
        rule = matcher.bars(paths)
        if rule is not None:
            barring |= dict.fromkeys(tokens, rule)
    if reading.purpose_threshold == "majority":
        named = {token for tokens, _ in asked.purpose for token in tokens}
        return barring if len(barring) * 2 > len(named) else {}
    return barring


def _signal(
    file: Fetched,
    effect: Effect,
    binding: Binding,
    raw: str,
    parsed: str,
    rule: str,
    reason: HoldReason | RefuseReason | str,
    digest: str = "",
) -> Signal:
    return Signal(
        protocol=Robots.name,
        where=Where.FILE,
        binding=binding,
        use=Use.TRAINING,
        effect=effect,
        raw=excerpt(raw),
        parsed=parsed,
        rule=rule,
        reason=str(reason),
        source_url=file.final_url or file.url,
        digest=digest or sha256(file.body).hexdigest(),
        complete=file.complete,
        fetched_at=file.fetched_at,
    )


PROTOCOL = Robots()
