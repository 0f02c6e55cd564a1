"""A classifier from a folder: transformers and timm, tiny, made here."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file
from skimage import data

from curation.annotators.base import Status, look_at_all
from curation.annotators.overlay import Overlay
from curation.hub_classifier import Classifier, label_index
from curation.train.overlay.figures import picture_of
from kyodaku.errors import MissingWeightsError, UsageError
from kyodaku.recipe import Annotators

LABELS = ["clean", "watermark"]


@pytest.fixture(scope="module")
def convnext(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ConvNeXt of a few thousand weights, as transformers saves it."""
    from curation.torchvision_shim import make_importable

    make_importable()
    import torch
    from transformers import ConvNextConfig, ConvNextForImageClassification, ConvNextImageProcessor

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("convnext")
    config = ConvNextConfig(
        num_channels=3, hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], id2label=dict(enumerate(LABELS))
    )
    ConvNextForImageClassification(config).save_pretrained(folder)
    ConvNextImageProcessor(size={"shortest_edge": 64}).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def timm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny timm model as its hub writes it."""
    from curation.torchvision_shim import make_importable

    make_importable()
    import timm
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("timm")
    model = timm.create_model("convnext_atto", num_classes=2)
    save_file(model.state_dict(), folder / "model.safetensors")
    config = {
        "architecture": "convnext_atto",
        "num_classes": 2,
        "label_names": LABELS,
        "pretrained_cfg": {"input_size": [3, 64, 64]},
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize("which", ["convnext", "timm_folder"])
def test_the_score_is_the_probability_of_its_watermark_class(
    which: str, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(which)
    section = Annotators.model_validate({"watermark": {"model": str(folder)}})
    shipped, other = Overlay.build(Annotators()), Overlay.build(section)
    pictures = [picture_of(data.coffee()), picture_of(data.rocket())]
    findings = other.look(pictures, [{}, {}])
    expected = Classifier(str(folder), "", "t").probabilities(pictures, "watermark")
    assert [finding.score for finding in findings] == pytest.approx(expected, abs=1e-4)
    assert {finding.status for finding in findings} == {Status.OK}
    assert findings[0].values["overlaynet"] == pytest.approx(
        shipped.look(pictures, [{}, {}])[0].score, abs=1e-4
    )
    assert other.version != shipped.version


def test_weights_that_are_missing_name_the_command_that_fetches_them(tmp_path: Path) -> None:
    section = Annotators.model_validate({"watermark": {"model": "nobody/nothing", "revision": "abc123"}})
    with pytest.raises(MissingWeightsError, match="hf download nobody/nothing --revision abc123") as error:
        Overlay.build(section)
    assert "\n" not in str(error.value)
    gone = Annotators.model_validate({"watermark": {"model": str(tmp_path / "gone")}})
    with pytest.raises(MissingWeightsError, match="no model at"):
        Overlay.build(gone)


def test_a_hub_model_needs_a_revision() -> None:
    section = Annotators.model_validate({"watermark": {"model": "somebody/model"}})
    with pytest.raises(UsageError, match=r"annotators\.watermark\.revision"):
        Overlay.build(section)


def test_a_folder_that_holds_no_classifier_says_so(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(MissingWeightsError, match="does not hold an image classifier"):
        Classifier(str(tmp_path), "", "t").probabilities([picture_of(data.coffee())], "watermark")


def _changed(folder: Path, target: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Path:
    """A copy of a folder with other tensors."""
    shutil.copytree(folder, target)
    weights = target / "model.safetensors"
    save_file(change(load_file(weights)), weights, {"format": "pt"})
    return target


@pytest.mark.parametrize("which", ["convnext", "timm_folder"])
def test_weights_that_lack_a_layer_are_refused(
    which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder = _changed(
        request.getfixturevalue(which), tmp_path / "m", lambda tensors: dict(list(tensors.items())[2:])
    )
    with pytest.raises(MissingWeightsError, match="does not hold an image classifier"):
        Classifier(str(folder), "", "t").probabilities([picture_of(data.coffee())], "watermark")


def test_a_probability_that_is_no_number_is_no_clean_bill(convnext: Path, tmp_path: Path) -> None:
    folder = _changed(
        convnext,
        tmp_path / "m",
        lambda tensors: {name: value * float("nan") for name, value in tensors.items()},
    )
    section = Annotators.model_validate({"watermark": {"model": str(folder)}})
    found = look_at_all([Overlay.build(section)], [picture_of(data.coffee())])[0]["overlay"]
    assert found.status is Status.FAILED


@pytest.mark.parametrize(
    ("labels", "index"),
    [
        (["clean", "watermark"], 1),
        (["watermark", "no_watermark"], 0),
        (["Not-Watermarked", "Watermarked"], 1),
        (["unwatermarked", "watermarked"], 1),
        (["with watermark", "without watermark"], 0),
        (["nowatermark", "watermark"], 1),
    ],
)
def test_the_label_that_means_it_is_found(labels: list[str], index: int) -> None:
    assert label_index(labels, "watermark", "t") == index


def test_labels_that_do_not_tell_are_an_error() -> None:
    with pytest.raises(UsageError, match="LABEL_0, LABEL_1"):
        label_index(["LABEL_0", "LABEL_1"], "watermark", "t")
