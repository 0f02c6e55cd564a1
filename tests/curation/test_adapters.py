"""Annotators around models of others: through their real loaders, with tiny models that are made here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from curation.annotators.aesthetic import Aesthetic
from curation.annotators.base import Annotator, Finding, Status, look_at_all
from curation.annotators.embedding import Embedding, vector_of
from curation.annotators.faces import Faces
from curation.annotators.harmful import Harmful, is_harmful
from curation.annotators.registry import annotators
from kyodaku.errors import MissingWeightsError, UsageError
from kyodaku.fingerprint import Pixels
from kyodaku.reasons import FilterReason, QuarantineReason
from kyodaku.recipe import Annotators, Filters
from tests.curation.fixtures import encoded, picture
from tests.curation.looking import opened, ruled, seen
from tests.curation.tiny_models import (
    classifier_folder,
    head_file,
    named,
    open_clip_folder,
    torchscript_file,
    yunet_file,
)

BUILDERS: dict[str, Callable[[Annotators], Annotator]] = {
    "embedding": Embedding.build,
    "aesthetic": Aesthetic.build,
    "harmful": Harmful.build,
    "faces": Faces.build,
}
FILES = [encoded(picture(seed), "PNG") for seed in (1, 2, 1)]


def section(**models: Path | str) -> Annotators:
    return Annotators.model_validate(named(**models))


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)  # layers this small only wait for each other


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return open_clip_folder(tmp_path_factory.mktemp("clip") / "tiny-clip")


# ------------------------------------------------------------------------------------- without a model


@pytest.mark.parametrize("name", BUILDERS)
def test_without_a_model_nobody_looked(name: str) -> None:
    (found,) = seen(BUILDERS[name](Annotators()), FILES[0])
    assert (found.status, found.score) == (Status.UNKNOWN, 0.0)
    assert f"annotators.{name} names no model" in found.text


@pytest.mark.parametrize("name", BUILDERS)
def test_a_model_that_is_not_here_is_one_line_with_the_command(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MissingWeightsError, match=f"no model at /nowhere/m .annotators.{name}.model."):
        annotators(section(**{name: "/nowhere/m"}))
    with pytest.raises(UsageError, match=f"annotators.{name}.revision: pin the commit of o/m"):
        annotators(section(**{name: "o/m"}))
    pinned = Annotators.model_validate({name: {"model": "o/m", "revision": "abc123"}})
    with pytest.raises(MissingWeightsError, match="hf download o/m --revision abc123") as told:
        annotators(pinned)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", BUILDERS)
def test_a_file_that_is_no_such_model_is_a_failure_and_not_a_crash(name: str, tmp_path: Path) -> None:
    for suffix in (".pt", ".onnx", ".safetensors", ".pth"):
        file = tmp_path / f"wrong{suffix}"
        file.write_bytes(b"no model at all")
        (found,) = seen(BUILDERS[name](section(**{name: file})), FILES[0])
        assert found.status is Status.FAILED
        assert "MissingWeightsError" in found.text


def test_other_weights_are_another_version(tmp_path: Path) -> None:
    first = Aesthetic.build(section(aesthetic=head_file(tmp_path / "head.pth", 4)))
    again = Aesthetic.build(section(aesthetic=tmp_path / "head.pth"))
    head_file(tmp_path / "head.pth", 5)
    other = Aesthetic.build(section(aesthetic=tmp_path / "head.pth"))
    assert first.version == again.version != other.version
    assert Aesthetic.build(Annotators()).version not in (first.version, other.version)


# ------------------------------------------------------------------------------- embedding, aesthetic


def check_vectors(found: list[Finding], length: int) -> None:
    vectors = np.stack([vector_of(one) for one in found])
    assert vectors.shape == (3, length)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-2)
    likeness = vectors @ vectors.T
    assert likeness[0, 2] > 0.999 > likeness[0, 1]
    assert all(one.values["dimension"] == length for one in found)


def test_vectors_of_open_clip(clip: Path) -> None:
    found = seen(Embedding.build(section(embedding=clip)), *FILES)
    check_vectors(found, 16)
    assert found[0].level == "tiny-clip"


@pytest.mark.filterwarnings("ignore:`torch.jit.trace")
def test_vectors_of_a_torchscript(tmp_path: Path) -> None:
    file = torchscript_file(tmp_path / "sscd_disc_mixup.torchscript.pt")
    check_vectors(seen(Embedding.build(section(embedding=file)), *FILES), 512)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf, 0.0])
def test_a_vector_that_is_none_is_no_finding(
    broken: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be near to nothing, so that every copy of that picture came in."""
    embedding = Embedding.build(section(embedding=named_file(tmp_path)))

    def encode(pixels: Sequence[Pixels]) -> np.ndarray[Any, Any]:
        vectors = np.ones((len(pixels), 4), np.float32)
        bad = [index for index, one in enumerate(pixels) if np.array_equal(one, opened(FILES[1]).pixels)]
        vectors[bad, 1:] = broken
        vectors[bad, 0] = 0 if broken == 0 else 1
        return vectors

    monkeypatch.setattr(embedding, "_loaded", encode)
    first, second, third = seen(embedding, *FILES)
    assert (first.status, second.status, third.status) == (Status.OK, Status.FAILED, Status.OK)
    assert "no vector" in second.text
    assert not second.values


