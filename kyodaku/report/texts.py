"""The words of the reports: reasons and what to do about a hold, in English and Japanese.

English reasons come from `kyodaku.reasons`; all Japanese stands in `texts_ja.json`. A test holds the
two complete.
"""

from __future__ import annotations

from kyodaku.reasons import REASONS_OF_OUTCOME, HoldReason, Outcome
from kyodaku.report.html import Html, both, japanese, say, tag

#: What a data engineer can do about a hold.
NEXT_STEPS: dict[HoldReason, str] = {
    HoldReason.ROBOTS_UNREACHABLE: "run the crawl again later; it asks for robots.txt first",
    HoldReason.ROBOTS_FORBIDDEN: "ask the site's owner in writing: the host stays closed",
    HoldReason.ROBOTS_RATE_LIMITED: "run the crawl again later, with a longer delay for this host",
    HoldReason.ROBOTS_LEGAL: "nothing: the site answers that it may not be served here",
    HoldReason.ROBOTS_REDIRECTS: "tell the site's owner that robots.txt redirects without end",
    HoldReason.ROBOTS_NOT_TEXT: "tell the site's owner that robots.txt is not a text file",
    HoldReason.ROBOTS_TOO_COMPLEX: "tell the site's owner that robots.txt is longer than we read",
    HoldReason.ROBOTS_UNEXPECTED: "run the crawl again later; if it stays, ask the site's owner",
    HoldReason.POLICY_FILE_BARRED: "tell the site's owner that robots.txt keeps us from their opt-out file",
    HoldReason.POLICY_FILE_UNREACHABLE: "run the crawl again later; the file is asked for again",
    HoldReason.POLICY_FILE_UNREADABLE: "tell the site's owner that their opt-out file cannot be read",
    HoldReason.RSL_UNOBTAINABLE: "tell the site's owner that the RSL licence they declare cannot be had",
    HoldReason.REGISTRY_UNREACHABLE: "run again later; the registry is asked again",
    HoldReason.GONE_SINCE: "nothing; what its publisher took down is not taken",
    HoldReason.NO_LONGER_SHOWN: "nothing; see the page that still shows it",
    HoldReason.CHANGED_SINCE: "crawl again with --new; it looks at what the address gives now",
    HoldReason.PAGE_ERROR: "run the crawl again later; the page is asked again",
    HoldReason.PAGE_FORBIDDEN: "nothing: the page is closed to us",
    HoldReason.PAGE_RATE_LIMITED: "run the crawl again later, with a longer delay for this host",
    HoldReason.LOGIN_WALL: "nothing: we never log in",
    HoldReason.CAPTCHA_WALL: "nothing: we never solve challenges",
    HoldReason.PAYMENT_WALL: "nothing, or a contract with the owner",
    HoldReason.WALLED_HOST: "nothing: the host shows walls; ask its owner in writing",
    HoldReason.IMAGE_FORBIDDEN: "nothing: the image is closed to us",
    HoldReason.IMAGE_RATE_LIMITED: "run the crawl again later, with a longer delay for this host",
    HoldReason.IMAGE_UNREACHABLE: "run the crawl again later; the image is asked again",
    HoldReason.METADATA_UNREADABLE: "nothing: what the file says about itself cannot be read",
    HoldReason.SIGNAL_UNREADABLE: "run the crawl again later; the channel is asked again",
    HoldReason.SAME_BYTES_HELD: "see the other place of the same picture",
    HoldReason.SAME_URL_HELD: "see the other page that shows this picture",
    HoldReason.GATE_EXCEPTION: "report it: this is a fault of ours",
    HoldReason.NOT_FINISHED: "run the crawl again; it goes on where it stopped",
    HoldReason.DOCUMENT_UNREAD: "run the crawl again; it goes on where it stopped",
}

_GATES = {
    "g0": "a URL may enter the frontier: addresses, deny-lists, registries",
    "g1": "a host may be asked: robots.txt and other host files",
    "g2": "a page may give its images: headers, meta tags, licences",
    "g3": "an image may be requested: its own host's files, at every hop",
    "g4": "the body may be read: the image's response headers",
    "g5": "bytes may be stored: type, size, embedded metadata, grounds",
}

_OUTCOMES = {
    "released": "released",
    "refused": "refused",
    "held": "held",
    "filtered": "filtered",
    "quarantined": "quarantined",
    "duplicate": "duplicate",
    "failed": "failed",
    "not_requested": "not requested",
    "undecided": "not decided yet",
}

_STEPS = {
    "candidates": "image URLs found",
    "asked": "asked for",
    "fetched": "fetched",
    "allowed": "allowed",
    "kept": "kept",
    "released": "released",
}

_PURPOSES = {
    "robots": "robots.txt",
    "files": "other host files that may say no",
    "documents": "documents: licences and policies that others name",
    "pages": "pages and sitemaps",
    "images": "images",
}

_STATES = {"proceed": "open", "refuse": "refused", "hold": "held", "fail": "failed", "": "not asked"}


def reason_english(outcome: str, reason: str) -> str:
    """The sentence of a reason, or its bare name when this version does not know it."""
    if outcome not in Outcome._value2member_map_:
        return reason
    known = REASONS_OF_OUTCOME[Outcome(outcome)].parse(reason)
    return reason if known is None else known.text


def reason_text(outcome: str, reason: str) -> Html:
    """The sentence of a reason in both languages."""
    other = japanese().reasons.get(outcome, {}).get(reason, reason)
    return both(reason_english(outcome, reason), other)


def allow_text(reason: str) -> Html:
    """Why images of the set are there."""
    return reason_text(Outcome.RELEASED, reason)


def next_step(reason: str) -> Html:
    """What can be done about a hold, in both languages."""
    known = HoldReason.parse(reason) or HoldReason.NOT_FINISHED
    return both(NEXT_STEPS[known], japanese().next_steps[known.value])


def gate_text(gate: str) -> Html:
    """What a gate looks at."""
    return say(_GATES[gate])


def outcome_text(outcome: str) -> Html:
    """The name of an outcome."""
    return say(_OUTCOMES.get(outcome, "not decided yet"))


def step_text(step: str) -> Html:
    """The name of a step of the funnel."""
    return say(_STEPS[step])


def purpose_text(purpose: str) -> Html:
    """What requests were for."""
    return say(_PURPOSES[purpose])


def state_text(state: str) -> Html:
    """The state of a host."""
    return tag("span", say(_STATES.get(state, "not asked")), class_=f"state {state or 'none'}")
