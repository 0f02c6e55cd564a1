"""Where training pictures come from: licences file by file, splits, archives, drawings."""

from __future__ import annotations

import struct
import zipfile
import zlib
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFont

from curation.train import pictures, pool
from curation.train.copyright import is_free, stanza_of
from curation.train.drawn import SCENES, Stock, draw, scenes_of
from curation.train.pictures import SPLITS, fonts, inside, iter_pictures, load, sources, split_of, table
from kyodaku.recipe.filters import FURNITURE, KINDS

COPYRIGHT = r"""Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2014 Somebody
License: GPL-2+

Files: photos/*.jpg
       photos/odd\*name.png
Copyright: 2015 Anna
           2016 Bob
License: CC-BY-SA-4.0

Files: photos/secret?.jpg
Copyright: 2017 Carol
License: CC-BY-NC-3.0

License: GPL-2+
 Some text: with a colon.
"""


def package(root: Path, name: str, copyright_text: str = COPYRIGHT) -> Path:
    """An unpacked package with four pictures and a copyright file."""
    folder = root / "packages" / name
    (folder / "usr/share/doc" / name).mkdir(parents=True)
    (folder / "usr/share/doc" / name / "copyright").write_text(copyright_text)
    (folder / "usr/share/pics/photos").mkdir(parents=True)
    for number, file in enumerate(("a.jpg", "secret1.jpg", "notes.txt", "b.png")):
        picture = Image.new("RGB", (40, 30 + number), (200, 30 * number, 10))
        picture.save(folder / "usr/share/pics/photos" / file, "PNG")
    return folder


def entry(copyright_text: str = COPYRIGHT, **rule: object) -> dict[str, object]:
    rules = [{"kind": "photo", "files": ["photos/*"], "licence": "by file", **rule}]
    digest = sha256(copyright_text.encode()).hexdigest()
    return {"version": "1-1", "copyright": digest, "root": "usr/share/pics", "pictures": rules}