def named_file(folder: Path) -> Path:
    """Some file that may be named as a model."""
    (folder / "model.pt").write_bytes(b"model")
    return folder / "model.pt"


def test_an_aesthetic_head_reads_the_vector(clip: Path, tmp_path: Path) -> None:
    chosen = section(embedding=clip, aesthetic=head_file(tmp_path / "head.pth", 16))
    (row,) = look_at_all([Embedding.build(chosen), Aesthetic.build(chosen)], [opened(FILES[0])])
    expected = 5 * vector_of(row["embedding"]).sum() + 3
    assert row["aesthetic"].score == pytest.approx(expected, abs=1e-3)
    wrong = section(embedding=clip, aesthetic=head_file(tmp_path / "other.pth", 768))
    (row,) = look_at_all([Embedding.build(wrong), Aesthetic.build(wrong)], [opened(FILES[0])])
    assert row["aesthetic"].status is Status.FAILED
    assert "the head takes 768 numbers, annotators.embedding gives 16" in row["aesthetic"].text


def test_a_head_over_the_vectors_of_another_model_is_another_version(tmp_path: Path) -> None:
    model = tmp_path / "vectors.pt"
    model.write_bytes(b"one")
    chosen = section(embedding=model, aesthetic=head_file(tmp_path / "head.pth", 16))
    before = Aesthetic.build(chosen).version
    model.write_bytes(b"another of the same name")
    assert Aesthetic.build(chosen).version != before


def test_an_aesthetic_head_without_vectors_cannot_tell(tmp_path: Path) -> None:
    (found,) = seen(Aesthetic.build(section(aesthetic=head_file(tmp_path / "head.pth", 16))), FILES[0])
    assert (found.status, found.text[:18]) == (Status.UNKNOWN, "there is no vector")


# ---------------------------------------------------------------------------------------------- harmful


def test_the_score_adds_what_says_so(tmp_path: Path) -> None:
    folder = classifier_folder(tmp_path / "five", ["drawings", "hentai", "neutral", "porn", "sexy"])
    found = seen(Harmful.build(section(harmful=folder)), *FILES)
    for one in found:
        assert sum(one.values.values()) == pytest.approx(1, abs=1e-5)
        assert one.score == pytest.approx(sum(one.values[name] for name in ("hentai", "porn", "sexy")))
    assert found[0].values == found[2].values != found[1].values


def test_a_model_of_something_else_says_nothing_about_harm(tmp_path: Path) -> None:
    folder = classifier_folder(tmp_path / "pets", ["cat", "dog"])
    (found,) = seen(Harmful.build(section(harmful=folder)), FILES[0])
    assert (found.status, found.text[:10]) == (Status.FAILED, "UsageError")


@pytest.mark.parametrize(
    ("label", "harmful"),
    [
        *[(label, True) for label in ("NSFW", "nsfw", "unsafe", "Porn", "nudity")],
        *[
            (label, True)
            for label in ("nonconsensual nude", "non-consensual_nudity", "not safe", "no_sfw nude")
        ],
        *[(label, False) for label in ("nonsexual", "non nudity", "without_gore", "not_nsfw")],
        ("not porn, sexy", True),
        *[(label, False) for label in ("SFW", "normal", "safe", "not nsfw", "non-nude", "no_explicit")],
    ],
)
def test_labels(label: str, harmful: bool) -> None:
    assert is_harmful(label) is harmful


