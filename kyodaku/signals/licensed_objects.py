"""Things of structured data that have a licence, or ask for one to be bought: JSON-LD, microdata, typed RDFa.

schema.org binds a licence by `contentUrl`. Whatever else a thing is known by is no ground, but a no that is
said about it still contradicts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kyodaku.signals.carriers.extract import absolute, url_values, walk_json
from kyodaku.signals.carriers.items_reader import last_term
from kyodaku.signals.carriers.page import HtmlPage
from kyodaku.signals.licence_urls import canonical_licence
from kyodaku.signals.model import RAW_LIMIT

#: Licences that take nothing away.
PUBLIC_DOMAIN = frozenset({"cc0-1.0", "pdm-1.0"})
_SCHEMA = tuple(f"{scheme}://{www}schema.org" for scheme in ("http", "https") for www in ("", "www."))
_SCHEMA_PREFIXES = ("schema:", *(f"{address}/" for address in _SCHEMA))
_LICENCE_PREFIXES = (
    *_SCHEMA_PREFIXES,
    *("cc:", "xhv:", "dct:", "dcterms:"),
    *(
        f"{scheme}://{vocabulary}"
        for scheme in ("http", "https")
        for vocabulary in (
            "creativecommons.org/ns#",
            "www.w3.org/1999/xhtml/vocab#",
            "purl.org/dc/terms/",
        )
    ),
)
#: Other names of the picture that a thing is, or of its parts and copies.
_OTHER_ADDRESSES = frozenset(
    {"contenturl", "url", "thumbnailurl", "thumbnail", "embedurl", "associatedmedia", "encoding"}
)
_KNOWN_HOSTS = ("creativecommons.org", "rightsstatements.org")
#: Terms and prefixes that a `@context` must leave alone.
_MEANINGFUL = frozenset({"license", "contentUrl", "cc", "xhv", "dct", "dcterms"})


@dataclass(frozen=True)
class LicensedObject:
    """One thing. `contents` are its `contentUrl`s, `others` what else it is known by, all absolute; `same`
    are the addresses that any node of its name has.

    `licences` are URLs, or "" for one in words; `restrictions` known licences that some other property names;
    `acquire` where one may be bought, or "". `sure` is False where the terms may mean something else.
    """

    contents: tuple[str, ...]
    others: tuple[str, ...]
    same: frozenset[str]
    licences: tuple[str, ...]
    restrictions: tuple[str, ...]
    acquire: str
    sure: bool
    raw: str


def licensed_objects(page: HtmlPage) -> Iterator[LicensedObject]:
    """The things of a page that say something about a licence. What several nodes say under one name
    (`@id`) is said about all addresses of that name, though for a ground each must stand alone."""
    addresses: dict[str, set[str]] = {}
    for node in _nodes(page):
        if name := _id(node, page):
            contents, others = _addresses(node, page)
            addresses.setdefault(name, set()).update(contents, others)
    same = {name: frozenset(urls) for name, urls in addresses.items() if len(urls) > 1}
    for block in page.json_ld:
        plain = _is_plain(block.value)
        for node in walk_json(block.value):
            yield from _read(node, page, same, plain, "")
    for item in page.items:
        schema = all(written.startswith(_SCHEMA_PREFIXES[1:]) for written in item.types)
        sure = item.syntax == "microdata" and bool(item.types) and schema and not item.refers
        yield from _read(item.node, page, same, sure, item.raw)


def _nodes(page: HtmlPage) -> Iterator[Mapping[str, Any]]:
    for block in page.json_ld:
        yield from walk_json(block.value)
    for item in page.items:
        yield item.node


def _members(node: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The properties of a node, those that are grouped under `@nest` too (JSON-LD 1.1, 4.1.7)."""
    stack: list[Any] = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, list):
            stack += part[::-1]
        for key, value in part.items() if isinstance(part, Mapping) else ():
            if key == "@nest":
                stack.append(value)
            else:
                yield key, value


def _id(node: Mapping[str, Any], page: HtmlPage) -> str:
    """The name of a node: resolved where it can be, with its fragment."""
    name = node.get("@id")
    if not isinstance(name, str) or not name.strip():
        return ""
    return (absolute(page.base_url, name) or name) + "#" + name.partition("#")[2]


