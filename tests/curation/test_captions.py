"""Words for pictures: what is kept, what is rejected, and that no text whatsoever breaks it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.captions import WebText, choose_text, clean_caption, normalise
from tests.tools import cpu_seconds

KEPT = [
    ("The Great Wave off Kanagawa", "The Great Wave off Kanagawa"),
    ("  Mount&nbsp;Fuji\n in   clear weather ", "Mount Fuji in clear weather"),
    ("Tom &amp;amp; Jerry on a boat", "Tom & Jerry on a boat"),
    ("A photo of a red fox in snow", "a red fox in snow"),
    ("Picture: harbour at night", "harbour at night"),
    ("<b>Bold</b> brush strokes", "Bold brush strokes"),
    ("See https://example.com/x?y=1 the old mill", "See the old mill"),
    ("Ｆｕｌｌ　ｗｉｄｔｈ letters", "Full width letters"),
    ("ﾌｼﾞｻﾝ from the lake", "フジサン from the lake"),
    ("x² + y² on a blackboard", "x² + y² on a blackboard"),
    ("富士山と桜の風景", "富士山と桜の風景"),
    ("冨嶽三十六景", "冨嶽三十六景"),
    ("写真：神奈川沖浪裏の版画", "神奈川沖浪裏の版画"),
    ("zero\u200bwidth and \u202ebidi marks", "zerowidth and bidi marks"),
    ("Cafe\u0301 terrace at night", "Café terrace at night"),
    ("Apollo 11 lands on the moon", "Apollo 11 lands on the moon"),
    ("Fruit on a table (2021) Licence", "Fruit on a table (2021)"),
    ("A driving licence of 1920", "A driving licence of 1920"),
    ("Image processing in 1970", "Image processing in 1970"),
]

REJECTED = [
    *("", " ", "IMG_1234.jpg", "IMG_1234", "DSC00012", "my holiday picture.jpeg", "path/to/file_name.webp"),
    *(
        "image",
        "Photo",
        "No image",
        "画像",
        "untitled",
        "12345678",
        "!!! --- ???",
        "d41d8cd98f00b204e9800998",
    ),
    *("https://example.com/very/long/address.html", "A photo of", "fox", "Screenshot 2024-05-06", "\x00\x01"),
]


@pytest.mark.parametrize(("text", "wanted"), KEPT)
def test_descriptions_are_kept_and_cleaned(text: str, wanted: str) -> None:
    assert clean_caption(text, 8, 1000) == wanted


@pytest.mark.parametrize("text", REJECTED)
def test_what_describes_nothing_is_rejected(text: str) -> None:
    assert clean_caption(text, 8, 1000) == ""


def test_limits_of_length() -> None:
    assert clean_caption("a red fox", 9, 9) == "a red fox"
    assert clean_caption("a red fox", 10, 99) == ""
    assert clean_caption("a red fox", 1, 8) == ""
    assert clean_caption("赤い狐だ", 8, 99) == "赤い狐だ"


def test_the_order_of_sources() -> None:
    words = {
        "caption": "the caption of it",
        "alt": "the alt text of it",
        "schema_description": "schema says it",
    }
    rest = {"schema_name": "a name in schema", "title": "the title of it"}
    full = WebText("id", **words, **rest)
    order = []
    while (chosen := choose_text([full], 4, 99)) is not None:
        order.append(chosen.source)
        field = next(name for name, text in vars(full).items() if text == chosen.text)
        full = WebText(**{**vars(full), field: ""})
    assert order == ["alt", "caption", "schema", "schema", "title"]


@pytest.mark.parametrize(
    ("figcaption", "wanted"),
    [
        ("富士山、木版画風 Licence", "富士山、木版画風"),
        ("The largest of a srcset CC0", "The largest of a srcset"),
        ("The old mill in winter (CC BY-SA 4.0)", "The old mill in winter"),
        ("The old mill in winter. Public Domain Mark 1.0", "The old mill in winter."),
        ("The old mill in winter | © 2021 A. N. Author | CC BY 4.0 License", "The old mill in winter"),
        ("The old mill in winter. Photo by A. N. Author, CC0", "The old mill in winter."),
        ("The old mill in winter (c) A. N. Author", "The old mill in winter"),
        ("桜の木の版画 ライセンス CC0 1.0", "桜の木の版画"),
        ("Creative Commons Attribution 4.0 International License", ""),
        ("© A. N. Author", ""),
        ("A driving licence of 1920", "A driving licence of 1920"),
        ("A man with his driving licence", "A man with his driving licence"),
        ("A sticker that reads CC0 on a lamp", "A sticker that reads CC0 on a lamp"),
        ("A photo by the window", "A photo by the window"),
    ],
)
@pytest.mark.parametrize("alt", ["", "image", "IMG_1234.jpg"])
def test_a_figcaption_speaks_where_alt_does_not_and_loses_its_terms(
    alt: str, figcaption: str, wanted: str
) -> None:
    found = choose_text([WebText("id", figcaption, alt, "", "", "")], 8, 1000)
    assert (found.text if found else "") == wanted
    assert found is None or found.source == "caption"


@given(st.text(max_size=400))
def test_no_text_breaks_it_and_what_is_kept_is_clean(text: str) -> None:
    cleaned = clean_caption(text, 1, 1000)
    assert "\x00" not in cleaned
    assert cleaned == cleaned.strip()
    assert "  " not in cleaned
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert not any(ord(sign) < 32 for sign in cleaned)
    assert normalise(cleaned) is not None


@given(st.text(alphabet="&<>ahtps:/.%#;x0 ・：写真\u3000ｱﾞ\u200b\u202e\ud800\n", max_size=300))
def test_hostile_alphabets(text: str) -> None:
    cleaned = clean_caption(text, 1, 1000)
    cleaned.encode("utf-8")


@pytest.mark.parametrize(
    "unit",
    [
        "<",
        "<a ",
        "&",
        "&amp;",
        "http://",
        "a_1",
        "image of ",
        "：",
        "ｶﾞ",
        " .",
        "(-",
        "- ",
        "( licence",
        "CC0 ",
        "(c",
        ". photo ",
    ],
)
def test_time_is_linear(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    assert cpu_seconds(lambda: clean_caption(text, 1, 10_000), 3.0) < 3.0
    assert cpu_seconds(lambda: choose_text([WebText("id", text, "", "", "", "")], 1, 10_000), 3.0) < 3.0
