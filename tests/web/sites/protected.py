"""What the drop filters are for: pictures that are marked, banned in writing, cloaked, generated, enlarged
or copied; clean ones that only look it and must stay; and one artist who protects one picture in seven
ways.
"""

from __future__ import annotations

from dataclasses import replace

from PIL import Image

from benchmarks.detectors.aimarks import marked
from kyodaku.reasons import (
    DuplicateReason,
    FilterReason,
    HoldReason,
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
    markup,
    one_of_cluster,
    redirect,
)
from tests.web.pictures import MIMES, encode, photograph, raw

SIZE = (640, 480)

#: Whatever the filter is sure of or suspects: the recipe keeps neither.
PERTURBED = ends(
    FilterReason.PERTURBATION, QuarantineReason.PERTURBATION_LIKELY, QuarantineReason.PERTURBATION_POSSIBLE
)
MARKED = ends(FilterReason.WATERMARK, FilterReason.BRAND_TEXT)


def sites() -> list[Site]:
    """Every site of this family."""
    return [
        stock(),
        notices(),
        cloaks(),
        prompts(),
        enlargements(),
        *copies(),
        *reposts(),
        lookalikes(),
        seven(),
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


def stock() -> Site:
    """Previews as agencies show them; the licence on the page does not make them pictures to learn from."""
    return one_page(
        "previews.example",
        "previews: crossing lines with an agency's name, a bar with an address and a number",
        "Previews",
        shown("/1.jpg", "A harbour, preview", art.sea, 8106, protected.grid_mark("pixelpier"), MARKED),
        shown("/2.jpg", "Hills, preview", art.landscape, 8102, protected.grid_mark("pixelpier"), MARKED),
        shown("/3.jpg", "Fruit, for sale", art.still_life, 8104,
              protected.footer_mark("www.pixelpier.example", "48213377"), MARKED),
    )  # fmt: skip


def notices() -> Site:
    """A ban in the picture is a no, and its bytes go."""
    no = ends(RefuseReason.WRITTEN_NOTICE)
    return one_page(
        "written.example",
        "bans written into the picture, in Japanese and English, in a corner and over all of it",
        "絵 / Pictures",
        shown("/1.jpg", "夕暮れの丘", art.landscape, 8201, protected.notice("AI学習禁止"), no),
        shown("/2.jpg", "波", art.sea, 8202, protected.notice("無断転載禁止", corner=False, opacity=0.6), no),
        shown("/3.jpg", "A tree in bloom", art.blossom, 8203, protected.notice("NO AI TRAINING"), no),
        shown("/4.jpg", "Roofs", art.town, 8204,
              protected.notice("Do not repost", corner=False, opacity=0.6), no),
    )  # fmt: skip


def cloaks() -> Site:
    """Perturbed pictures; words beside one refuse it if the perturbation is likely, and set a picture aside
    alone; a ban on training refuses."""
    return one_page(
        "cloaks.example",
        "perturbed pictures, one beside words that say it is protected; words alone; a ban beside one",
        "Cloaks",
        shown("/1.png", "A boat before the wind", art.sea, 8301, protected.cloaked(1), PERTURBED),
        shown("/2.png", "Fruit and a vase", art.still_life, 8302, protected.cloaked(2, 12), PERTURBED),
        shown("/3.png", "Hills, protected against AI with a style cloak", art.landscape, 8303,
              protected.cloaked(3, 12), ends(RefuseReason.CLOAKED, QuarantineReason.WORDS_BESIDE)),
        shown("/4.png", "A town at noon, glazed and nightshaded", art.town, 8304,
              expect=ends(QuarantineReason.WORDS_BESIDE)),
        shown("/5.png", "A boat at noon #noai", art.sea, 8305, expect=ends(RefuseReason.RIGHTS_TEXT)),
    )  # fmt: skip


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


def enlargements() -> Site:
    """Large by their files, small by what is in them."""
    small = ends(FilterReason.ENLARGED)
    return one_page(
        "enlarged.example",
        "pictures that were made three and four times larger than they are, and one that was not",
        "Large pictures",
        shown("/1.png", "A town, large", art.town, 8501, protected.enlarged(3), small),
        shown("/2.jpg", "A tree, large", art.blossom, 8502, protected.enlarged(4), small),
        shown("/3.png", "A town, as large as it is drawn", art.town, 8503),
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
    """A near copy of a picture that its maker put into the opt-out file; an artist who says nothing, and two
    who show her pictures as free: one by bytes and by her address, one a host that is known for reposts."""
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
    linked, pinned = (f"http://quiet.example/{n}.jpg" for n in (2, 3))
    repost, listed = ends(QuarantineReason.REPOST), ends(QuarantineReason.REPOST_HOST)
    hers = (
        shown("/1.jpg", "A quay", art.sea, 8703, expect=repost),
        shown("/2.jpg", "A pear tree", art.blossom, 8704, expect=repost),
        shown("/3.jpg", "A lane", art.town, 8705, expect=listed),
    )
    return [
        one_page(
            "quiet.example",
            "an artist who shows pictures and says nothing about them",
            "Three pictures",
            *(replace(figure, licence="") for figure in hers),
        ),
        one_page(
            "taker.example",
            "the pictures of somebody else with a free licence: a file of its own, and her address",
            "Free pictures",
            replace(hers[0], src="/quay.jpg"),
            Figure(linked, "A pear tree, free", expect=repost),
        ),
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
            Figure(pinned, "A lane that somebody pinned", expect=listed),
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


def seven() -> Site:
    """One picture in the seven ways that artists are told to protect theirs, each on a page of its own.

    They are near copies of one another, so the ban that is written into one of them keeps out the ways that
    nobody can see, too.
    """
    seed, motif = 8901, art.blossom
    near = QuarantineReason.NEAR_REFUSED
    ways = (
        ("style", "My tree", protected.cloaked(11, 12), (near, *PERTURBED.reasons)),
        ("poison", "My tree, protected against AI training", protected.cloaked(12, 12),
         (RefuseReason.CLOAKED, near, QuarantineReason.WORDS_BESIDE)),
        ("noise", "My tree, with noise", protected.noisy(3), (near, *PERTURBED.reasons)),
        ("name", "My tree, with my name", protected.tiled_mark("MIRA KESSEL"), (near, *MARKED.reasons)),
        ("ban", "私の木", protected.notice("AI学習禁止"), (RefuseReason.WRITTEN_NOTICE,)),
        ("small", "My tree, at 800 pixels", protected.smaller(800), (near,)),
    )  # fmt: skip
    pages = [
        Page(f"/{name}", words, (shown(f"/art/{name}.png", words, motif, seed, change, ends(*reasons)),))
        for name, words, change, reasons in ways
    ]
    form = '<form method="post" action="/login"><input name="user"><input type="password" name="pass"></form>'
    login = Page("/login", "Log in", words=form, expect_page=HoldReason.LOGIN_WALL)
    return Site(
        "seven.example",
        "one picture, protected in the seven ways that artists are told to use",
        pages=(
            Page("/", "One tree, seven ways", links=[*(page.path for page in pages), "/followers"]),
            *pages,
            login,
        ),
        routes={"/followers": redirect("/login?next=/followers"), "/login?next=/followers": markup(form)},
    )
