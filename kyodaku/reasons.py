"""Every reason Kyodaku can give, as closed enums. Each member's docstring is its documentation:
`docs/reasons.md` is generated from here and a test holds the two together.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class ReasonEnum(StrEnum):
    """A string enum whose members carry one sentence for people: `Reason.x.text`."""

    text: str

    def __new__(cls, value: str, text: str) -> ReasonEnum:
        member = str.__new__(cls, value)
        member._value_ = value
        member.text = text
        return member

    @classmethod
    def parse(cls, value: str) -> Self | None:
        """The member with this value, or None: a reason nobody knows is never guessed."""
        found = cls._value2member_map_.get(value)
        return found if isinstance(found, cls) else None


class Verdict(StrEnum):
    """What a decision says."""

    ALLOW = "allow"
    REFUSE = "refuse"
    HOLD = "hold"


class Outcome(StrEnum):
    """Where a candidate ended. Exactly one reason enum belongs to each."""

    RELEASED = "released"
    REFUSED = "refused"
    HELD = "held"
    FILTERED = "filtered"
    QUARANTINED = "quarantined"
    DUPLICATE = "duplicate"
    FAILED = "failed"
    NOT_REQUESTED = "not_requested"


class AllowReason(ReasonEnum):
    """Why an image may be taken."""

    PUBLIC_DOMAIN = "public_domain", "bound evidence says the work is in the public domain"
    LICENCE = "licence", "a licence on the recipe's list is bound to this image"
    GRANT = "grant", "a protocol that the recipe accepts as a grant permits training"
    NOT_OPTED_OUT = "not_opted_out", "nobody objected and the recipe's basis lets silence suffice"


class RefuseReason(ReasonEnum):
    """Somebody said no, or nothing said the yes that the basis needs."""

    ROBOTS_DISALLOW = "robots_disallow", "robots.txt disallows this URL to our own name or to everyone"
    ROBOTS_PURPOSE = "robots_purpose", "robots.txt disallows this URL to a crawler that trains AI models"
    ROBOTS_PAYMENT = "robots_payment", "robots.txt answered 402: payment is demanded"
    X_ROBOTS_TAG = "x_robots_tag", "the X-Robots-Tag header reserves the image or its page"
    META_ROBOTS = "meta_robots", "a robots meta tag of the page reserves its images"
    PLUS_DATA_MINING = "plus_data_mining", "XMP in the file prohibits data mining (PLUS / IPTC)"
    AIPREF = "aipref", "a Content-Usage preference (AIPREF) says no to training"
    CONTENT_SIGNAL = "content_signal", "a Content-Signal line says no to AI training"
    DISALLOW_AI_TRAINING = "disallow_ai_training", "a DisallowAITraining line of robots.txt covers this URL"
    TDMREP = "tdmrep", "text and data mining is reserved (TDMRep)"
    AI_TXT = "ai_txt", "an ai.txt file says no to training"
    TRUST_TXT = "trust_txt", "trust.txt says that data training is not allowed"
    RSL = "rsl", "an RSL licence does not cover training, or only on conditions that we cannot meet"
    C2PA = "c2pa", "the file's Content Credentials (C2PA / CAWG) do not allow training or inference"
    RIGHTS_TEXT = "rights_text", "a rights statement says in words that AI training is not wanted"
    USER_INTENT = "user_intent", "the author's ATProto user intents say no"
    PLATFORM = "platform", "the author or the platform says no by a convention of that platform"
    PAYMENT_REQUIRED = "payment_required", "the server answered 402: payment is demanded"
    LEGAL_BLOCK = "legal_block", "the server answered 451: unavailable for legal reasons"
    PROTOCOL_RESERVED = "protocol_reserved", "an opt-out protocol reserves this image"
    NO_LICENCE_EVIDENCE = (
        "no_licence_evidence",
        "the basis needs licence evidence bound to this image and there is none",
    )
    LICENCE_NOT_ACCEPTED = "licence_not_accepted", "the licence found is not one the recipe accepts"
    LICENCE_AMBIGUOUS = "licence_ambiguous", "the licence evidence contradicts itself"
    NO_GRANT = "no_grant", "the basis needs an explicit grant and there is none"
    REGISTRY_OPT_OUT = "registry_opt_out", "an opt-out registry lists this image, URL or domain"
    DENY_LIST = "deny_list", "the recipe's deny-list names this URL or host"
    ADDRESS_BLOCKED = "address_blocked", "the URL or address is not one we may speak to"
    WRITTEN_NOTICE = "written_notice", "a notice written in the picture says no to AI training or to re-use"
    CLOAKED = "cloaked", "the picture is perturbed, and words beside it say that it is protected from AI"
    REGISTRY_NEAR = "registry_near", "an opt-out registry lists a near copy of this picture"
    SAME_BYTES_REFUSED = "same_bytes_refused", "the same bytes were refused at another place"
    SAME_URL_REFUSED = "same_url_refused", "another page that shows this same image URL reserves it"


class HoldReason(ReasonEnum):
    """The state is unknown, so the image stays out. Retried while the crawl lasts, then final."""

    ROBOTS_UNREACHABLE = (
        "robots_unreachable",
        "robots.txt could not be fetched (5xx, time-out, DNS, TLS, reset)",
    )
    ROBOTS_FORBIDDEN = "robots_forbidden", "robots.txt answered 401, 403 or 407"
    ROBOTS_RATE_LIMITED = "robots_rate_limited", "robots.txt answered 429"
    ROBOTS_LEGAL = "robots_legal", "robots.txt answered 451"
    ROBOTS_REDIRECTS = (
        "robots_redirects",
        "robots.txt redirects more than five times or to a place we may not go",
    )
    ROBOTS_NOT_TEXT = "robots_not_text", "something that is not text came in place of robots.txt"
    ROBOTS_TOO_COMPLEX = "robots_too_complex", "robots.txt exceeds the rule, line or time limit"
    ROBOTS_UNEXPECTED = "robots_unexpected", "robots.txt answered a status that has no agreed meaning"
    POLICY_FILE_BARRED = (
        "policy_file_barred",
        "robots.txt does not let us read an opt-out file of its own host",
    )
    POLICY_FILE_UNREACHABLE = (
        "policy_file_unreachable",
        "an opt-out file could not be fetched (5xx, 429, time-out, DNS, TLS, reset)",
    )
    POLICY_FILE_UNREADABLE = "policy_file_unreadable", "an opt-out file is there but could not be read"
    RSL_UNOBTAINABLE = "rsl_unobtainable", "an RSL licence is declared but could not be had or read"
    REGISTRY_UNREACHABLE = "registry_unreachable", "an opt-out registry that the recipe names did not answer"
    GONE_SINCE = (
        "gone_since",
        "the image or its page was gone, or something else, or no page of the site showed the image any more,"
        " when asked for again before a release",
    )
    NO_LONGER_SHOWN = (
        "no_longer_shown",
        "the page no longer showed the image when asked again before a release; another one of its host does",
    )
    CHANGED_SINCE = (
        "changed_since",
        "the image's address gave other bytes than those that are stored when it was asked again before a"
        " release",
    )
    PAGE_ERROR = "page_error", "the page that shows the image could not be read whole"
    PAGE_FORBIDDEN = "page_forbidden", "the page answered 401, 403 or 407"
    PAGE_RATE_LIMITED = "page_rate_limited", "the page answered 429"
    LOGIN_WALL = "login_wall", "a login wall stands before the page"
    CAPTCHA_WALL = "captcha_wall", "a challenge stands before the page"
    PAYMENT_WALL = "payment_wall", "a payment wall stands before the page"
    WALLED_HOST = "walled_host", "three pages in a row met a wall, so the whole host is held"
    IMAGE_FORBIDDEN = "image_forbidden", "the image answered 401, 403 or 407"
    IMAGE_RATE_LIMITED = "image_rate_limited", "the image answered 429"
    IMAGE_UNREACHABLE = "image_unreachable", "the image's server answered 5xx, timed out or broke off"
    METADATA_UNREADABLE = "metadata_unreadable", "metadata embedded in the file could not be read"
    SIGNAL_UNREADABLE = "signal_unreadable", "an opt-out channel could not be read"
    SAME_BYTES_HELD = "same_bytes_held", "the same bytes are held at another place"
    SAME_URL_HELD = "same_url_held", "another page that shows this same image URL is held"
    GATE_EXCEPTION = "gate_exception", "a gate failed unexpectedly, so it did not open"
    NOT_FINISHED = "not_finished", "the crawl ended before every gate had been asked"
    DOCUMENT_UNREAD = "document_unread", "the crawl ended before a licence or policy that decides was read"


class FilterReason(ReasonEnum):
    """Allowed, but not fit for the set."""

    LOW_RESOLUTION = "low_resolution", "the shorter side is below the recipe's minimum"
    EXTREME_ASPECT = "extreme_aspect", "the picture is longer than the recipe's maximum aspect ratio"
    ENLARGED = "enlarged", "the picture was enlarged; its effective side is below the recipe's minimum"
    WATERMARK = "watermark", "a visible watermark was found"
    BRAND_TEXT = "brand_text", "text in the picture names a stock agency, an address or an owner"
    PERTURBATION = "perturbation", "an adversarial-like perturbation was found"
    AI_MADE = "ai_made", "marks in the pixels or in the metadata say that a generator made the picture"
    KIND = "kind", "the kind of picture is not one the recipe keeps"
    FURNITURE = "furniture", "a colour chart, a ruler, a book gutter or a scanner border is in the picture"
    AESTHETIC = "aesthetic", "the aesthetic score is below the recipe's minimum"
    HARMFUL = "harmful", "a model or the page's own rating calls the picture adult"
    GPS = "gps", "the metadata says where the picture was taken and the recipe drops such pictures"
    FACES = "faces", "more faces were found than the recipe allows"
    REVIEWED = "reviewed", "a reviewer dropped the picture"
    NO_CAPTION = "no_caption", "no text was kept and the recipe requires one"


class QuarantineReason(ReasonEnum):
    """Set aside until a person looks."""

    WORDS_BESIDE = (
        "words_beside",
        "words beside the picture say that it is protected from AI, or forbid training or re-use",
    )
    NOT_LOOKED_AT = "not_looked_at", "something that the recipe asks about the picture could not be told"
    PERTURBATION_LIKELY = "perturbation_likely", "an adversarial-like perturbation is likely"
    PERTURBATION_POSSIBLE = "perturbation_possible", "an adversarial-like perturbation is possible"
    KIND_UNKNOWN = "kind_unknown", "the kind of picture could not be told"
    REPOST = "repost", "copies on other hosts disagree about date or licence"
    REPOST_HOST = (
        "repost_host",
        "the host, or the only one that states a licence, is known to show other people's pictures",
    )
    NEAR_REFUSED = "near_refused", "a near copy of the picture was refused"
    NEAR_HELD = "near_held", "a near copy of the picture is held, so what is said about it is unknown"
    NEAR_FILTERED = (
        "near_filtered",
        "a near copy of the picture was dropped or set aside for what is in it, or by a reviewer",
    )
    DECOY_HOST = "decoy_host", "the host serves the same picture under many addresses"


class DuplicateReason(ReasonEnum):
    """Another candidate stands for these pixels."""

    SAME_BYTES = "same_bytes", "the same bytes are kept under another candidate"
    SAME_PIXELS = "same_pixels", "a file with the same pixels is kept"
    NEAR = "near", "a near copy of the picture is kept"
    EARLIER_RELEASE = "earlier_release", "an earlier release holds the picture or a near copy of it"


class FailReason(ReasonEnum):
    """The image could not be fetched or read; no permission was in question."""

    NOT_FOUND = "not_found", "the server answered 404 or 410"
    HTTP_STATUS = "http_status", "the server answered another status than 200"
    REDIRECTS = "redirects", "too many redirects, or a redirect that leads nowhere"
    TOO_LARGE = "too_large", "the body or the headers exceed the byte cap"
    TOO_SLOW = "too_slow", "the body came slower than the minimum rate"
    DECOMPRESSION_BOMB = "decompression_bomb", "the body unpacks beyond the cap"
    NOT_AN_IMAGE = "not_an_image", "the bytes are not an image"
    FORMAT_NOT_ALLOWED = "format_not_allowed", "the image format is not on the recipe's list"
    PIXEL_BOMB = "pixel_bomb", "the header promises more pixels or frames than the cap"
    UNDECODABLE = "undecodable", "the image could not be decoded within its limits"
    INCOMPLETE = "incomplete", "the body ended before its announced length"
    BYTES_GONE = "bytes_gone", "the stored bytes were purged or dropped, so the image cannot be used again"


class NotRequestedReason(ReasonEnum):
    """Never asked for, by our own limits."""

    OUT_OF_SCOPE = "out_of_scope", "outside the recipe's scope"
    NOFOLLOW = "nofollow", "the link or its page says nofollow"
    BUDGET_PAGES = "budget_pages", "the page budget was used up"
    BUDGET_IMAGES = "budget_images", "the image budget was used up"
    BUDGET_BYTES = "budget_bytes", "the byte budget was used up"
    BUDGET_DEPTH = "budget_depth", "deeper than the recipe allows"
    BUDGET_TIME = "budget_time", "the time budget was used up"
    BUDGET_HOST = "budget_host", "this host's own budget was used up"
    DECOY_HOST = "decoy_host", "the host serves the same picture under many addresses"
    SMALLER_VARIANT = "smaller_variant", "a larger variant of the same picture was taken in its place"


Reason = (
    AllowReason
    | RefuseReason
    | HoldReason
    | FilterReason
    | QuarantineReason
    | DuplicateReason
    | FailReason
    | NotRequestedReason
)

#: Which enum explains which outcome.
REASONS_OF_OUTCOME: dict[Outcome, type[ReasonEnum]] = {
    Outcome.RELEASED: AllowReason,
    Outcome.REFUSED: RefuseReason,
    Outcome.HELD: HoldReason,
    Outcome.FILTERED: FilterReason,
    Outcome.QUARANTINED: QuarantineReason,
    Outcome.DUPLICATE: DuplicateReason,
    Outcome.FAILED: FailReason,
    Outcome.NOT_REQUESTED: NotRequestedReason,
}