def _addresses(node: Mapping[str, Any], page: HtmlPage) -> tuple[list[str], list[str]]:
    contents: list[str] = []
    others: list[str] = []
    for key, value in _members(node):
        term = last_term(key)
        if term == "@id" or term in _OTHER_ADDRESSES:
            exact = _plain_name(key, "contentUrl", _SCHEMA_PREFIXES)
            found = [absolute(page.base_url, url) for url in url_values(value)]
            (contents if exact else others).extend(url for url in found if url)
    return contents, others


def _read(
    node: Mapping[str, Any],
    page: HtmlPage,
    same: Mapping[str, frozenset[str]],
    sure: bool,
    raw: str,
) -> Iterator[LicensedObject]:
    licences: list[str] = []
    restrictions: list[str] = []
    acquire = ""
    for key, value in _members(node):
        term = last_term(key)
        if term in ("license", "licence"):
            licences += _licences(value, page)
            sure = sure and _plain_name(key, "license", _LICENCE_PREFIXES)
        elif term == "acquirelicensepage":
            acquire = acquire or next((url for url in url_values(value) if url.strip()), "")
        elif term not in ("@context", "@graph"):
            restrictions += _restrictions(value)
    if not (licences or restrictions or acquire):
        return
    contents, others = _addresses(node, page)
    yield LicensedObject(
        contents=tuple(dict.fromkeys(contents)),
        others=tuple(dict.fromkeys(url for url in others if url not in contents)),
        same=same.get(_id(node, page), frozenset()),
        licences=tuple(dict.fromkeys(licences)),
        restrictions=tuple(dict.fromkeys(restrictions)),
        acquire=absolute(page.base_url, acquire) or acquire,
        sure=sure,
        raw=raw or json.dumps(node, ensure_ascii=False)[:RAW_LIMIT],
    )


def _plain_name(key: str, term: str, prefixes: Iterable[str]) -> bool:
    return key == term or any(key == prefix + term for prefix in prefixes)


def _licences(value: Any, page: HtmlPage) -> Iterator[str]:
    """The licences that a property names: a URL each, "" for one that is there and has none."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str) and item.strip():
            yield absolute(page.base_url, item) or item
        elif isinstance(item, dict) and item:
            written = [url for text in _texts(item) if (url := absolute(page.base_url, text) or text)]
            known = [url for url in written if canonical_licence(url)]
            yield from known or written[:1] or [""]


def _restrictions(value: Any) -> Iterator[str]:
    """Known licences that take something away, where a whole value names one."""
    for item in value if isinstance(value, list) else [value]:
        for text in [item] if isinstance(item, str) else _texts(item) if isinstance(item, dict) else ():
            if any(host in text.lower() for host in _KNOWN_HOSTS):
                licence = canonical_licence(text)
                if licence is not None and licence.id not in PUBLIC_DOMAIN:
                    yield text


def _texts(node: Mapping[str, Any]) -> Iterator[str]:
    for key in ("contentUrl", "url", "@id", "@value", "sameAs"):
        value = node.get(key)
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and text.strip():
                yield text


def _is_plain(value: Any) -> bool:
    """True when no `@context` of a block makes its terms mean something else than schema.org's."""
    return all(_plain_context(node["@context"]) for node in walk_json(value) if "@context" in node)


def _plain_context(context: Any) -> bool:
    parts = context if isinstance(context, list) else [context]
    texts = [part for part in parts if isinstance(part, str)]
    maps = [part for part in parts if isinstance(part, dict)]
    if len(texts) + len(maps) < len(parts) or not all(map(_is_schema, texts or [_SCHEMA[0]])):
        return False
    return all(
        _is_schema(meant) if term in ("@vocab", "schema") else term not in _MEANINGFUL and meant != "@nest"
        for part in maps
        for term, meant in part.items()
    )


def _is_schema(address: Any) -> bool:
    text = address.strip().rstrip("/#").lower() if isinstance(address, str) else ""
    return text.removesuffix("/docs/jsonldcontext.jsonld").removesuffix("/docs/jsonldcontext.json") in _SCHEMA