@pytest.fixture
def pool_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pool of one package, and a table that names it."""
    package(tmp_path, "pics")
    monkeypatch.setattr(pictures, "table", lambda: {"pics": entry()})
    return tmp_path


def test_licences_are_read_file_by_file_and_what_is_not_free_is_left_out(pool_of: Path) -> None:
    found = {source.name: source for source in sources(pool_of)}
    assert sorted(found) == ["pics:photos/a.jpg", "pics:photos/b.png"]
    assert found["pics:photos/a.jpg"].licence == "CC-BY-SA-4.0"
    assert found["pics:photos/a.jpg"].author == "2015 Anna 2016 Bob"
    assert found["pics:photos/b.png"].licence == "GPL-2+"


def test_a_paragraph_for_everything_does_not_name_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "pics")
    monkeypatch.setattr(pictures, "table", lambda: {"pics": entry(named_only=True)})
    assert [source.name for source in sources(tmp_path)] == ["pics:photos/a.jpg"]


def test_a_copyright_file_that_nobody_read_leaves_the_package_out(pool_of: Path) -> None:
    path = pool_of / "packages/pics/usr/share/doc/pics/copyright"
    path.write_text(COPYRIGHT + "\nFiles: new/*\nLicense: CC0-1.0\n")
    assert sources(pool_of) == []
    with pytest.raises(pool.FetchError, match="another copyright file than 1-1"):
        pool.check_copyright(pool_of, "pics", entry(), {"version": "1-2"})


def test_the_last_paragraph_that_matches_holds(tmp_path: Path) -> None:
    path = tmp_path / "copyright"
    path.write_text(COPYRIGHT)

    def licence(file: str, **how: bool) -> str:
        stanza = stanza_of(path, file, **how)
        return stanza.licence if stanza else ""

    assert licence("photos/secret1.jpg") == "CC-BY-NC-3.0"
    assert licence("photos/odd*name.png") == "CC-BY-SA-4.0"
    assert licence("photos/oddXname.png") == "GPL-2+"
    assert licence("photos/secret1.webp", any_suffix=True) == "CC-BY-NC-3.0"
    assert stanza_of(path, "else.txt", named_only=True) is None


@pytest.mark.parametrize(
    ("licence", "free"),
    [
        ("CC0-1.0", True),
        ("CC-BY-SA-3.0 or proprietary", True),
        ("GPL-2+ and CC-BY-NC-3.0", False),
        ("CC-BY-ND-4.0", False),
        ("GFDL-NIV-1.2", False),
        ("CC-sampling-plus-1.0", False),
        ("", False),
        ("check the headers", False),
    ],
)
def test_which_licences_are_free(licence: str, free: bool) -> None:
    assert is_free(licence) is free


def test_every_rule_of_the_table_is_complete_and_free() -> None:
    kinds = {*KINDS, "texture", "screenshot", "abstract"}
    for name, one in table().items():
        assert one.get("origin") == "python" or (one["version"] and len(one["copyright"]) == 64), name
        for rule in one.get("pictures", ()):
            assert rule["kind"] in kinds, name
            assert rule["licence"] == "by file" or is_free(rule["licence"]), (name, rule["licence"])
            assert rule.get("split", "train") in SPLITS, name
        for rule in one.get("fonts", ()):
            assert rule["family"], name
            assert rule["scripts"], name
            assert not {"NC", "ND"} & set(rule["licence"].replace("-", " ").split()), name


def test_the_page_names_every_package() -> None:
    page = (Path(__file__).parents[2] / "docs/training-pictures.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:4] for line in page.splitlines() if line.startswith("| ")]
    named = {name.strip(): version.strip() for name, version, used in rows if used.strip()}
    expected = {name: one.get("version", "") for name, one in table().items()}
    assert {name: named.get(name) for name in expected} == expected


def test_no_font_family_and_no_picture_stands_in_two_splits(pool_of: Path) -> None:
    families: dict[str, set[str]] = {}
    for one in table().values():
        for rule in one.get("fonts", ()):
            split = rule.get("split") or split_of(f"font:{rule['family']}")
            families.setdefault(rule["family"], set()).add(split)
    assert not [family for family, splits in families.items() if len(splits) > 1]
    assert {split for splits in families.values() for split in splits} == set(SPLITS)
    parts = [{source.name for source in sources(pool_of, split)} for split in SPLITS]
    assert sum(map(len, parts)) == len(set().union(*parts)) == 2


def test_splits_are_stable_and_copies_of_one_picture_stay_together() -> None:
    names = [f"package:{number}" for number in range(4000)]
    shares = [sum(split_of(name) == split for name in names) / 4000 for split in SPLITS]
    assert shares == pytest.approx([0.70, 0.15, 0.15], abs=0.03)
    assert [split_of(name) for name in ("x:0", "x:18", "x:8")] == list(SPLITS)
    group = pictures._group
    assert group({"group": 1}, "Altai/contents/a.png") == group({"group": 1}, "Altai/dark/b.png") == "Altai"
    assert group({"stem": r"image/([A-Za-z]+)"}, "image/GreatWave_b1.webp") == "GreatWave"
    assert group({}, "photos/a.jpg") == "photos/a.jpg"


def test_pictures_are_rgb_bounded_and_named(pool_of: Path) -> None:
    every = [one for split in SPLITS for one in iter_pictures(pool_of, split, side=20)]
    assert sorted(one.source for one in every) == ["pics:photos/a.jpg", "pics:photos/b.png"]
    for one in every:
        assert one.pixels.dtype == np.uint8
        assert max(one.pixels.shape[:2]) == 20
        assert one.pixels.shape[2] == 3
        assert one.licence
    broken = pool_of / "packages/pics/usr/share/pics/photos/a.jpg"
    (first,) = (source for source in sources(pool_of) if source.path == broken)
    broken.write_bytes(b"\x89PNG\r\n\x1a\nno")
    assert load(first) is None


def test_only_the_inside_of_an_odd_shape_is_used() -> None:
    piece = Image.new("RGBA", (100, 80), (0, 0, 0, 0))
    piece.paste((10, 200, 30, 255), (10, 10, 90, 70))
    piece.paste((0, 0, 0, 0), (10, 10, 20, 20))
    inner = inside(piece)
    assert inner.getchannel("A").getextrema() == (255, 255)
    assert 40 <= inner.width < 80


def rcc(files: dict[str, bytes]) -> bytes:
    """A Qt resource with one folder `pics` and these files, the first of them compressed."""
    names, offsets = b"", []
    for name in ("pics", *files):
        offsets.append(len(names))
        names += struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
    data, entries = (
        b"",
        [struct.pack(">IHII", 0, 2, 1, 1), struct.pack(">IHII", offsets[0], 2, len(files), 2)],
    )
    for number, body in enumerate(files.values()):
        packed = struct.pack(">I", len(body)) + zlib.compress(body) if number == 0 else body
        entries.append(struct.pack(">IHHHI", offsets[number + 1], int(number == 0), 0, 0, len(data)))
        data += struct.pack(">I", len(packed)) + packed
    tree = b"".join(entries)
    return (
        b"qres" + struct.pack(">4I", 1, 20, 20 + len(tree), 20 + len(tree) + len(data)) + tree + data + names
    )


def test_archives_inside_packages_are_unpacked_and_stay_inside(tmp_path: Path) -> None:
    (tmp_path / "one.rcc").write_bytes(rcc({"a.png": b"first" * 40, "b.webp": b"second", "c.qml": b"code"}))
    with zipfile.ZipFile(tmp_path / "two.pk3", "w") as archive:
        archive.writestr("textures/d.jpg", b"third")
        archive.writestr("../../escaped.png", b"no")
    pool.unpack_archives(tmp_path, ["*.rcc", "*.pk3"])
    inside_ = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert inside_ == [
        "archives/pics/a.png",
        "archives/pics/b.webp",
        "archives/textures/d.jpg",
        "one.rcc",
        "two.pk3",
    ]
    assert (tmp_path / "archives/pics/a.png").read_bytes() == b"first" * 40
    assert not (tmp_path.parent / "escaped.png").exists()
    with pytest.raises(pool.FetchError, match="not a Qt resource"):
        list(pool.iter_rcc(b"PK\x03\x04" + bytes(20)))


def test_fetching_is_resumed_and_what_apt_does_not_have_is_said(
    pool_of: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def fetch(folder: Path, name: str) -> dict[str, str]:
        asked.append(name)
        raise pool.FetchError("apt-get: E: Unable to locate package")

    monkeypatch.setattr(pool, "fetch", fetch)
    monkeypatch.setattr(
        pictures, "table", lambda: {"pics": entry(), "gone": entry(), "py": {"origin": "python"}}
    )
    pool.write_manifest(pool_of, {"pics": {"version": "1-1"}})
    pool.fetch_all(pool_of, [])
    assert asked == ["gone"]
    assert "gone: apt-get: E: Unable to locate package" in capsys.readouterr().out
    assert list(pool.read_manifest(pool_of)) == ["pics"]


# --------------------------------------------------------------------------- drawings


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    """The stock of an empty pool: one Latin font, no pictures."""
    return Stock.of(tmp_path_factory.mktemp("empty"), "train")


@pytest.mark.parametrize("name", SCENES)
def test_every_scene_draws_without_a_pool_and_again_the_same(name: str, bare: Stock) -> None:
    first, again, other = (draw(name, seed, bare, 160) for seed in (3, 3, 4))
    assert max(first.pixels.shape[:2]) == 160
    assert first.what == name
    assert first.kind in {*KINDS, "abstract", "screenshot"}
    assert np.array_equal(first.pixels, again.pixels)
    assert not np.array_equal(first.pixels, other.pixels)
    assert set(first.masks) <= set(FURNITURE)
    assert all(mask.shape == first.pixels.shape[:2] for mask in first.masks.values())


def test_scans_carry_masks_of_their_furniture(bare: Stock) -> None:
    seen = [draw("scan", seed, bare, 200) for seed in range(12)]
    names = [name for one in seen for name, mask in one.masks.items() if mask.max() == 255]
    assert {"colour_chart", "ruler", "border"} <= set(names)
    assert any("gutter" in draw("book", seed, bare, 160).masks for seed in range(2))


def test_splits_do_not_draw_the_same_picture(bare: Stock) -> None:
    held_out = Stock("test", bare.fonts, bare.sources)
    assert not np.array_equal(draw("map", 1, bare, 160).pixels, draw("map", 1, held_out, 160).pixels)


def test_scenes_are_chosen_by_kind_or_name() -> None:
    assert scenes_of(["map", "night"]) == ["night", "map"]
    assert scenes_of(["nothing"]) == []
    assert scenes_of() == list(SCENES)


def test_drawn_pictures_follow_the_files(pool_of: Path) -> None:
    drawn = [one.source for one in iter_pictures(pool_of, "train", ("blank", "gradient"), side=64, drawn=3)]
    assert drawn == ["drawn:gradient:0", "drawn:blank:1", "drawn:gradient:2"]


def test_without_fonts_pillows_own_writes(bare: Stock) -> None:
    assert fonts(Path("/nowhere")) == []
    assert isinstance(bare.font(np.random.default_rng(0), 12, "ja"), ImageFont.FreeTypeFont)
