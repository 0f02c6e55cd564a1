"""robots.txt, read byte by byte (RFC 9309 section 2.2) into groups that keep their raw lines."""

from __future__ import annotations

from dataclasses import dataclass, field

#: A file is read up to here, cut at its last full line (RFC 9309 2.5 asks for at least 500 KiB).
MAX_ROBOTS_BYTES = 1024 * 1024


@dataclass(frozen=True)
class RobotsRecord:
    """One record line: `line` counts from 1, `key` is lower case, `value` trimmed octets as latin-1 text."""

    line: int
    key: str
    value: str
    raw: str


@dataclass(frozen=True)
class RobotsGroup:
    """One group: its user-agent lines, its allow / disallow rules and every other record inside it."""

    agents: tuple[RobotsRecord, ...]
    rules: tuple[RobotsRecord, ...]
    others: tuple[RobotsRecord, ...]


@dataclass(frozen=True)
class RobotsFile:
    """One parsed file.

    `groups` follows RFC 9309: other records never close a list of user-agent lines. `attach_groups` is
    the reading in which a Content-Usage line does. `global_records` stand outside any group.
    """

    groups: tuple[RobotsGroup, ...]
    attach_groups: tuple[RobotsGroup, ...]
    global_records: tuple[RobotsRecord, ...]
    sitemaps: tuple[str, ...]
    digest: str
    truncated: bool
    too_complex: bool
    looks_like_html: bool
    not_text: bool
    matchers: dict[object, object] = field(default_factory=dict, compare=False, repr=False)


def parse_robots(body: bytes) -> RobotsFile:
    """Parse a robots file. Never raises: one bad line never voids the file."""
    raise NotImplementedError
