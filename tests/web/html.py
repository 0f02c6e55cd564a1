"""Pages as HTML: plain, readable, as a person would write them."""

from __future__ import annotations

from html import escape

from tests.web.model import Figure, Link, Page

_STYLE = (
    "body{font:17px/1.6 Georgia,serif;margin:3rem auto;max-width:46rem;color:#222;background:#fdfcf9}"
    "img{max-width:100%}figure{margin:2rem 0}figcaption{color:#666;font-size:.9em}"
)


def render_page(page: Page) -> str:
    """The HTML of a page."""
    meta = f'<meta charset="{page.charset}">' if page.declares_charset == "meta" else ""
    figures = "\n".join(render_figure(figure) for figure in page.figures)
    links = "\n".join(_render_link(link) for link in page.links)
    nav = f"<nav><ul>\n{links}\n</ul></nav>" if links else ""
    return (
        f'<!doctype html>\n<html lang="{page.lang}">\n<head>{meta}<title>{escape(page.title)}</title>'
        f"<style>{_STYLE}</style>\n{page.head}</head>\n<body>\n<h1>{escape(page.title)}</h1>\n"
        f"<main>\n{page.words}\n{figures}\n</main>\n{nav}\n</body>\n</html>\n"
    )


def render_figure(figure: Figure) -> str:
    """A figure with caption and licence link, or the markup it brings itself."""
    if figure.html:
        return figure.html
    alt = f' alt="{escape(figure.alt)}"' if figure.alt else ""
    licence = f'<a rel="license" href="{figure.licence}">Licence</a>' if figure.licence else ""
    caption = " ".join(part for part in (escape(figure.caption), licence) if part)
    below = f"<figcaption>{caption}</figcaption>" if caption else ""
    return f'<figure><img src="{escape(figure.src)}"{alt}>{below}</figure>'


def _render_link(link: str | Link) -> str:
    if isinstance(link, str):
        link = Link(link)
    rel = f' rel="{link.rel}"' if link.rel else ""
    return f'<li><a href="{escape(link.href)}"{rel}>{escape(link.words or link.href)}</a></li>'
