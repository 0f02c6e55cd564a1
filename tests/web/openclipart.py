"""The museum grown to Debian's Open Clip Art Library: 8,121 drawings with title, keywords, creator, licence.

Packages `openclipart-png` (the pictures) and `openclipart-svg` (the metadata) provide it. Folders are
listed at the first visit; a drawing's metadata are read when its page is asked for.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET  # the files are Debian's own
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

from tests.web.html import render_page
from tests.web.model import NOT_FOUND, Figure, Link, Page, Reply, Site, markup
from tests.web.server import Visit
from tests.web.sites.museum import HOST, STATEMENT

INSTALLED = Path("/usr/share/openclipart")
PER_PAGE = 200
_FREE = ("publicdomain", "zero/1.0")
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DC = "{http://purl.org/dc/elements/1.1/}"


@dataclass(frozen=True)
class Metadata:
    """What a drawing's SVG says of itself; empty where it says nothing."""

    title: str = ""
    creator: str = ""
    keywords: tuple[str, ...] = ()
    licence: str = ""

    @property
    def is_free(self) -> bool:
        """Whether the file itself states the public domain."""
        return any(word in self.licence.lower() for word in _FREE)


def read_metadata(svg: Path) -> Metadata:
    """The metadata block of an SVG file; empty where there is none or it is broken."""
    try:
        for _, element in ET.iterparse(svg):
            if element.tag.endswith("}Work"):
                return _metadata(element)
    except (ET.ParseError, OSError, ValueError, LookupError):
        pass
    return Metadata()


def _metadata(work: ET.Element) -> Metadata:
    def words(path: str) -> str:
        return " ".join("".join(node.itertext()) for node in work.findall(path)).strip()

    licence = next((node for node in work if node.tag.endswith("}license")), None)
    return Metadata(
        words(f"{_DC}title"),
        " ".join(words(f"{_DC}creator").split()),
        tuple(node.text.strip() for node in work.iter(f"{_RDF}li") if node.text and node.text.strip()),
        "" if licence is None else licence.get(f"{_RDF}resource", ""),
    )


class Library:
    """The installed collection as pages of the museum, below /clipart."""

    def __init__(self, root: Path = INSTALLED) -> None:
        self.root = root
        if not self.pictures.is_dir():
            raise FileNotFoundError(
                f"{self.pictures} is missing: `make system` installs openclipart-png and openclipart-svg"
            )

    @property
    def pictures(self) -> Path:
        """Where the PNG files are."""
        return self.root / "png"

    @cached_property
    def works(self) -> dict[str, Path]:
        """Every picture, by its path below the collection without the suffix."""
        files = sorted(self.pictures.rglob("*.png"))
        return {file.relative_to(self.pictures).with_suffix("").as_posix(): file for file in files}

    def metadata(self, name: str) -> Metadata:
        """What the SVG of a work says."""
        return read_metadata(self.root / "svg" / f"{name}.svg")

    # ----------------------------------------------------------------- answers

    async def answer(self, visit: Visit) -> Reply:
        """Any path of the museum that its own pages do not have."""
        parts = urlsplit(visit.request.path)
        path = unquote(parts.path)
        if path == "/clipart":
            return self.index(int(parse_qs(parts.query).get("page", ["0"])[0]))
        name = path.removeprefix("/clipart/").removesuffix(".png")
        if not path.startswith("/clipart/") or name not in self.works:
            return NOT_FOUND
        if path.endswith(".png"):
            return Reply(self.works[name].read_bytes(), headers=(("Content-Type", "image/png"),))
        return self.work(name)

    def index(self, number: int) -> Reply:
        """One page of the list of works, with links to every other page of it."""
        names = list(self.works)
        pages = -(-len(names) // PER_PAGE)
        shown = names[number * PER_PAGE : (number + 1) * PER_PAGE]
        works = [Link(f"/clipart/{quote(name)}", name) for name in shown]
        others = [Link(f"/clipart?page={page}", f"Page {page}") for page in range(pages) if page != number]
        return markup(render_page(Page("", f"Clip art, page {number}", links=[*works, *others])))

    def work(self, name: str) -> Reply:
        """The page of one work; it carries the museum's statement only where the file says so itself."""
        facts = self.metadata(name)
        title = facts.title or name.rpartition("/")[2].replace("_", " ")
        alt = ", ".join([title, *facts.keywords[:6]])
        figure = Figure(f"/clipart/{quote(name)}.png", alt, caption=f"{title}. {facts.creator}", licence="")
        words = f"<p>{escape(', '.join(facts.keywords))}</p>"
        if facts.is_free:
            words += f"<p>{STATEMENT}</p>"
        return markup(render_page(Page("", title, (figure,), ("/clipart",), words=words)))


def with_clipart(sites: list[Site], root: Path = INSTALLED) -> list[Site]:
    """`sites` with the whole collection at the museum.

    Raises:
        FileNotFoundError: if the Debian packages are not installed.
    """
    library = Library(root)

    def grow(site: Site) -> Site:
        if site.name != HOST:
            return site
        home, *rest = site.pages
        entrance = replace(home, links=(*home.links, "/clipart"))
        return replace(site, pages=(entrance, *rest), fallback=library.answer)

    return [grow(site) for site in sites]