# ------------------------------------------------------------------------------------------------ faces


def bright(cells: list[tuple[int, int]], width: int = 128, height: int = 96) -> bytes:
    """A dark picture in which cells of 64 px are white: of 32 px as the detector sees it."""
    pixels = np.full((height, width, 3), 20, np.uint8)
    for row, column in cells:
        pixels[row * 64 : row * 64 + 64, column * 64 : column * 64 + 64] = 255
    return encoded(Image.fromarray(pixels), "PNG")


def test_faces_are_counted_and_shown(tmp_path: Path) -> None:
    import io

    faces = Faces.build(section(faces=yunet_file(tmp_path / "face_detection_yunet.onnx")))
    none, one, two = seen(faces, bright([]), bright([(0, 1)]), bright([(0, 0), (0, 1)]))
    assert [found.values["count"] for found in (none, one, two)] == [0, 1, 2]
    assert none.mask == b""
    assert one.score > 0.9 > none.score
    mask = np.asarray(Image.open(io.BytesIO(one.mask)))
    assert mask.shape == (48, 64)
    assert mask[:30, 34:].min() == 255
    assert mask[:, :28].max() == 0


# ----------------------------------------------------------------------------------------------- filters


def filters(**tables: dict[str, object]) -> Filters:
    return Filters.model_validate(tables)


def ok(name: str, score: float = 0.0, **values: float) -> Finding:
    return Finding(name, "1", Status.OK, score=score, values=values)


UNKNOWN = {name: Finding(name, "1", Status.UNKNOWN) for name in BUILDERS}
FAILED = {name: Finding(name, "1", Status.FAILED) for name in BUILDERS}
ASIDE = QuarantineReason.NOT_LOOKED_AT


@pytest.mark.parametrize(
    ("apply", "asked", "dropped", "passed", "reason"),
    [
        ("aesthetic", {"min_score": 5.0}, ok("aesthetic", 4.9), ok("aesthetic", 5.0), FilterReason.AESTHETIC),
        ("harmful", {"max_score": 0.5}, ok("harmful", 0.51), ok("harmful", 0.5), FilterReason.HARMFUL),
        ("privacy", {"max_faces": 2}, ok("faces", count=3.0), ok("faces", count=2.0), FilterReason.FACES),
    ],
)
def test_filters_ask_only_what_the_recipe_asks(
    apply: str, asked: dict[str, object], dropped: Finding, passed: Finding, reason: FilterReason
) -> None:
    chosen = filters(**{apply: asked})
    name = dropped.annotator
    assert ruled(chosen, dropped, apply=apply) is reason
    assert ruled(chosen, passed, apply=apply) is None
    assert ruled(chosen, UNKNOWN[name], apply=apply) is ASIDE
    assert ruled(chosen, FAILED[name], apply=apply) is ASIDE
    lenient = filters(**{apply: {**asked, "unknown": "keep"}})
    assert ruled(lenient, UNKNOWN[name], apply=apply) is None
    assert ruled(lenient, FAILED[name], apply=apply) is ASIDE
    for finding in (dropped, UNKNOWN[name], FAILED[name]):
        assert ruled(Filters(), finding, apply=apply) is None


def test_who_asks_for_copies_by_an_embedding_wants_one_of_every_picture() -> None:
    chosen = filters(duplicates={"min_cosine": 0.75})
    assert ruled(chosen, ok("embedding"), apply="copies") is None
    for finding in (UNKNOWN["embedding"], FAILED["embedding"]):
        assert ruled(chosen, finding, apply="copies") is ASIDE
        assert ruled(Filters(), finding, apply="copies") is None
    assert ruled(chosen, apply="copies") is ASIDE


def test_where_it_was_taken() -> None:
    chosen = filters(privacy={"drop_gps": True})
    assert ruled(chosen, apply="privacy", has_gps=True) is FilterReason.GPS
    assert ruled(chosen, apply="privacy", has_gps=False) is None
    assert ruled(Filters(), apply="privacy", has_gps=True) is None


def test_a_page_that_calls_itself_adult() -> None:
    assert ruled(Filters(), apply="harmful", rated=True) is FilterReason.HARMFUL
    assert ruled(Filters(), apply="harmful", rated=False) is None
    assert ruled(filters(harmful={"rated_pages": False}), apply="harmful", rated=True) is None
