"""Canonical licence URLs: which licence does a URL name, whatever page of it was linked?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_HOSTS = {"creativecommons.org", "www.creativecommons.org"}
_RIGHTS_HOSTS = {"rightsstatements.org", "www.rightsstatements.org"}
_CC = re.compile(
    r"/licenses/(?P<name>by|by-sa|by-nd|by-nc|by-nc-sa|by-nc-nd)/(?P<version>1\.0|2\.0|2\.1|2\.5|3\.0|4\.0)"
    r"(?:/(?P<place>[a-z]{2}|igo|scotland))?(?:/(?:deed|legalcode)(?:\.[a-z]{2,3}(?:[-_][a-z]{2,4})?)?)?/?"
)
_RETIRED = re.compile(
    r"/licenses/(?P<name>sampling|sampling\+|nc-sampling\+|devnations)/(?P<version>1\.0|2\.0)"
    r"(?:/(?P<place>[a-z]{2}))?(?:/(?:deed|legalcode)(?:\.[a-z]{2,3}(?:[-_][a-z]{2,4})?)?)?/?"
)
_PUBLIC = re.compile(
    r"/publicdomain/(?P<name>zero|mark)/1\.0(?:/(?:deed|legalcode)(?:\.[a-z]{2,3}(?:[-_][a-z]{2,4})?)?)?/?"
)
_RIGHTS = re.compile(
    r"/(?:vocab|page)/(?P<name>InC|InC-OW-EU|InC-EDU|InC-NC|InC-RUU|NoC-CR|NoC-NC|NoC-OKLR|NoC-US|CNE|UND|NKC)/1\.0/?"
)
#: Version 2.1 exists as ports of these places only, and version 4.0 has no ports.
_PORTED_2_1 = frozenset({"jp", "es", "au", "ca"})


@dataclass(frozen=True)
class Licence:
    """A known licence or statement. `id` is `by-sa-3.0-de`, `cc0-1.0`, `pdm-1.0`, `rightsstatements:InC`."""

    id: str
    url: str


def canonical_licence(url: str) -> Licence | None:
    """The licence that `url` names, or None for any other URL.

    Accepts http and https, `www.`, deed and legal code pages in any language, a missing last slash,
    queries and fragments.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or port not in (None, 80, 443) or "@" in parts.netloc:
        return None
    if parts.hostname in _RIGHTS_HOSTS:
        match = _RIGHTS.fullmatch(parts.path)
        name = match.group("name") if match else ""
        return (
            Licence(f"rightsstatements:{name}", f"http://rightsstatements.org/vocab/{name}/1.0/")
            if name
            else None
        )
    if parts.hostname not in _HOSTS:
        return None
    path = parts.path.lower()
    if match := _PUBLIC.fullmatch(path):
        name = match.group("name")
        short = "cc0-1.0" if name == "zero" else "pdm-1.0"
        return Licence(short, f"https://creativecommons.org/publicdomain/{name}/1.0/")
    match = _CC.fullmatch(path) or _RETIRED.fullmatch(path)
    if match is None:
        return None
    name, version, place = match.group("name"), match.group("version"), match.group("place")
    if (version == "2.1" and place not in _PORTED_2_1) or (version == "4.0" and place):
        return None
    short = f"{name}-{version}" + (f"-{place}" if place else "")
    return Licence(
        short, f"https://creativecommons.org/licenses/{name}/{version}/" + (f"{place}/" if place else "")
    )
