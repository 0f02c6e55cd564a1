"""What the drop filters are for: pictures that are generated or copied, and clean ones that only look marked,
perturbed or enlarged and must stay.
"""

from __future__ import annotations

from PIL import Image

from benchmarks.detectors.aimarks import marked
from kyodaku.reasons import (
    DuplicateReason,
    FilterReason,
    QuarantineReason,
    RefuseReason,
)
from tests.web import art, protected
from tests.web.model import (
    RELEASED,
    Expected,
    Figure,
    Headers,
    Page,
    Picture,
    Site,
    ends,
    one_of_cluster,
)
from tests.web.pictures import MIMES, encode, photograph, raw

SIZE = (640, 480)


def sites() -> list[Site]:
    """Every site of this family."""
    return [
        prompts(),
        *copies(),
        *reposts(),
        lookalikes(),
    ]


def shown(
    src: str,
    alt: str,
    motif: art.Motif,
    seed: int,
    change: protected.Change | None = None,
    expect: Expected = RELEASED,
    quality: int = 90,
    headers: Headers = (),
) -> Figure:
    """A drawing after `change`, as the format that its name ends in."""

    def render() -> bytes:
        drawn = motif(seed, SIZE)
        kind = "PNG" if src.endswith(".png") else "JPEG"
        options = {} if kind == "PNG" else {"quality": quality}
        return encode(drawn if change is None else change(drawn), kind, **options)

    mime = MIMES["PNG" if src.endswith(".png") else "JPEG"]
    return Figure(src, alt, Picture(render, mime), headers=headers, expect=expect)


def one_page(name: str, shows: str, title: str, *figures: Figure) -> Site:
    """A site of one page."""
    return Site(name, shows, pages=(Page("/", title, figures),))


def prompts() -> Site:
    """Marks of generators: in the pixels and in a text chunk."""
    made = ends(FilterReason.AI_MADE)

    def by(family: str) -> protected.Change:
        import numpy as np

        return lambda image: Image.fromarray(marked(np.asarray(image), family))

    def prompt() -> bytes:
        return protected.prompt_png(art.sea(8403, SIZE))

    return one_page(
        "prompts.example",
        "generated pictures: two carry the mark of their generator in the pixels, one its prompt",
        "Prompts",
        shown("/1.png", "A town at dusk", art.town, 8401, by("Stable Diffusion 1"), made),
        shown("/2.png", "A ridge in mist", art.landscape, 8402, by("Stable Diffusion 2"), made),
        Figure("/3.png", "A boat at dusk", raw(prompt, "image/png"), expect=made),
    )


def copies() -> list[Site]:
    """Copies that agree about their licence: one is kept."""
    near = one_of_cluster("copies-boat", DuplicateReason.NEAR)
    seed = 8601
    here = one_page(
        "copies.example",
        "one picture: as it is, recompressed, mirrored, cut",
        "A boat, four times",
        shown("/whole.png", "A boat", art.sea, seed, expect=near),
        shown("/small.jpg", "A boat, recompressed", art.sea, seed, expect=near, quality=60),
        shown("/mirror.jpg", "A boat that sails the other way", art.sea, seed, protected.mirrored, near),
        shown("/cut.jpg", "A boat, closer", art.sea, seed, protected.cut, near),
    )
    there = one_page(
        "copies-too.example",
        "the same picture on another site, under the same licence",
        "The boat again",
        shown("/boat.jpg", "A boat, elsewhere", art.sea, seed, protected.smaller(560), near),
    )
    return [here, there]


def reposts() -> list[Site]:
    """A near copy of a picture that its maker put into the opt-out file; a host that is known for reposts."""
    copy = shown(
        "/free.jpg",
        "A still life, free",
        art.still_life,
        8701,
        protected.smaller(600),
        ends(RefuseReason.REGISTRY_NEAR),
        quality=80,
    )
    pin = shown(
        "/pin.jpg",
        "Hills that somebody pinned",
        art.landscape,
        8702,
        expect=ends(QuarantineReason.REPOST_HOST),
    )
    return [
        one_page(
            "reposter.example",
            "a picture whose maker opted out, made smaller and shown by somebody else as if it were free",
            "Free pictures",
            copy,
        ),
        one_page(
            "pinboard.example",
            "a host that the recipe names as one of other people's pictures",
            "Pins",
            pin,
        ),
    ]


def lookalikes() -> Site:
    """Nothing here is marked, banned, cloaked or enlarged: all of it stays."""
    changes: tuple[tuple[str, str, art.Motif, protected.Change], ...] = (
        ("signed", "Hills, signed by their painter", art.landscape, protected.signed),
        ("sealed", "Waves, with the printmaker's seal", art.sea, protected.sealed),
        ("titled", "Waves, with the title of the print", art.sea, protected.titled),
        ("stamped", "A tree, with a collection's stamp", art.blossom, protected.stamped),
        ("captioned", "A harbour, engraved", art.sea, protected.captioned),
        ("cracked", "Fruit, the varnish cracked", art.still_life, protected.cracked),
        ("canvas", "Hills on linen", art.landscape, protected.on_canvas),
        ("grain", "A town on fast film", art.town, protected.noisy(1, 9)),
        ("halftone", "A tree, printed in dots", art.blossom, protected.printed),
        ("street", "A street with a bakery", art.town, protected.in_a_street),
    )
    figures = [
        shown(f"/{name}.jpg", alt, motif, 8800 + n, change)
        for n, (name, alt, motif, change) in enumerate(changes)
    ]
    shed = Figure(
        "/motorcycle.jpg",
        "A motorcycle in a shed",
        photograph("motorcycle_left.png"),
    )
    return one_page(
        "lookalikes.example",
        "signatures, seals, titles, stamps, cracks, linen, grain, dots and street signs: all clean",
        "Old and new",
        *figures,
        shed,
    )
