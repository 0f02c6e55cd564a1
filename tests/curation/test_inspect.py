"""`kyodaku inspect` on every kind of file that somebody may have."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

import curation.annotators.registry
import curation.filters
from curation.annotators.base import Finding, Picture, Status
from curation.filters import Objected, first_objection, objections, resolution
from curation.inspect import Inspected, inspect
from kyodaku.errors import UsageError
from kyodaku.reasons import FilterReason, QuarantineReason
from kyodaku.recipe import Filters, Recipe
from tests.core.test_cli import kyodaku
from tests.curation.fixtures import encoded, jpeg, picture, recipe


def mask(side: int = 8) -> bytes:
    """A mask whose lower right quarter was seen."""
    grey = np.zeros((side, side), np.uint8)
    grey[side // 2 :, side // 2 :] = 255
    return encoded(Image.fromarray(grey), "PNG")


class Brightness:
    """A real annotator for these tests: how bright a picture is; white ones break it."""

    name, version = "overlay", "1+test"

    def look(self, pictures: Sequence[Picture], before: Sequence[Mapping[str, Finding]]) -> list[Finding]:
        scores = [float(one.grey.mean()) / 255 for one in pictures]
        if max(scores) == 1.0:
            raise ValueError("too bright <b>")
        return [
            Finding(self.name, self.version, Status.OK, score, "likely", "© Ann <b>", {"mean": score}, mask())
            for score in scores
        ]


@pytest.fixture(autouse=True)
def one_annotator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curation.annotators.registry, "BUILT", {"overlay": lambda section: Brightness()})
    monkeypatch.setattr(curation.filters, "FILTERS", {"resolution": resolution})
    monkeypatch.setattr(curation.filters, "ASKED", ())


def look(*paths: Path, using: Recipe | None = None, sheet: Path | None = None) -> list[Inspected]:
    return list(inspect(list(paths), using, sheet, Console(file=io.StringIO())))


def wide() -> bytes:
    return encoded(Image.fromarray((np.arange(300 * 300) % 65536).reshape(300, 300).astype(np.uint16)), "PNG")


def see_through() -> bytes:
    image = picture(4).convert("RGBA")
    image.putalpha(100)
    return encoded(image, "PNG")


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(picture(5), "JPEG", exif=exif)


def moving() -> bytes:
    return encoded(picture(6), "GIF", save_all=True, append_images=[picture(7), picture(8)])


def bomb() -> bytes:
    """The head of a PNG that promises 20,000 by 20,000 pixels."""
    body = bytearray(encoded(picture(1), "PNG"))
    body[16:24] = (20_000).to_bytes(4, "big") * 2
    return bytes(body)


KINDS = [
    ("plain", jpeg(1), "ok", "", 320),
    ("cmyk", encoded(picture(2).convert("CMYK"), "JPEG"), "ok", "", 320),
    ("sixteen bits", wide(), "ok", "", 300),
    ("palette", encoded(picture(3).quantize(16), "PNG"), "ok", "", 320),
    ("alpha", see_through(), "ok", "", 320),
    ("turned", turned(), "ok", "", 280),
    ("moving", moving(), "ok", "", 320),
    ("zero bytes", b"", "failed", "not_an_image", 0),
    ("text", b"hello", "failed", "not_an_image", 0),
    ("svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "failed", "format_not_allowed", 0),
    ("cut off", jpeg(1)[:2000], "failed", "undecodable", 0),
    ("six bytes", b"GIF89a", "failed", "undecodable", 0),
    ("bomb", bomb(), "failed", "pixel_bomb", 0),
    ("huge", jpeg(1) + b"\0" * 2_000_000, "failed", "too_large", 0),
]


def test_every_kind_of_file_gets_a_fact_or_a_typed_reason(tmp_path: Path) -> None:
    paths = []
    for number, (name, body, *_) in enumerate(KINDS):
        paths.append(tmp_path / f"{number:02d} {name}.jpg")
        paths[-1].write_bytes(body)
    found = look(*paths, using=recipe(network={"max_image": "1 MB"}))
    told = [(one.row["status"], one.row["failure"], one.row["width"]) for one in found]
    assert told == [(status, failure, width) for _, _, status, failure, width in KINDS]
    assert [one.path for one in found] == paths
    assert all(set(one.findings) == ({"overlay"} if one.ok else set()) for one in found)
    assert all(one.message for one in found if not one.ok)


def test_what_is_dropped_is_told_before_what_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The outcome is that of select, whatever the order of the filters."""
    said = {"harmful": QuarantineReason.NOT_LOOKED_AT, "resolution": FilterReason.LOW_RESOLUTION}
    filters = {name: lambda row, recipe, reason=reason: reason for name, reason in said.items()}
    monkeypatch.setattr(curation.filters, "FILTERS", filters)
    found = Inspected(Path("a.png"), {"status": "ok"}, "", None, tuple(objections({}, Filters())))
    assert found.objected[0] == Objected("harmful", QuarantineReason.NOT_LOOKED_AT)
    assert (found.outcome, found.reason) == ("filtered", first_objection({}, Filters()))


