"""The words around a picture: what its markup, its figure, its link, its page and schema.org say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crawler.answers.intake import Found
from kyodaku.reasons import NotRequestedReason
from kyodaku.signals.carriers.extract import absolute, url_values, walk_json
from kyodaku.signals.carriers.html import HtmlPage, PageImage

_KIND_ORDER = {"img": 0, "link": 1, "meta": 2}


def images_of(page: HtmlPage, *, page_nofollow: bool) -> list[Found]:
    """The pictures of a page, each URL once, with all that stands beside it; those in the text before
    `og:image`.

    Only a picture behind a link can be kept from us by nofollow: what the page itself shows is no link.
    """
    texts = {link.href: link.text for link in page.links if link.text}
    things = _things(page)
    found: dict[str, Found] = {}
    for image in sorted(page.images, key=lambda image: (_KIND_ORDER.get(image.kind, 3), image.position)):
        again = _found(image, page, texts, things, page_nofollow)
        found[image.url] = found[image.url].with_words(again) if image.url in found else again
    return list(found.values())


def _found(
    image: PageImage,
    page: HtmlPage,
    texts: Mapping[str, str],
    things: Mapping[str, Mapping[str, Any]],
    page_nofollow: bool,
) -> Found:
    thing = things.get(image.url, {})
    description, caption = _text(thing.get("description")), _text(thing.get("caption"))
    more = caption if description not in ("", caption) else ""
    nofollow = image.kind == "link" and (image.nofollow or page_nofollow)
    return Found(
        url=image.url,
        alt=image.alt,
        title=image.title,
        caption=image.figcaption,
        link_text=" / ".join(filter(None, (texts.get(image.link_href or image.url), more))),
        page_title=page.title,
        schema_name=_text(thing.get("name")),
        schema_description=description or caption,
        schema_creator=_text(thing.get("creator")) or _text(thing.get("author")),
        schema_credit=_text(thing.get("creditText")),
        language=page.lang,
        variants=tuple(source.url for source in image.candidates if source.url != image.url),
        limit=NotRequestedReason.NOFOLLOW if nofollow else None,
    )


def _things(page: HtmlPage) -> dict[str, Mapping[str, Any]]:
    """schema.org objects by the image URL they speak about; an ImageObject before what merely shows it."""
    things: dict[str, Mapping[str, Any]] = {}
    for block in page.json_ld:
        for node in walk_json(block.value):
            for url in url_values(node.get("contentUrl")):
                things[absolute(page.base_url, url)] = node
            for url in url_values(node.get("image")):
                things.setdefault(absolute(page.base_url, url), node)
    return things


def _text(value: Any) -> str:
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, list):
        return ", ".join(text for text in map(_text, value) if text)
    if isinstance(value, dict):
        return _text(value.get("name") or value.get("@value"))
    return ""
