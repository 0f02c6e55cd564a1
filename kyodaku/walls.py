"""Walls: answers that stand between us and a page. We never climb one; we hold the page.

Recognised by status, headers and a few marks in the markup. A page that merely offers a log-in
box beside its content is not a wall.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from kyodaku.reasons import HoldReason, RefuseReason
from kyodaku.signals.carriers.headers import ResponseHead

_WALLS = frozenset(
    {
        HoldReason.LOGIN_WALL.value,
        HoldReason.CAPTCHA_WALL.value,
        HoldReason.PAYMENT_WALL.value,
        HoldReason.PAGE_FORBIDDEN.value,  # 401, 403, 407
        RefuseReason.PAYMENT_REQUIRED.value,  # 402
    }
)
_SCAN_BYTES = 256 * 1024
_CHALLENGE = re.compile(
    rb"cf-chl-|cf_chl_|challenge-platform|/cdn-cgi/challenge|px-captcha|_Incapsula_Resource|"
    rb"geo\.captcha-delivery|aws-waf-token|awswaf|id=[\"']?challenge-(?:form|running|error)|"
    rb"(?:verify|prove|confirm)(?: that)? you(?:'re| are) (?:a |not a )?(?:human|robot)",
    re.IGNORECASE,
)
_CAPTCHA_WIDGET = re.compile(
    rb"g-recaptcha|h-captcha|hcaptcha\.com|cf-turnstile|recaptcha/api", re.IGNORECASE
)
_CHALLENGE_TITLE = re.compile(
    rb"<title[^>]*>\s*(?:just a moment|attention required|access denied|one more step|"
    rb"are you (?:a )?(?:human|robot)|security check|verify(?:ing)? you|captcha|bot verification)",
    re.IGNORECASE,
)
_PASSWORD_FIELD = re.compile(rb"<input\b[^>]{0,400}type\s*=\s*[\"']?password", re.IGNORECASE)
_IMAGE_TAG = re.compile(rb"<img\b", re.IGNORECASE)
_LOGIN_WORDS = ("log ?in", "sign ?in", "ログイン", "サインイン", "anmelden", "connexion")
_LOGIN_TITLE = re.compile(
    b"<title[^>]*>[^<]{0,80}(?:" + "|".join(_LOGIN_WORDS).encode() + b")", re.IGNORECASE
)
_LOGIN_PATH = re.compile(
    r"(?:^|[/_.-])(?:log-?in|sign-?in|auth|sso|session/new|accounts/login)(?:$|[/_.?-])", re.IGNORECASE
)
_PAYWALL = re.compile(rb"\"isAccessibleForFree\"\s*:\s*(?:\"?false\"?)", re.IGNORECASE)


def is_wall(reason: str) -> bool:
    """True for the reason of a page that met a wall; three such pages in a row hold their host."""
    return reason in _WALLS


def find_wall(head: ResponseHead, body: bytes, *, redirected: bool) -> HoldReason | None:
    """The wall that a page response is, or None.

    `redirected` says whether the URL we asked for answered with a redirect to this one.
    Statuses with a meaning of their own (401, 402, 403, 429, 451) are classified by
    `kyodaku.permission` first; here a 403 or 503 may still turn out to be a challenge.
    """
    if any(value.strip().lower() == "challenge" for value in head.values("cf-mitigated")):
        return HoldReason.CAPTCHA_WALL
    scanned = body[:_SCAN_BYTES]
    bare = _IMAGE_TAG.search(scanned) is None
    if _CHALLENGE_TITLE.search(scanned) or _CHALLENGE.search(scanned):
        return HoldReason.CAPTCHA_WALL
    if _CAPTCHA_WIDGET.search(scanned) and (bare or head.status != 200):
        return HoldReason.CAPTCHA_WALL
    if _PASSWORD_FIELD.search(scanned):
        at_login = _LOGIN_PATH.search(urlsplit(head.url).path) is not None
        if bare or redirected or at_login or _LOGIN_TITLE.search(scanned):
            return HoldReason.LOGIN_WALL
    if redirected and _LOGIN_PATH.search(urlsplit(head.url).path):
        return HoldReason.LOGIN_WALL
    if _PAYWALL.search(scanned):
        return HoldReason.PAYMENT_WALL
    return None