def test_an_annotator_that_breaks_is_a_finding_and_not_the_end(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(Image.new("RGB", (200, 200), "white"), "PNG"))
    (tmp_path / "b.jpg").write_bytes(jpeg(2))
    white, other = look(tmp_path)
    assert white.findings["overlay"].status is Status.FAILED
    assert "too bright" in white.findings["overlay"].text
    assert not white.looked
    assert other.looked


def test_a_folder_is_walked_without_leaving_it(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.mkdir()
    (outside / "secret.jpg").write_bytes(jpeg(9))
    (folder / "sub").mkdir(parents=True)
    (folder / "sub/noname").write_bytes(jpeg(1))
    (folder / "b.jpg").write_bytes(jpeg(2))
    (folder / "empty.PNG").write_bytes(b"")
    (folder / "notes.txt").write_text("no picture")
    (folder / "link.jpg").symlink_to(outside / "secret.jpg")
    (folder / "away").symlink_to(outside)
    (folder / "round").symlink_to(folder)
    os.mkfifo(folder / "pipe.jpg")
    found = look(folder)
    assert [str(one.path.relative_to(folder)) for one in found] == ["b.jpg", "empty.PNG", "sub/noname"]
    link = tmp_path / "shortcut"
    link.symlink_to(folder)
    assert len(look(link)) == 3, "a link that was named is what its owner means"


def test_what_was_named_is_always_answered_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "hidden.jpg").symlink_to(tmp_path / "gone.jpg")
    found = look(tmp_path / "pipe", Path("/dev/zero"), tmp_path / "hidden.jpg")
    assert [(one.row["failure"], one.ok) for one in found] == [("not_an_image", False)] * 3
    with pytest.raises(UsageError, match="nothing is not there"):
        look(tmp_path / "nothing")


def test_filters_of_the_recipe_are_asked(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(1, 100, 90))
    (one,) = look(tmp_path)
    assert (one.outcome, one.reason) == ("filtered", "low_resolution")
    (one,) = look(tmp_path, using=recipe())
    assert (one.outcome, one.reason) == ("kept", "")


def test_the_command_prints_lines_tables_and_exit_codes(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(1))
    (tmp_path / "b\x1b[31m.jpg").write_bytes(b"")
    done = kyodaku("inspect", str(tmp_path), "--json")
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert done.returncode == 1
    assert first["annotators"]["overlay"] == {
        "status": "ok",
        "score": first["annotators"]["overlay"]["values"]["mean"],
        "level": "likely",
        "text": "© Ann <b>",
        "version": "1+test",
        "values": {"mean": pytest.approx(0.5, abs=0.2)},
    }
    assert (second["status"], second["failure"]) == ("failed", "not_an_image")
    assert "\x1b" not in done.stdout
    done = kyodaku("inspect", str(tmp_path / "a.jpg"))
    assert done.returncode == 0
    assert "© Ann <b>" in done.stdout
    assert "kept" in done.stdout
    assert "\x1b" not in kyodaku("inspect", str(tmp_path)).stdout
    assert kyodaku("inspect", str(tmp_path / "gone")).returncode == 2


def test_the_contact_sheet_shows_masks_and_escapes_what_it_read(tmp_path: Path) -> None:
    (tmp_path / "a <script>.jpg").write_bytes(jpeg(1))
    (tmp_path / "b.jpg").write_bytes(b"")
    sheet = tmp_path / "sheet.html"
    assert len(look(tmp_path, sheet=sheet)) == 2
    page = sheet.read_text("utf-8")
    assert page.count("<section>") == 2
    assert "© Ann &lt;b&gt;" in page
    assert "a &lt;script&gt;.jpg" in page
    assert 'class="mask"' in page
    assert base64.b64encode(jpeg(1)).decode() not in page, "what is shown is encoded anew"
    assert page.rstrip().endswith("</html>")


def test_no_page_is_left_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(1))
    (tmp_path / "b.jpg").write_bytes(jpeg(2))
    sheet = tmp_path / "sheet.html"
    looking = inspect([tmp_path], None, sheet, Console(file=io.StringIO()))
    next(looking)
    looking.close()
    assert not sheet.exists()
    assert not list(tmp_path.glob(".sheet*"))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nowhere/sheet.html", "there is no folder"),
        ("folder", "is a folder"),
        ("a.jpg", "is one of the pictures"),
        ("same.html", "is one of the pictures"),
        ("folder/b.jpg", "is there already and is no page of kyodaku"),
        ("notes.txt", "is there already and is no page of kyodaku"),
        ("somebody's.html", "is there already and is no page of kyodaku"),
        ("gone.html", "is there already and is no page of kyodaku"),
        ("a.jpg/sheet.html", "there is no folder"),
        ("long" * 70, "cannot be written"),
    ],
)
def test_a_page_that_has_no_place_is_refused_before_anything_is_looked_at(
    tmp_path: Path, name: str, told: str
) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(1))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/b.jpg").write_bytes(jpeg(2))
    (tmp_path / "same.html").symlink_to(tmp_path / "a.jpg")
    (tmp_path / "gone.html").symlink_to(tmp_path / "nothing")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "somebody's.html").write_text("<!DOCTYPE html>\n<title>mine</title>")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    shown = (tmp_path / "a.jpg", tmp_path / "folder")
    with pytest.raises(UsageError, match=told):
        look(*shown, sheet=tmp_path / name)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    done = kyodaku(
        "inspect", str(tmp_path / "a.jpg"), str(tmp_path / "folder"), "--html", str(tmp_path / name)
    )
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "unexpected" not in done.stderr


def test_a_page_of_ours_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(1))
    sheet = tmp_path / "sheet.html"
    sheet.touch()
    for _ in range(2):
        look(tmp_path, sheet=sheet)
        assert "a.jpg" in sheet.read_text("utf-8")


def test_python_files_beside_pictures_are_not_run(tmp_path: Path) -> None:
    (tmp_path / "one.jpg").write_bytes(jpeg(1))
    for name in ("json", "struct", "multiprocessing", "numpy", "PIL", "torch", "kyodaku", "curation"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w')\n")
    program = Path(sys.executable).with_name("kyodaku")
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [program, "inspect", "."], cwd=tmp_path, env=plain, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "ran").exists()


def test_a_folder_without_pictures_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(UsageError, match="no picture in "):
        look(tmp_path, sheet=tmp_path / "sheet.html")
    assert not (tmp_path / "sheet.html").exists()
    done = kyodaku("inspect", str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "no picture in" in done.stderr


#: Kilobytes that a process of its own grows by, after the first thousand files of a folder.
_GROWTH = """
import io, resource, sys
from pathlib import Path
from rich.console import Console
from curation.inspect import inspect
folder = Path(sys.argv[1])
looking = inspect([folder], None, folder / "sheet.html", Console(file=io.StringIO()))
for _ in range(1000):
    next(looking)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert sum(one.ok for one in looking) == 9000
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.deep
def test_memory_is_flat_over_ten_thousand_files(tmp_path: Path) -> None:
    body = jpeg(1)
    for number in range(10_000):
        (tmp_path / f"{number:05d}.jpg").write_bytes(body)
    done = subprocess.run(
        [sys.executable, "-c", _GROWTH, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 20_000
